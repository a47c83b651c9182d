"""Writes metrics.json: figures of classifiers and regressions by scikit-learn, with the predictions they are of. See README.md.

Run: /usr/bin/python3 test/golden/metrics.py
"""
import json
import pathlib

import numpy as np
from sklearn import metrics as sk

PATH = pathlib.Path(__file__).parent / "metrics.json"
rng = np.random.RandomState(7)


def coarse(x, steps=64):
    """Exact in float32, and with ties."""
    return np.round(x * steps) / steps


def scores(truth, predicted, **options):
    return {
        "precision": sk.precision_score(truth, predicted, zero_division=0, **options),
        "recall": sk.recall_score(truth, predicted, zero_division=0, **options),
        "f1": sk.f1_score(truth, predicted, zero_division=0, **options),
    }


def multiclass(examples, classes, absent):
    """`absent`: a class that no example has; another one is never predicted."""
    labels = rng.choice([c for c in range(classes) if c != absent], examples)
    raw = rng.gamma(0.7, size=(examples, classes)) + np.eye(classes)[labels] * 0.5
    if absent is not None:
        raw[:, [0, absent]] *= [0.05, 0.05]
    probabilities = coarse(raw / raw.sum(1, keepdims=True)) + 1 / 128
    predicted = probabilities.argmax(1)
    clipped = np.clip(probabilities, 1e-7, 1 - 1e-7)
    loss = float(-np.log(clipped[np.arange(examples), labels]).mean())
    larger = (probabilities > probabilities[np.arange(examples), labels][:, None]).sum(1)
    everyone = range(classes)
    return {
        "predictions": probabilities.tolist(),
        "labels": labels.tolist(),
        "confusion": sk.confusion_matrix(labels, predicted, labels=everyone).tolist(),
        "accuracy": sk.accuracy_score(labels, predicted),
        "top2": float((larger < 2).mean()),  # scikit-learn breaks ties the other way
        "macro": scores(labels, predicted, average="macro"),
        "weighted": scores(labels, predicted, average="weighted"),
        "micro": scores(labels, predicted, average="micro"),
        "perClass": {k: v.tolist() for k, v in scores(labels, predicted, average=None, labels=everyone).items()},
        "auc": None if absent is not None else float(np.mean([sk.roc_auc_score(labels == c, probabilities[:, c]) for c in everyone])),
        "auc1": sk.roc_auc_score(labels == 1, probabilities[:, 1]),
        "logLoss": loss,
        "perplexity": float(np.exp(loss)),
    }


def binary(examples):
    labels = rng.randint(0, 2, examples)
    probabilities = coarse(1 / (1 + np.exp(-(rng.standard_normal(examples) + labels - 0.5)))) * 0.96875 + 1 / 64
    result = {"predictions": probabilities.tolist(), "labels": labels.tolist()}
    for threshold in [0.5, 0.75]:
        predicted = (probabilities > threshold).astype(int)
        result[str(threshold)] = scores(labels, predicted, average="binary")
    predicted = (probabilities > 0.5).astype(int)
    return {
        **result,
        "confusion": sk.confusion_matrix(labels, predicted).tolist(),
        "class0": scores(labels, predicted, average="binary", pos_label=0),
        "macro": scores(labels, predicted, average="macro"),
        "auc": sk.roc_auc_score(labels, probabilities),
        "logLoss": sk.log_loss(labels, probabilities),
    }


def regression(examples, outputs, offset):
    targets = coarse(rng.standard_normal((examples, outputs)) * [1, 5, 0.5][:outputs]) + offset
    predictions = targets + coarse(rng.standard_normal((examples, outputs)))
    return {
        "predictions": predictions.tolist(),
        "targets": targets.tolist(),
        "r2": sk.r2_score(targets, predictions),
        "meanSquaredError": sk.mean_squared_error(targets, predictions),
        "rootMeanSquaredError": sk.mean_squared_error(targets, predictions) ** 0.5,
        "meanAbsoluteError": sk.mean_absolute_error(targets, predictions),
    }


if __name__ == "__main__":
    made = {
        "fourClasses": multiclass(61, 4, None),
        "oneClassAbsent": multiclass(40, 5, 3),
        "binary": binary(57),
        "regression": regression(50, 3, 0),
        "farFromZero": regression(33, 1, 20000),
    }
    PATH.write_text("{\n" + ",\n".join(f'"{name}": {json.dumps(case)}' for name, case in made.items()) + "\n}\n")
    print(PATH.stat().st_size, "bytes")
