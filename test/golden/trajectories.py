"""Writes trajectories/*.json: ten training steps of small networks, computed by torch in float64. See README.md.

Run: /usr/bin/python3 test/golden/trajectories.py
"""
import pathlib

import numpy as np
import torch

from encoding import dump, pack
from network import initial_parameters, train

STEPS = 10
FOLDER = pathlib.Path(__file__).parent / "trajectories"


def dense(units, activation=None, useBias=True, **options):
    return {"type": "dense", "units": units, "useBias": useBias, **({"activation": activation} if activation else {}), **options}


def layer(kind, **options):
    return {"type": kind, **options}


def dropout(rate, stream):
    return layer("dropout", rate=rate, seed=2**33 + 7, stream=stream)


# Together they use every layer, activation, loss and optimizer. `targets` says what is made: class numbers, one-hot or
# soft rows, 0/1 flags, or real values. Adam and RMSprop divide by the gradient's own size, so nothing they train may
# have a gradient that is zero but for rounding, such as a bias in front of batchNorm.
NETWORKS = {
    "relu-sgd": dict(
        inputs=9, batch=7, targets="classes",
        layers=[dense(12, "relu"), dense(5)],
        loss="softmaxCrossEntropy", optimizer={"type": "sgd", "learningRate": 0.1},
    ),
    "logistic-one-feature-sgd": dict(
        inputs=1, batch=1, targets="flags",
        layers=[dense(1)],
        loss="sigmoidCrossEntropy", optimizer={"type": "sgd", "learningRate": 0.5},
    ),
    "batch-norm-dropout-adam": dict(
        inputs=11, batch=13, targets="classes",
        layers=[
            dense(17, useBias=False), layer("batchNorm"), layer("relu"), dropout(0.2, 0),
            dense(9, useBias=False), layer("batchNorm"), layer("relu"), dropout(0.5, 1),
            dense(4),
        ],
        loss="softmaxCrossEntropy", optimizer={"type": "adam", "learningRate": 0.01},
    ),
    "tanh-one-feature-momentum": dict(
        inputs=1, batch=5, targets="values",
        layers=[dense(8, "tanh"), layer("tanh"), dense(1)],
        loss="meanSquaredError", optimizer={"type": "momentum", "learningRate": 0.2, "beta": 0.9, "damped": True, "nesterov": False},
    ),
    "leaky-relu-elu-rmsprop": dict(
        inputs=6, batch=7, targets="flags",
        layers=[dense(10), layer("leakyRelu"), dense(7), layer("elu"), dense(9, "leakyRelu", slope=0.2), dense(3)],
        loss="sigmoidCrossEntropy", optimizer={"type": "rmsprop", "learningRate": 0.01},
    ),
    "gelu-swish-adamw": dict(
        inputs=7, batch=9, targets="soft",
        layers=[
            dense(11, useBias=False), layer("gelu"), dense(10, useBias=False), layer("swish"),
            dense(8, "gelu", useBias=False), dense(7, "swish", useBias=False), dense(5, useBias=False),
        ],
        loss="softmaxCrossEntropy", optimizer={"type": "adamw", "learningRate": 0.02, "weightDecay": 0.1},
    ),
    "softplus-sigmoid-nesterov-clip-norm": dict(
        inputs=5, batch=7, targets="values",
        layers=[dense(9), layer("softplus"), dense(8, "sigmoid"), layer("sigmoid"), dense(6, "softplus"), dense(2)],
        loss="huber", optimizer={"type": "momentum", "learningRate": 0.05, "beta": 0.9, "damped": False, "nesterov": True, "clipGlobalNorm": 0.75},
    ),
    "softmax-layer-momentum-clip-value": dict(
        inputs=8, batch=7, targets="one-hot",
        layers=[dense(9, "elu", alpha=0.5), dense(3), layer("softmax")],
        loss="meanSquaredError", optimizer={"type": "momentum", "learningRate": 0.2, "beta": 0.9, "damped": False, "nesterov": False, "clipValue": 0.03},
    ),
    "mean-absolute-error-nesterov-damped": dict(
        inputs=4, batch=3, targets="values",
        layers=[dense(33, "elu"), dense(17, "relu", useBias=False), dense(3)],
        loss="meanAbsoluteError", optimizer={"type": "momentum", "learningRate": 0.1, "beta": 0.9, "damped": True, "nesterov": True},
    ),
    "bias-before-batch-norm-sgd": dict(
        inputs=6, batch=19, targets="one-hot",
        layers=[
            dropout(0.25, 5), dense(16), layer("batchNorm", momentum=0.75, epsilon=1e-3), layer("leakyRelu", slope=0.3),
            dense(8, "sigmoid"), layer("batchNorm"), dense(3),
        ],
        loss="softmaxCrossEntropy", optimizer={"type": "sgd", "learningRate": 0.3},
    ),
}


