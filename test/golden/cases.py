"""One case of an op: operands in, torch's values and gradients out. Holds no cases; those are in cases_*.py."""
import numpy as np
import torch

from encoding import spell

FLOAT32_BOUND = 2e-6  # what torch's own float32 keeps, on every case: a fifth of what the tests ask of ours


def random_values(rng, *shape):
    """Multiples of 1/128 in about (-3, 3): short decimals, exact in float32, so that both precisions start alike."""
    return np.asarray(np.round(rng.standard_normal(shape) * 128) / 128 + 0.0)


class Cases:
    """Collects rows for the file. Output gradients come from a generator seeded by the op's name."""

    def __init__(self):
        self.rows = []

    def add(self, op, operands, compute, attrs=None, gradients=(), through=(0,), fixed=(), scale=1, float32=True, note=None):
        """compute(*tensors) returns the output, a tuple of outputs, or (outputs, {operand index: value afterwards}).

        gradients: operands to differentiate by; through: outputs that carry a gradient; fixed: operands that keep their
        dtype; scale: magnitude below which errors count as absolute; float32: whether the row holds in that precision.
        """
        operands = [np.asarray(x) for x in operands]
        run = lambda dtype, weights=None: _run(compute, operands, dtype, gradients, through, fixed, weights)
        outputs, after, _ = run(torch.float64)
        rng = np.random.RandomState(sum(map(ord, op)) + len(self.rows))
        weights = {i: random_values(rng, *outputs[i].shape) for i in through} if gradients else {}
        outputs, after, derivatives = run(torch.float64, weights)
        if float32:
            _compare(op, attrs, (outputs, after, derivatives), run(torch.float32, weights), scale)
        spelled = [spell(x) for x in operands]
        for i in fixed:
            spelled[i]["fixed"] = True
        row = {"op": op, "attrs": attrs or {}, "operands": spelled, "outputs": [spell(x) for x in outputs]}
        if after:
            row["after"] = [spell(after[i]) if i in after else None for i in range(len(operands))]
        if gradients:
            row["outputGradients"] = [spell(weights[i]) if i in weights else None for i in range(len(outputs))]
            row["gradients"] = [spell(derivatives[i]) if i in derivatives else None for i in range(len(operands))]
        rare = {"scale": scale if scale != 1 else None, "float32": None if float32 else False, "note": note}
        self.rows.append({**row, **{key: value for key, value in rare.items() if value is not None}})


def _run(compute, operands, dtype, gradients, through, fixed, weights):
    tensors = []
    for i, x in enumerate(operands):
        t = torch.from_numpy(np.array(x))
        tensors.append(t.to(dtype) if t.is_floating_point() and i not in fixed else t)
    for i in gradients:
        tensors[i].requires_grad_()
    result = compute(*tensors)
    outputs, after = result if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict) else (result, {})
    outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
    derivatives = {}
    if gradients and weights:
        total = sum((outputs[i] * torch.from_numpy(weights[i]).to(dtype)).sum() for i in through)
        found = torch.autograd.grad(total, [tensors[i] for i in gradients])
        derivatives = {i: g.numpy() for i, g in zip(gradients, found)}
    return [x.detach().numpy() for x in outputs], {i: x.detach().numpy() for i, x in after.items()}, derivatives


def _compare(op, attrs, exact, single, scale):
    def flat(result):
        outputs, after, derivatives = result
        return [*outputs, *after.values(), *derivatives.values()]

    for e, s in zip(flat(exact), flat(single)):
        e, s = e.astype(np.float64), s.astype(np.float64)
        finite = np.isfinite(e)
        assert np.array_equal(e[~finite], s[~finite], equal_nan=True), (op, attrs, e, s)
        error = np.abs(e[finite] - s[finite]) - FLOAT32_BOUND * np.maximum(scale, np.abs(e[finite]))
        assert error.size == 0 or error.max() <= 0, (op, attrs, e, s)
