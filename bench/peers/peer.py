"""A peer's side of the conversation with conversation.ts, one line of JSON each way; knows no library.

  {"prepare": case} -> {"residual": number}      builds the case and says how far its result is off, or the loss it reached
  {"sample": seconds} -> {"samples": [seconds]}  times it again and again for so long
"""

import json
import os
import sys
import time

import numpy

THREADS = int(os.environ["PEER_THREADS"])
SUITE = sys.argv[1]
EPOCHS = 2  # before the loss is read, as in step.ts
SAMPLE_SECONDS = 0.01


def serve(version, prepare):
    """Answers until the input ends. `prepare(case)` returns the residual and a function that takes one sample."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer

    def answer(**fields):
        print(json.dumps(fields), file=answers, flush=True)

    answer(version=version)
    sample = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "prepare" in request:
                sample = None  # frees the case before
                residual, sample = prepare(request["prepare"])
                answer(residual=residual)
            else:
                answer(samples=samples(sample, request["sample"]))
        except Exception as error:  # one case that fails leaves the others
            answer(error=f"{type(error).__name__}: {error}"[:400])


def samples(sample, budget):
    """At least one, after a first that warms up."""
    taken = []
    end = time.perf_counter() + budget
    while len(taken) < 2 or time.perf_counter() < end:
        taken.append(sample())
    return taken[1:]


def training(case, train):
    """The residual and sampler of `train(first, count)`, which takes steps and returns the sum of their losses."""
    steps = case["steps"]
    for _ in range(EPOCHS):
        start = time.perf_counter()
        loss = train(0, steps) / steps
        seconds = (time.perf_counter() - start) / steps
    count = max(1, min(steps, round(SAMPLE_SECONDS / seconds)))
    position = 0

    def sample():
        nonlocal position
        if position + count > steps:
            position = 0
        start = time.perf_counter()
        train(position, count)
        position += count
        return (time.perf_counter() - start) / count

    return loss, sample


def prediction(case, predict):
    """The residual and sampler of `predict(images)`, which returns probabilities as a numpy array."""
    images = load(case, "images", case["widths"][0])
    expected = load(case, "expected", case["widths"][-1])
    difference = numpy.abs(numpy.asarray(predict(images), numpy.float64) - expected).max()
    count = 1

    def sample():
        start = time.perf_counter()
        for _ in range(count):
            predict(images)
        return (time.perf_counter() - start) / count

    count = max(1, min(1000, round(SAMPLE_SECONDS / 10 / min(sample() for _ in range(5)))))
    return float(difference / expected.max()), sample


def batches(case):
    """Inputs and labels as lists of one array per step."""
    inputs = load(case, "inputs", case["widths"][0])
    labels = numpy.fromfile(os.path.join(case["directory"], "labels"), numpy.int32)
    return numpy.split(inputs, case["steps"]), numpy.split(labels, case["steps"])


def weights(case):
    """The initial weights [in, out] of the dense layers; biases begin with zero."""
    return [load(case, f"weight{i + 1}", units) for i, units in enumerate(case["widths"][1:])]


def load(case, name, columns):
    return numpy.fromfile(os.path.join(case["directory"], name), numpy.float32).reshape(-1, columns)
