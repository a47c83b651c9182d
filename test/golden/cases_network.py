"""Cases of the fused network ops: dense, activations, softmax, batch norm, dropout and the random ops, losses, optimizers."""
import itertools

import numpy as np
import torch
import torch.nn.functional as F

import philox
from cases import random_values

zero = lambda x: torch.zeros_like(x)
ACTIVATIONS = {
    "linear": lambda x, slope: x * 1,
    "relu": lambda x, slope: torch.relu(x),
    "leakyRelu": lambda x, slope: F.leaky_relu(x, slope),
    "elu": lambda x, slope: F.elu(x, slope),
    "sigmoid": lambda x, slope: torch.sigmoid(x),
    "tanh": lambda x, slope: torch.tanh(x),
    # F.softplus turns linear above 20; F.gelu loses its digits left of -5 where 1 + erf cancels.
    "softplus": lambda x, slope: torch.logaddexp(x, zero(x)),
    "swish": lambda x, slope: F.silu(x),
    "gelu": lambda x, slope: 0.5 * x * torch.special.erfc(-x * 0.5**0.5),
}
FROM_OUTPUT = list(ACTIVATIONS)[:7]  # whose derivative follows from the output, so dense fuses them
SLOPES = {"leakyRelu": [0.01, 0.3], "elu": [1, 0.5]}
EDGES = [0.0, -0.0, 0.5, -0.5, 1, -1, 3, -3, 8, -8, 25, -25, 100, -100, 1 / 1024, -1 / 1024]


def rows(cases):
    rng = np.random.RandomState(2)
    values = lambda *shape: random_values(rng, *shape)
    dense(cases, values)
    activations(cases, values)
    softmaxes(cases, values)
    batch_norms(cases, values)
    randomness(cases, values)
    losses(cases, values)
    optimizers(cases, values)


def derivative(function, x):
    """(dout, ...) -> dx, by torch, at x rather than at what the op saved."""
    def gradient(dout, *_):
        leaf = torch.from_numpy(x).to(dout.dtype).requires_grad_()
        return torch.autograd.grad(function(leaf), leaf, dout)[0]
    return gradient


def output_of(function, x):
    return function(torch.from_numpy(x)).numpy()


def dense(cases, values):
    for kind, bias in itertools.product(FROM_OUTPUT, [True, False]):
        for slope in SLOPES.get(kind, [0]):
            shapes = [((3, 4), 5), ((1, 1), 1), ((2, 3, 2), 3)] if kind in ("linear", "relu") else [((3, 4), 5)]
            for shape, units in shapes:
                operands = [values(*shape), values(shape[-1], units), values(units)][: 3 if bias else 2]
                compute = lambda x, w, b=None: ACTIVATIONS[kind](x @ w if b is None else x @ w + b, slope)
                cases.add("dense", operands, compute, {"activation": kind, "slope": slope}, gradients=tuple(range(len(operands))))
    for kind in FROM_OUTPUT:
        for slope in SLOPES.get(kind, [0]):
            for shape in [(5, 3), (2, 3, 2)] if kind == "relu" else [(5, 3)]:
                z = values(*shape)
                function = lambda x: ACTIVATIONS[kind](x, slope)
                dz = derivative(function, z)
                both = lambda dout, output: (dz(dout), dz(dout).flatten(0, -2).sum(0))
                cases.add("denseGrad", [values(*shape), output_of(function, z)], both, {"activation": kind, "slope": slope})


def activations(cases, values):
    for kind, function in ACTIVATIONS.items():
        for slope in SLOPES.get(kind, [0]):
            attrs = {"kind": kind, "slope": slope}
            compute = lambda x: function(x, slope)
            for x in [np.array(EDGES), values(3, 1, 5), values()]:
                cases.add("activation", [x], compute, attrs, gradients=(0,))
                saved = output_of(compute, x) if kind in FROM_OUTPUT else x
                cases.add("activationGrad", [values(*x.shape), saved], derivative(compute, x), attrs)


