"""Cases of the elementwise, broadcasting, reducing, shape-changing and gathering ops, and of matmul and gemm."""
import itertools

import numpy as np
import torch

from cases import random_values

EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1e4, -1e4, 30.0, -30.0, 1 / 1024, -1 / 1024, 3.25]
BROADCASTS = [
    [(2, 3), (2, 3)], [(3, 1), (1, 4)], [(2, 2, 3), (3,)], [(), (3,)], [(2, 1, 2), (3, 1)], [(5,), (1,)], [(3,), (2, 3)],
    [(0, 3), (3,)], [(1, 1), (3, 5)],
]
AXES = [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]


def rows(cases):
    rng = np.random.RandomState(1)
    values = lambda *shape: random_values(rng, *shape)
    products(cases, values)
    broadcasting(cases, values)
    unary(cases, values)
    reductions(cases, values)
    views(cases, values)
    indexing(cases, values)
    for shape in [(7,), (2, 3), ()]:
        cases.add("addScaled", [values(*shape), values(*shape), np.array(-0.75)], lambda a, b, scale: a + b * scale, gradients=(0, 1, 2))


def products(cases, values):
    side = lambda a, transpose: a.T if transpose else a
    for m, n, k in [(2, 3, 4), (1, 1, 1), (3, 1, 5), (1, 4, 2), (2, 3, 0), (0, 3, 2)]:
        for ta, tb in itertools.product([False, True], repeat=2):
            a, b = values(*((k, m) if ta else (m, k))), values(*((n, k) if tb else (k, n)))
            flags = {"transposeA": ta, "transposeB": tb}
            cases.add("matmul", [a, b], lambda a, b: side(a, ta) @ side(b, tb), flags, gradients=(0, 1))
            for alpha, beta in [(1, 0), (0.5, 1), (-2, 0.25)]:
                if (m, n, k) in [(2, 3, 4), (2, 3, 0)]:
                    c = values(m, n) if beta else np.full((m, n), np.nan)  # which must not be read
                    update = lambda a, b, c: ((), {2: alpha * (side(a, ta) @ side(b, tb)) + (beta * c if beta else 0)})
                    cases.add("gemm", [a, b, c], update, {**flags, "alpha": alpha, "beta": beta})


def broadcasting(cases, values):
    ops = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "maximum": torch.maximum, "minimum": torch.minimum}
    away = lambda x: np.where(np.abs(x) < 0.25, x + 1, x)  # from zero, where a quotient explodes
    for op, function in ops.items():
        for left, right in BROADCASTS:
            a, b = values(*left), values(*right)
            cases.add(op, [a, away(b) if op == "div" else b], function, gradients=(0, 1))
        a, b = np.array(EDGES), np.array([x if x else 2.0 for x in reversed(EDGES)])
        cases.add(op, [a, b], function, gradients=(0, 1))
    cases.add("add", [values(2, 1, 2, 1, 2, 1), values(1, 2, 1, 2, 1, 2)], torch.add, gradients=(0, 1), note="rank 6")
    ties = [np.array([1.0, 2, -1, 0, 5]), np.array([1.0, 1, -1, 0, 6])]
    for op in ["maximum", "minimum"]:
        cases.add(op, ties, ops[op], gradients=(0, 1), note="equal operands share the gradient equally")
    cases.add("div", [np.array([1.0, -1, 0, 3]), np.array([0.0, 0, 0, -0.0])], torch.div, note="division by zero")

    for left, right in BROADCASTS:
        cases.add("pow", [np.abs(values(*left)) + 0.25, values(*right)], torch.pow, gradients=(0, 1))
    cases.add("pow", [np.array([0.0, 0, 0, 1, 2, 2]), np.array([0.0, 1, 2, 0, 0, -1])], torch.pow, gradients=(0, 1), note="zero to a power: no NaN in either gradient")
    cases.add("pow", [np.array([-2.0, -2, -0.5, -1]), np.array([3.0, 2, 1, 0])], torch.pow, gradients=(0,), note="negative base, whole exponent")
    cases.add("pow", [np.array([-2.0, 0, 16]), np.array([0.5, -1, 0.5])], torch.pow, note="no real result, a pole, a root")

    compared = [np.array([1.0, 2, -1, 0.0, -0.0, 1e4]), np.array([1.0, 3, -2, -0.0, 0.5, 1e4])]
    comparisons = {"equal": torch.eq, "greater": torch.gt, "greaterEqual": torch.ge}
    for op, function in comparisons.items():
        as_float = lambda a, b: function(a, b).to(a.dtype)
        cases.add(op, compared, as_float)
        cases.add(op, [np.array([[1.0], [2], [3]]), np.array([1.0, 2, 3])], as_float)
    integers = [np.array([3, -1, 2, 0], dtype=np.int32), np.array([3, 1, 2, 2], dtype=np.int32)]
    cases.add("equal", integers, lambda a, b: torch.eq(a, b).float(), note="int32 operands give float32")
    condition = np.array([[1.0, 0, 1], [0, 0, 1]])
    select = lambda condition, a, b: torch.where(condition != 0, a, b)
    cases.add("select", [condition, values(2, 3), values(2, 3)], select, gradients=(1, 2))
    cases.add("select", [condition[0], np.array([1.0, np.nan, np.inf]), np.array([np.nan, 2, 3])], select, note="what is not selected does not matter")


