"""Writes ops.json: values and gradients of every op, computed by torch in float64. See README.md.

Run: /usr/bin/python3 test/golden/ops.py
"""
import pathlib

import torch

import cases_image
import cases_math
import cases_network
from cases import Cases
from encoding import dump

PATH = pathlib.Path(__file__).parent / "ops.json"


def rows():
    cases = Cases()
    cases_math.rows(cases)
    cases_network.rows(cases)
    cases_image.rows(cases)
    return cases.rows


if __name__ == "__main__":
    torch.set_num_threads(1)
    made = rows()
    PATH.write_text("[\n" + ",\n".join(map(dump, made)) + "\n]\n")
    print(len(made), "cases of", len({row["op"] for row in made}), "ops,", PATH.stat().st_size, "bytes")
