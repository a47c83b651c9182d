"""Cases of the ops that augmentation is made of: sine, cosine and warp, the latter by torch's grid_sample."""
import numpy as np
import torch
import torch.nn.functional as F

from cases import random_values

PADDING = {"constant": "zeros", "nearest": "border", "reflect": "reflection"}


def rows(cases):
    rng = np.random.RandomState(5)
    values = lambda *shape: random_values(rng, *shape)
    for op, function in [("sin", torch.sin), ("cos", torch.cos)]:
        cases.add(op, [np.array([0.0, -0.0, 0.5, -0.5, 1, -2, 3.25, 30, -100])], function, gradients=(0,))
        cases.add(op, [values(3, 1, 5)], function, gradients=(0,))
        cases.add(op, [np.zeros((0, 2))], function, gradients=(0,))
    # Sizes are powers of two and places multiples of 1/128, so that torch's detour through [-1, 1] is exact.
    for shape in [(2, 4, 8, 1), (1, 8, 4, 3), (1, 2, 2, 2)]:
        for fill in ["constant", "nearest", "reflect", "wrap"]:
            for displaced in [False, True]:
                for value in [0, -1.5] if fill == "constant" else [0]:
                    operands, attrs = scene(rng, shape, displaced), {"fill": fill, "value": value}
                    warp = lambda *operands: sample(fill, value, *operands)
                    cases.add("warp", operands, warp, attrs, gradients=range(len(operands)))
                    cases.add("warpGrad", [values(*shape), *operands], lambda *operands: gradient(warp, *operands), attrs)


def scene(rng, shape, displaced):
    """Images, transforms and displacements whose places keep away from pixels and edges, where slopes jump."""
    b, h, w, _ = shape
    while True:
        transform = np.round(rng.uniform(-1.5, 1.5, (b, 6)) * 16) / 16 + np.array([0, 0, 1 / 128, 0, 0, 1 / 128])
        displacement = np.round(rng.uniform(-3, 3, (b, 2, h, w)) * 32) / 32 if displaced else np.zeros((b, 2, h, w))
        x, y = places(torch.from_numpy(transform), torch.from_numpy(displacement))
        beside = torch.cat([x.flatten(), y.flatten()]) * 2
        if (beside - beside.round()).abs().min() > 1e-3:
            return [random_values(rng, *shape), transform, *([displacement] if displaced else [])]


def places(transform, displacement):
    b, _, h, w = displacement.shape
    v, u = torch.meshgrid(torch.arange(h) - (h - 1) / 2, torch.arange(w) - (w - 1) / 2, indexing="ij")
    t = transform.reshape(b, 6, 1, 1)
    x = t[:, 0] * u + t[:, 1] * v + t[:, 2] + (w - 1) / 2 + displacement[:, 0]
    y = t[:, 3] * u + t[:, 4] * v + t[:, 5] + (h - 1) / 2 + displacement[:, 1]
    return x, y


def sample(fill, value, images, transform, displacement=None):
    b, h, w, _ = images.shape
    x, y = places(transform, torch.zeros(b, 2, h, w, dtype=images.dtype) if displacement is None else displacement)
    planes = images.permute(0, 3, 1, 2) - value
    padding = PADDING.get(fill, "zeros")
    if fill == "wrap":  # which torch has not: look at the middle of many copies
        copies = 9
        planes = planes.repeat(1, 1, copies, copies)
        x, y = x + copies // 2 * w, y + copies // 2 * h
        h, w = h * copies, w * copies
        assert 0 <= min(x.min(), y.min()) and x.max() < w - 1 and y.max() < h - 1
    grid = torch.stack([(2 * x + 1) / w - 1, (2 * y + 1) / h - 1], -1)
    return (F.grid_sample(planes, grid, padding_mode=padding, align_corners=False) + value).permute(0, 2, 3, 1).contiguous()


def gradient(warp, dout, images, transform, displacement=None):
    b, h, w, _ = images.shape
    images, moved = images.clone().requires_grad_(), torch.zeros(b, 2, h, w, dtype=images.dtype).requires_grad_()
    total = moved if displacement is None else moved + displacement
    return torch.autograd.grad(warp(images, transform, total), [images, moved], dout)