def unary(cases, values):
    edges = np.array(EDGES)
    cases.add("neg", [edges], torch.neg, gradients=(0,))
    cases.add("square", [edges], torch.square, gradients=(0,))
    cases.add("abs", [edges], torch.abs, gradients=(0,))
    cases.add("sign", [edges], torch.sign)
    small = np.array([0.0, -0.0, 1, -1, 10, -10, 80, -80, 1 / 1024, 0.5])
    cases.add("exp", [small], torch.exp, gradients=(0,), scale=0)
    cases.add("exp", [np.array([800.0, -800])], torch.exp, scale=0)
    positive = np.array([1.0, 2, 0.5, 1e4, 1 / 1024, 3.25])
    cases.add("log", [positive], torch.log, gradients=(0,), scale=0)
    cases.add("log", [np.array([0.0, -1])], torch.log)
    cases.add("sqrt", [positive], torch.sqrt, gradients=(0,), scale=0)
    cases.add("sqrt", [np.array([0.0, 4, -1])], torch.sqrt)
    for op in ["neg", "square", "abs", "exp"]:
        cases.add(op, [values(3, 1, 5)], getattr(torch, op), gradients=(0,))
    for low, high in [(-1, 1), (0, 6), (-0.5, 0.25)]:
        cases.add("clip", [np.append(values(11), [low, high])], lambda x: torch.clamp(x, low, high), {"min": low, "max": high}, gradients=(0,), note="the bounds themselves pass the gradient on")
    empty = np.zeros((0, 2))
    for op in ["neg", "exp", "abs"]:
        cases.add(op, [empty], getattr(torch, op), gradients=(0,))


def reductions(cases, values):
    reduce = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}
    for op, function in reduce.items():
        shaped = [((2, 3, 4), axes) for axes in AXES] + [((5,), [0]), ((1, 7), [1]), ((7, 1), [0]), ((2, 1, 3, 2, 1, 2), [1, 3, 5])]
        for shape, axes in shaped:
            for keep in [False, True] if len(shape) != 3 else [(len(op) + len(axes)) % 2 == 0]:
                attrs = {"axes": axes, "keepDims": keep}
                cases.add(op, [values(*shape)], lambda x: function(x, axes, keepdim=keep), attrs, gradients=(0,))
    for axes in [[0], [1]]:
        attrs = {"axes": axes, "keepDims": False}
        cases.add("sum", [np.zeros((0, 3))], lambda x: x.sum(axes), attrs, gradients=(0,), note="nothing to add")
        tied = np.array([[2.0, -1, 2, 2], [-1, -1, -3, 2], [2.0, -1, 0, 2]])
        cases.add("max", [tied], lambda x: torch.amax(x, axes), attrs, gradients=(0,), note="ties share the gradient equally")
    tied = np.array([[1.0, 3, 3], [2, 2, 2]])
    for axes, keep in [([1], False), ([0], True), ([0, 1], False)]:
        leaf = torch.tensor(tied, requires_grad=True)
        output = torch.amax(leaf, axes, keepdim=keep)
        dout = values(*output.shape)
        def gradient(dout, x, _):
            x = x.clone().requires_grad_()
            return torch.autograd.grad(torch.amax(x, axes, keepdim=keep), x, dout)[0]
        cases.add("maxGrad", [dout, tied, output.detach().numpy()], gradient, {"axes": axes, "keepDims": keep})
    for shape in [(), (1,), (7,), (3, 5), (2, 3, 4), (0,)]:
        cases.add("squaredNorm", [values(*shape)], lambda x: (x * x).sum(), gradients=(0,))
    first = lambda x, axis: torch.from_numpy(np.argmax(x.numpy(), axis).astype(np.int32))
    for axis in [0, 1, 2]:
        cases.add("argmax", [values(2, 3, 4)], lambda x: first(x, axis), {"axis": axis})
    for axis in [0, 1]:
        cases.add("argmax", [np.array([[1.0, 5, 5], [1, 5, 2], [0, 0, 5]])], lambda x: first(x, axis), {"axis": axis}, note="the first of ties")


