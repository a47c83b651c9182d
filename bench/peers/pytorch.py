"""The cases of `npm run bench -- step` in PyTorch: same weights, data and order as networks.ts, so the loss must be the same where nothing is dropped.

    python3 bench/peers/pytorch.py [--threads N] [--cases a,b]
"""
import argparse
import time

import numpy as np
import torch
from torch import nn

CASES = {  # widths, batch, normalized, optimizer, steps per epoch
    "tiny": ([32, 64, 64, 2], 32, False, "adam", 200),
    "tiny-bn-do": ([32, 64, 64, 2], 32, True, "adam", 200),
    "small": ([784, 128, 10], 32, False, "adam", 100),
    "mnist": ([784, 512, 256, 10], 128, False, "adam", 20),
    "mnist-bn-do": ([784, 512, 256, 10], 128, True, "adam", 20),
    "wide-sgd": ([1024, 1024, 1024, 1024, 10], 256, False, "momentum", 4),
    "wide-bn-do": ([1024, 1024, 1024, 1024, 10], 256, True, "adam", 4),
    "big": ([4096, 4096, 4096, 10], 512, False, "adam", 1),
}
EPOCHS = 2  # before the loss is read; the timing goes on from there
SECONDS = 5


def uniform(seed, count):
    """values.ts's uniform(seed, i) for i < count."""
    with np.errstate(over="ignore"):
        state = np.uint32(seed) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
        t = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
        t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
    return (t ^ (t >> np.uint32(14))) / 2.0**32


def uniforms(count, low, high, seed):
    return (low + (high - low) * uniform(seed, count)).astype(np.float32)


def data_of(widths, batch, steps):
    inputs, classes, count = widths[0], widths[-1], batch * steps
    labels = np.floor(uniform(101, count) * classes).astype(np.int64)
    values = uniforms(count * inputs, -1, 1, 100).reshape(count, inputs)
    values[np.arange(inputs)[None, :] % classes == labels[:, None]] += np.float32(0.2)
    return torch.from_numpy(values), torch.from_numpy(labels)


def model_of(widths, normalized):
    layers = []
    for i, (n_in, n_out) in enumerate(zip(widths, widths[1:])):
        last = i == len(widths) - 2
        linear = nn.Linear(n_in, n_out, bias=last or not normalized)
        bound = np.sqrt(6 / (n_in + n_out))
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(uniforms(n_in * n_out, -bound, bound, i + 1).reshape(n_in, n_out).T.copy()))
            if linear.bias is not None:
                linear.bias.zero_()
        layers.append(linear)
        if not last:
            layers += [nn.BatchNorm1d(n_out), nn.ReLU(), nn.Dropout(0.2)] if normalized else [nn.ReLU()]
    return nn.Sequential(*layers)


def measure(widths, batch, normalized, optimizer, steps):
    inputs, labels = data_of(widths, batch, steps)
    model = model_of(widths, normalized)
    parameters = model.parameters()
    update = torch.optim.Adam(parameters, lr=1e-3) if optimizer == "adam" else torch.optim.SGD(parameters, lr=0.01, momentum=0.9)
    loss_of = nn.CrossEntropyLoss()
    order = torch.arange(batch * steps)

    def step(i):
        rows = order[i * batch : (i + 1) * batch]
        update.zero_grad(set_to_none=True)
        loss = loss_of(model(inputs[rows]), labels[rows])
        loss.backward()
        update.step()
        return loss.item()

    for _ in range(EPOCHS):
        mean = sum(step(i) for i in range(steps)) / steps
    times, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        for i in range(steps):
            start = time.perf_counter()
            step(i)
            times.append(time.perf_counter() - start)
    return min(times), sorted(times)[len(times) // 2], mean


parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--cases", default=",".join(CASES))
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.manual_seed(1)
print(f"PyTorch {torch.__version__}, {options.threads} threads\n\n{'case':<12} {'us/step':>9} {'median':>9} {'loss':>9}")
for name in options.cases.split(","):
    fastest, median, loss = measure(*CASES[name])
    print(f"{name:<12} {1e6 * fastest:>9.4g} {1e6 * median:>9.4g} {loss:>9.5g}")