def softmaxes(cases, values):
    large = np.array([[1000.0, 1001, 999], [-1000, -1001, -1002], [0, 0, 0], [0, -200, 200]])
    for name, function in {"softmax": lambda x: torch.softmax(x, -1), "logSoftmax": lambda x: torch.log_softmax(x, -1)}.items():
        for x in [values(5), values(3, 4), values(4, 1), values(2, 3, 3), values(1, 17), large]:
            cases.add(name, [x], function, gradients=(0,))
            cases.add(name + "Grad", [values(*x.shape), output_of(function, x)], derivative(function, x))


def batch_norms(cases, values):
    for shape, momentum, epsilon in [((5, 3), 0.9, 1e-5), ((2, 1), 0.9, 1e-5), ((7, 4), 0.5, 1e-3), ((3, 2, 5), 0.99, 1e-5), ((4, 1, 1, 2), 0.9, 0.1)]:
        c = shape[-1]
        x, gamma, beta, mean, variance = values(*shape), values(c), values(c), values(c), np.abs(values(c)) + 0.5
        rank = tuple(range(len(shape) - 1))

        def train(x, gamma, beta, mean, variance):
            flat, moved = x.reshape(-1, c), (mean.clone(), variance.clone())
            output = F.batch_norm(flat, *moved, gamma, beta, True, 1 - momentum, epsilon).reshape(shape)
            inverse = (x.var(rank, unbiased=False) + epsilon) ** -0.5
            return (output, x.mean(rank), inverse), {3: moved[0], 4: moved[1]}

        attrs = {"momentum": momentum, "epsilon": epsilon}
        cases.add("batchNorm", [x, gamma, beta, mean, variance], train, attrs, gradients=(0, 1, 2))
        infer = lambda x, gamma, beta, mean, variance: F.batch_norm(x.reshape(-1, c), mean, variance, gamma, beta, False, 0, epsilon).reshape(shape)
        cases.add("batchNormInference", [x, gamma, beta, mean, variance], infer, {"epsilon": epsilon}, gradients=(0, 1, 2))

        def gradient(dout, x, gamma, batch_mean, inverse):
            leaves = [t.clone().requires_grad_() for t in (x, gamma, torch.zeros_like(gamma))]
            output = F.batch_norm(leaves[0].reshape(-1, c), None, None, leaves[1], leaves[2], True, 0, epsilon).reshape(shape)
            return torch.autograd.grad(output, leaves, dout)

        inverse = (x.var(rank) + epsilon) ** -0.5
        cases.add("batchNormGrad", [values(*shape), x, gamma, x.mean(rank), inverse], gradient)


def randomness(cases, values):
    scalar = lambda step: np.array(step, dtype=np.int32)
    for shape, rate, seed, stream, step in [
        ((3, 67), 0.5, 1, 0, 0), ((17,), 0.5, 1, 0, 1), ((9, 1), 0.2, 2**40 + 12345, 3, 7), ((129,), 0.1, 0, 1, 2), ((2, 3), 0, 5, 0, 0), ((17,), 0.99, 2**53 - 1, 2**31 - 1, 2**31 - 1),
    ]:
        attrs = {"rate": rate, "seed": seed, "stream": stream}
        mask = philox.dropout_mask(shape, rate, seed, stream, step)
        drop = lambda x, counter: x * torch.from_numpy(mask).to(x.dtype)
        cases.add("dropout", [values(*shape), scalar(step)], drop, attrs, gradients=(0,))
    cases.add("tick", [scalar(0)], lambda counter: ((counter.clone(),), {0: counter + 1}))
    cases.add("tick", [scalar(41)], lambda counter: ((counter.clone(),), {0: counter + 1}))
    for shape, a, b, seed, stream, step in [((65,), 0, 1, 1, 0, 0), ((2, 3), -2, 3, 2**40 + 12345, 3, 7), ((17,), 0, 1, 2**53 - 1, 9, 2**31 - 1), ((), 0, 1, 4, 0, None)]:
        counter = [] if step is None else [scalar(step)]
        for op, draw, names in [("randomUniform", philox.uniform, ("low", "high")), ("randomNormal", philox.normal, ("mean", "deviation"))]:
            drawn = draw(shape, a, b, seed, stream, step or 0)
            attrs = {"shape": list(shape), names[0]: a, names[1]: b, "seed": seed, "stream": stream, "dtype": "float64"}
            cases.add(op, counter, lambda *_: torch.from_numpy(np.asarray(drawn)), attrs)