def views(cases, values):
    for shape, to in [((3,), (2, 3)), ((2, 1), (2, 4)), ((), (2, 2)), ((1, 3, 1), (2, 3, 2)), ((2, 3), (2, 3)), ((1,), (0,))]:
        cases.add("broadcastTo", [values(*shape)], lambda x: x.expand(to).clone(), {"shape": list(to)}, gradients=(0,))
    perms = [((3,), [0]), ((2, 3), [0, 1]), ((2, 3), [1, 0]), *(((2, 3, 4), list(p)) for p in itertools.permutations(range(3)))]
    perms += [((2, 3, 1, 4), [3, 1, 0, 2]), ((2, 3, 2, 1), [0, 2, 1, 3]), ((1, 2, 1, 3, 2, 2), [5, 3, 1, 0, 2, 4])]
    for shape, perm in perms:
        cases.add("transpose", [values(*shape)], lambda x: x.permute(perm).contiguous(), {"perm": perm}, gradients=(0,))
    for shape, begin, size in [((5,), [1], [3]), ((4, 5), [1, 2], [2, 3]), ((4, 5), [0, 0], [4, 5]), ((2, 3, 4), [1, 0, 3], [1, 2, 1]), ((3, 2), [3, 0], [0, 2])]:
        window = tuple(slice(b, b + s) for b, s in zip(begin, size))
        cases.add("slice", [values(*shape)], lambda x: x[window].clone(), {"begin": begin, "size": size}, gradients=(0,))
    for shape, begin, to in [((3,), [1], (5,)), ((2, 3), [1, 2], (4, 5)), ((2, 3), [0, 0], (2, 3)), ((1, 2, 1), [1, 0, 3], (2, 3, 4))]:
        def pad(x):
            window = tuple(slice(b, b + s) for b, s in zip(begin, shape))
            return torch.zeros(to, dtype=x.dtype).index_put(tuple(torch.meshgrid(*[torch.arange(w.start, w.stop) for w in window], indexing="ij")), x)
        cases.add("pad", [values(*shape)], pad, {"begin": begin, "shape": list(to)}, gradients=(0,))
    for shapes, axis in [([(2,), (3,)], 0), ([(2, 3), (1, 3), (4, 3)], 0), ([(2, 3), (2, 1)], 1), ([(2, 1, 2), (2, 3, 2)], 1), ([(2, 3)], 1), ([(0, 2), (1, 2)], 0)]:
        join = lambda *x: torch.cat(x, axis)
        cases.add("concat", [values(*s) for s in shapes], join, {"axis": axis}, gradients=tuple(range(len(shapes))))
    for shape, to in [((2, 6), [3, 4]), ((2, 3), [6]), ((1,), []), ((4,), [2, 1, 2])]:
        cases.add("reshape", [values(*shape)], lambda x: x.reshape(to).clone(), {"shape": to}, gradients=(0,))


def indexing(cases, values):
    repeated, one, none = (np.array(x, dtype=np.int32) for x in ([3, 0, 3, 1, 3], [2], []))
    for shape, indices in [((4, 3), repeated), ((4,), repeated), ((4, 2, 3), repeated), ((4, 3), one), ((4, 3), none)]:
        take = lambda source, indices: source[indices.long()]
        cases.add("gather", [values(*shape), indices], take, {"dtype": "float64"}, gradients=(0,))
        dout = values(len(indices), *shape[1:])
        scatter = lambda dout, indices: torch.zeros(shape, dtype=dout.dtype).index_add(0, indices.long(), dout)
        cases.add("gatherGrad", [dout, indices], scatter, {"rows": shape[0]})
    pixels = np.array([[0, 255, 7], [128, 1, 2], [9, 8, 7]], dtype=np.uint8)
    cases.add("gather", [pixels, np.array([2, 0, 2], dtype=np.int32)], lambda x, i: x[i.long()].float(), {"dtype": "float32"}, note="uint8 rows become floats")
    labels = np.array([7, 3, 9], dtype=np.int32)
    cases.add("gather", [labels, np.array([2, 2, 1], dtype=np.int32)], lambda x, i: x[i.long()], {"dtype": "int32"})
    cases.add("cast", [np.array([0.0, 1.75, -1.75, 200, 2.5])], lambda x: x.int(), {"dtype": "int32"}, note="towards zero")
    cases.add("cast", [np.array([0.0, 1.75, 255])], lambda x: x.byte(), {"dtype": "uint8"})
    cases.add("cast", [np.array([0.1, -0.5, 1e4])], lambda x: x.float(), {"dtype": "float32"}, float32=False)
    cases.add("cast", [np.array([-3, 0, 70000], dtype=np.int32)], lambda x: x.double(), {"dtype": "float64"})
    cases.add("cast", [pixels], lambda x: x.float(), {"dtype": "float32"})
    cases.add("assign", [values(2, 3), values(2, 3)], lambda target, source: ((), {0: source}))