def make_targets(kind, inputs, width, generator):
    """Something the inputs determine, so that there is a gradient to follow."""
    teacher = torch.randn(inputs.shape[-1], width, generator=generator)
    scores = torch.tanh(inputs @ teacher)
    if kind == "classes":
        return scores.argmax(-1).to(torch.int32)
    if kind == "one-hot":
        return torch.nn.functional.one_hot(scores.argmax(-1), width).float()
    if kind == "soft":
        # Sixteenths, so that rows sum to one exactly in either precision.
        rows = torch.floor(torch.softmax(4 * scores, -1) * 16) / 16
        rows[..., 0] += 1 - rows.sum(-1)
        return rows
    return (scores > 0).float() if kind == "flags" else scores


def deviation(actual, expected):
    """Largest error over the largest magnitude, tensor by tensor; the worst tensor."""
    return max(float((actual[n].double() - expected[n]).abs().max() / expected[n].abs().max()) for n in expected)


def network(index, spec):
    generator = torch.Generator().manual_seed(1000 + index)
    initial = initial_parameters(spec["layers"], spec["inputs"], generator)
    inputs = torch.randn(STEPS, spec["batch"], spec["inputs"], generator=generator)
    width = [layer["units"] for layer in spec["layers"] if "units" in layer][-1]
    targets = make_targets(spec["targets"], inputs, width, generator)
    return initial, inputs, targets


def record(name, index, spec):
    initial, inputs, targets = network(index, spec)
    exact = train(spec, initial, inputs, targets, torch.float64)
    single = train(spec, initial, inputs, targets, torch.float32)
    loss_error = np.max(np.abs(np.subtract(single["losses"], exact["losses"])) / np.abs(exact["losses"]))
    pack_all = lambda state: {n: pack(value.detach().numpy()) for n, value in state.items()}
    return {
        "name": name,
        "inputShape": [spec["inputs"]],
        "layers": spec["layers"],
        "loss": spec["loss"],
        "optimizer": spec["optimizer"],
        "initial": pack_all(initial),
        "inputs": pack(inputs.numpy()),
        "targets": pack(targets.numpy()),
        "losses": exact["losses"],
        "afterStep1": pack_all(exact["first"]),
        "afterStep10": pack_all(exact["last"]),
        "inference": {"outputs": pack(exact["inference"]["outputs"].numpy()), "loss": exact["inference"]["loss"]},
        "gradientKept": exact["kept"],
        "float32Deviation": {
            "losses": float(loss_error),
            "afterStep1": deviation(single["first"], exact["first"]),
            "afterStep10": deviation(single["last"], exact["last"]),
        },
    }


def text(entry):
    """One line per key: a diff shows which part changed."""
    return "{\n" + ",\n".join(f"{dump(key)}:{dump(value)}" for key, value in entry.items()) + "\n}\n"


if __name__ == "__main__":
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    for index, (name, spec) in enumerate(NETWORKS.items()):
        entry = record(name, index, spec)
        (FOLDER / f"{name}.json").write_text(text(entry))
        print(name, entry["float32Deviation"], f"loss {entry['losses'][0]:.4f} -> {entry['losses'][-1]:.4f}", "clipped" if min(entry["gradientKept"]) < 1 else "")
