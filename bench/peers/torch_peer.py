"""PyTorch as a peer: `torch_peer.py step|infer [--compile]`, eager or under torch.compile."""

import inspect
import sys

import torch
from torch import nn

import peer

COMPILED = "--compile" in sys.argv
torch.set_num_threads(peer.THREADS)
torch.manual_seed(1)


def network(case):
    widths, normalized = case["widths"], case["normalized"]
    layers = []
    for i, weight in enumerate(peer.weights(case)):
        hidden = i < len(widths) - 2
        dense = nn.Linear(widths[i], widths[i + 1], bias=not (hidden and normalized))
        with torch.no_grad():
            dense.weight.copy_(torch.from_numpy(weight).T)
            if dense.bias is not None:
                dense.bias.zero_()
        layers.append(dense)
        if hidden and normalized:
            layers += [nn.BatchNorm1d(widths[i + 1]), nn.ReLU(), nn.Dropout(0.2)]
        elif hidden:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def fused(kind):
    """The fused update where this version has one for the CPU."""
    probe = nn.Parameter(torch.zeros(1))
    if "fused" not in inspect.signature(kind).parameters:
        return {}
    try:
        probe.grad = torch.zeros(1)
        kind([probe], lr=0.1, fused=True).step()
        return {"fused": True}
    except RuntimeError:
        return {}


def step(case):
    model = network(case)
    criterion = nn.CrossEntropyLoss()
    kind, options = (
        (torch.optim.Adam, {"lr": 1e-3}) if case["optimizer"] == "adam" else (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9})
    )
    optimizer = kind(model.parameters(), **options, **fused(kind))
    inputs, labels = peer.batches(case)
    inputs = [torch.from_numpy(x) for x in inputs]
    labels = [torch.from_numpy(y).long() for y in labels]

    def cost(x, y):
        return criterion(model(x), y)

    if COMPILED:
        torch._dynamo.reset()
        cost = torch.compile(cost)

    def train(first, count):
        total = torch.zeros(())
        for i in range(first, first + count):
            optimizer.zero_grad(set_to_none=True)
            loss = cost(inputs[i], labels[i])
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return total.item()

    return peer.training(case, train)


def infer(case):
    model = nn.Sequential(network(case), nn.Softmax(1)).eval()
    if COMPILED:
        torch._dynamo.reset()
        model = torch.compile(model)

    @torch.inference_mode()
    def predict(images):
        return model(torch.from_numpy(images)).numpy()

    return peer.prediction(case, predict)


# Debian's package 1.13.1 calls itself 1.13.0a0.
VERSION = torch.__version__.split("+")[0]
peer.serve("1.13.1" if VERSION == "1.13.0a0" else VERSION, {"step": step, "infer": infer}[peer.SUITE])