def losses(cases, values):
    soft = np.array([[0.25, 0.5, 0.25, 0], [1, 0, 0, 0], [0.125, 0.125, 0.125, 0.625]])
    large = np.array([[1000.0, 0, -1000, 1], [-500, -501, -502, -503], [0, 0, 0, 0]])
    for x, labels in [
        (values(3, 4), np.array([3, 0, 1], dtype=np.int32)), (values(3, 4), soft), (values(1, 1), np.array([0], dtype=np.int32)),
        (values(3, 17), np.array([16, 0, 8], dtype=np.int32)), (large, np.array([0, 3, 2], dtype=np.int32)), (large, soft),
        (large, np.array([1, 0, 1], dtype=np.int32)),
    ]:
        def loss(x, labels):
            target = labels if labels.is_floating_point() else F.one_hot(labels.long(), x.shape[1]).to(x.dtype)
            return -(target * torch.log_softmax(x, -1)).sum(-1), torch.softmax(x, -1)
        cases.add("softmaxCrossEntropy", [x, labels], loss, gradients=(0,))
        probabilities = output_of(lambda t: torch.softmax(t, -1), x)
        at = lambda t: loss(t, torch.from_numpy(labels).to(t.dtype) if labels.dtype == np.float64 else torch.from_numpy(labels))[0]
        cases.add("softmaxCrossEntropyGrad", [values(x.shape[0]), probabilities, labels], derivative(at, x))
    for x, targets in [(values(3, 4), np.array([[0.0, 1, 1, 0]] * 3)), (values(5, 1), np.abs(values(5, 1)) / 4), (np.array(EDGES + [1000, -1000.0]), np.array([0.0, 1, 1] * 6))]:
        loss = lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none")
        cases.add("sigmoidCrossEntropy", [x, targets], loss, gradients=(0,))
        at = lambda t: loss(t, torch.from_numpy(targets).to(t.dtype))
        cases.add("sigmoidCrossEntropyGrad", [values(*x.shape), x, targets], derivative(at, x))


def optimizers(cases, values):
    def stepped(make, p, g, state):
        """One step of torch's own optimizer from a given state; what it left of parameter and state."""
        parameter = p.clone().requires_grad_()
        parameter.grad = g.clone()
        optimizer = make([parameter])
        if state:
            optimizer.state[parameter] = {k: v.clone() if torch.is_tensor(v) else v for k, v in state.items()}
        optimizer.step()
        return parameter.detach(), optimizer.state[parameter]

    rate = np.array(0.1)
    for shape in [(7,), (3, 5), ()]:
        sgd = lambda p, g, lr: ((), {0: stepped(lambda x: torch.optim.SGD(x, lr.item()), p, g, None)[0]})
        cases.add("sgd", [values(*shape), values(*shape), rate], sgd, fixed=(2,))
        for beta, damped, nesterov in [(0.9, True, False), (0.9, False, False), (0.5, False, True), (0.9, True, True)]:
            def momentum(p, g, v, lr):
                if damped and nesterov:  # a form torch does not have
                    v = beta * v + (1 - beta) * g
                    return (), {0: p - lr.item() * (beta * v + (1 - beta) * g), 2: v}
                make = lambda x: torch.optim.SGD(x, lr.item(), momentum=beta, dampening=beta if damped else 0, nesterov=nesterov)
                p, state = stepped(make, p, g, {"momentum_buffer": v})
                return (), {0: p, 2: state["momentum_buffer"]}
            attrs = {"beta": beta, "damped": damped, "nesterov": nesterov}
            cases.add("momentum", [values(*shape), values(*shape), values(*shape), rate], momentum, attrs, fixed=(3,))
        for rho, epsilon in [(0.9, 1e-8), (0.5, 0.25)]:
            def rmsprop(p, g, s, lr):
                make = lambda x: torch.optim.RMSprop(x, lr.item(), alpha=rho, eps=epsilon)
                p, state = stepped(make, p, g, {"step": 3, "square_avg": s})
                return (), {0: p, 2: state["square_avg"]}
            cases.add("rmsprop", [values(*shape), values(*shape), np.abs(values(*shape)), rate], rmsprop, {"rho": rho, "epsilon": epsilon}, fixed=(3,))
        for step, decay, beta1, beta2, epsilon in [(0, 0, 0.9, 0.999, 1e-8), (9, 0, 0.9, 0.999, 1e-8), (9, 0.01, 0.9, 0.999, 1e-8), (2, 0.5, 0.5, 0.75, 0.125), (100000, 0, 0.9, 0.999, 1e-8)]:
            def adam(p, g, m, v, lr, count):
                make = lambda x: torch.optim.AdamW(x, lr.item(), (beta1, beta2), epsilon, weight_decay=decay)
                state = {"step": count.float().clone(), "exp_avg": m, "exp_avg_sq": v}
                p, state = stepped(make, p, g, state)
                return (), {0: p, 2: state["exp_avg"], 3: state["exp_avg_sq"]}
            moments = [values(*shape) * 0, values(*shape) * 0] if step == 0 else [values(*shape), np.abs(values(*shape))]
            attrs = {"beta1": beta1, "beta2": beta2, "epsilon": epsilon, "weightDecay": decay}
            operands = [values(*shape), values(*shape), *moments, rate, np.array(step, dtype=np.int32)]
            cases.add("adam", operands, adam, attrs, fixed=(4,))
    late_optimizers(cases, values, stepped)
    cases.add("assertFinite", [np.array([0.0, -0.0, 1e30, -1e-30])], lambda x: ())


