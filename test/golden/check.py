"""Reloads what ops.py and trajectories.py wrote and asks whether it is whole, current and able to catch a mistake.

Run: /usr/bin/python3 test/golden/check.py
"""
import copy
import json
import pathlib
import re

import numpy as np
import torch

import ops
from encoding import dump, pack, spell, unpack, unspell
from network import ACTIVATIONS, LOSSES, train
from philox import philox4x32
from trajectories import FOLDER, NETWORKS, deviation

# What a float32 trajectory may be off, as the tests ask it; torch's own float32 must stay five times below.
AFTER_STEP_1, AFTER_STEP_10 = 1e-5, 1e-3


def check_philox():
    """The known answers that Random123 publishes for philox4x32-10."""
    for counter, key, answer in [
        ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0], "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ]:
        assert " ".join(f"{int(word):08x}" for word in philox4x32(counter, key)) == answer


def check_encoding():
    edges = np.array([0.0, -0.0, 0.1, np.inf, -np.inf, np.nan, 1e-30, 1e30])
    for array in [edges, edges.astype(np.float32), np.array([[1, -2]], dtype=np.int32), np.array(3, dtype=np.uint8), np.zeros((0, 2))]:
        for back in [unpack(json.loads(dump(pack(array)))), unspell(json.loads(dump(spell(array))))]:
            assert back.dtype == array.dtype and back.shape == array.shape
            assert back.tobytes() == array.tobytes() or np.isnan(array).any() and np.array_equal(back, array, equal_nan=True)


def close(a, b):
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-12, atol=1e-12, equal_nan=True)


def check_ops():
    stored = json.loads(ops.PATH.read_text())
    table = (pathlib.Path(__file__).parents[2] / "native" / "ops.inc").read_text()
    camel = lambda name: re.sub("_(.)", lambda match: match[1].upper(), name)
    native = {camel(name) for name in re.findall(r"^OP\((\w+)", table, re.M)}
    named = {row["op"] for row in stored}
    assert named - {"reshape"} == native, named ^ native
    for row, made in zip(stored, ops.rows(), strict=True):
        assert row.keys() == made.keys() and row["attrs"] == json.loads(dump(made["attrs"])), row["op"]
        for key in ["operands", "outputs", "after", "outputGradients", "gradients"]:
            for a, b in zip(row.get(key, []), made.get(key, []), strict=True):
                assert (a is None) == (b is None) and (a is None or close(unspell(a), unspell(b))), (row["op"], key)
        if "gradients" in row:
            pairs = [*zip(row["operands"], row["gradients"]), *zip(row["outputs"], row["outputGradients"])]
            assert all(g is None or g["shape"] == x["shape"] for x, g in pairs), row["op"]
            assert any(g is not None for g in row["gradients"]) and any(g is not None for g in row["outputGradients"])
    return len(stored)


def replay(entry, spec=None, dtype=torch.float64):
    tensors = {name: torch.from_numpy(unpack(value)) for name, value in entry["initial"].items()}
    return train(spec or entry, tensors, *(torch.from_numpy(unpack(entry[key])) for key in ("inputs", "targets")), dtype)


def stored_state(entry, key):
    return {name: torch.from_numpy(unpack(value)) for name, value in entry[key].items()}


def variations(spec):
    """The same network with one option after another slightly wrong."""
    for i, layer in enumerate([*spec["layers"], spec["optimizer"]]):
        for option, value in layer.items():
            if option in ("type", "units", "activation", "useBias"):
                continue
            wrong = copy.deepcopy({"layers": spec["layers"], "optimizer": spec["optimizer"], "loss": spec["loss"]})
            target = [*wrong["layers"], wrong["optimizer"]][i]
            target[option] = not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else value * 1.25
            yield f"{layer['type']}.{option}", wrong


def check_trajectory(entry):
    exact, single = replay(entry), replay(entry, dtype=torch.float32)
    for key, state in [("afterStep1", exact["first"]), ("afterStep10", exact["last"])]:
        stored = stored_state(entry, key)
        assert stored.keys() == state.keys() == entry["initial"].keys()
        assert all(close(stored[name].numpy(), state[name].numpy()) for name in stored)
    assert close(np.array(entry["losses"]), np.array(exact["losses"])) and len(entry["losses"]) == 10
    assert close(unpack(entry["inference"]["outputs"]), exact["inference"]["outputs"].numpy())
    assert deviation(single["first"], exact["first"]) < AFTER_STEP_1 / 5
    assert deviation(single["last"], exact["last"]) < AFTER_STEP_10 / 5
    for what, wrong in variations(entry):
        off = replay(entry, wrong)
        noticed = deviation(off["first"], exact["first"]) > AFTER_STEP_1 or deviation(off["last"], exact["last"]) > AFTER_STEP_10
        assert noticed, f"{entry['name']}: {what} could be wrong and nobody would notice"
    kept = np.array(entry["gradientKept"])
    if any("clip" in option for option in entry["optimizer"]):
        assert (kept < 0.99).any()


def check_trajectories():
    entries = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
    assert {entry["name"] for entry in entries} == set(NETWORKS)
    for entry in entries:
        check_trajectory(entry)
    layers = [layer for entry in entries for layer in entry["layers"]]
    assert {layer["type"] for layer in layers} == {"dense", "batchNorm", "dropout", *ACTIVATIONS}
    assert {layer.get("activation", "softmax") for layer in layers} == set(ACTIVATIONS)
    assert {layer.get("useBias") for layer in layers} == {True, False, None}
    assert {entry["loss"] for entry in entries} == set(LOSSES)
    optimizers = [entry["optimizer"] for entry in entries]
    assert {o["type"] for o in optimizers} == {"sgd", "momentum", "rmsprop", "adam", "adamw"}
    forms = {(o["damped"], o["nesterov"]) for o in optimizers if o["type"] == "momentum"}
    assert forms == {(True, False), (False, False), (False, True), (True, True)}
    assert all(any(option in o for o in optimizers) for option in ("clipGlobalNorm", "clipValue"))
    return len(entries)


if __name__ == "__main__":
    torch.set_num_threads(1)
    check_philox()
    check_encoding()
    print(f"{check_ops()} op cases and {check_trajectories()} trajectories are whole and current")