def late_optimizers(cases, values, stepped):
    rate = np.array(0.1)
    for shape in [(7,), (3, 5), ()]:
        for epsilon in [1e-10, 0.25]:
            def adagrad(p, g, s, lr):
                p, state = stepped(lambda x: torch.optim.Adagrad(x, lr.item(), eps=epsilon), p, g, {"step": torch.tensor(3.0), "sum": s})
                return (), {0: p, 2: state["sum"]}
            cases.add("adagrad", [values(*shape), values(*shape), np.abs(values(*shape)), rate], adagrad, {"epsilon": epsilon}, fixed=(3,))
        for step, psi, beta1, beta2, epsilon in [(0, 0.004, 0.9, 0.999, 1e-8), (9, 0.004, 0.9, 0.999, 1e-8), (2, 0.5, 0.5, 0.75, 0.125), (30, 0, 0.9, 0.99, 1e-8), (3000, 0.004, 0.999, 0.999, 1e-8)]:
            def nadam(p, g, m, v, lr, count):  # foreach: in 1.13 the other way multiplies by one mu too many (later put right)
                before = np.prod([beta1 * (1 - 0.5 * 0.96 ** (i * psi)) for i in range(1, int(count) + 1)])
                state = {"step": count.float().clone(), "mu_product": torch.tensor(before, dtype=torch.float64), "exp_avg": m, "exp_avg_sq": v}
                p, state = stepped(lambda x: torch.optim.NAdam(x, lr.item(), (beta1, beta2), epsilon, momentum_decay=psi, foreach=True), p, g, state)
                return (), {0: p, 2: state["exp_avg"], 3: state["exp_avg_sq"]}
            moments = [values(*shape) * 0, values(*shape) * 0] if step == 0 else [values(*shape), np.abs(values(*shape))]
            attrs = {"beta1": beta1, "beta2": beta2, "epsilon": epsilon, "momentumDecay": psi}
            cases.add("nadam", [values(*shape), values(*shape), *moments, rate, np.array(step, dtype=np.int32)], nadam, attrs, fixed=(4,))
        for beta1, beta2, decay in [(0.9, 0.99, 0), (0.5, 0.75, 0.1)]:
            def lion(p, g, m, lr):  # which torch does not have: Chen et al., 2023, algorithm 2
                p = p - lr.item() * (torch.sign(beta1 * m + (1 - beta1) * g) + decay * p)
                return (), {0: p, 2: beta2 * m + (1 - beta2) * g}
            cases.add("lion", [values(*shape), values(*shape), values(*shape), rate], lion, {"beta1": beta1, "beta2": beta2, "weightDecay": decay}, fixed=(3,))
    for shape in [(7,), (3, 5), ()]:
        cases.add("lerp", [values(*shape), values(*shape), rate], lambda t, s, share: ((), {0: torch.lerp(t, s, share.item())}), fixed=(2,))
