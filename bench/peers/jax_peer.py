"""JAX as a peer: `jax_peer.py step|infer`, the whole step jitted, its state donated."""

from functools import partial

import jax
import jax.numpy as np

import peer


def initial(case):
    """What training changes: parameters, the optimizer's moments, running averages, step count, random key, summed loss."""
    parameters, running = [], []
    for i, weight in enumerate(peer.weights(case)):
        units = weight.shape[1]
        layer = {"weight": np.asarray(weight), "bias": np.zeros(units)}  # the bias is batch norm's beta where that follows
        if case["normalized"] and i < len(case["widths"]) - 2:
            layer["gamma"] = np.ones(units)
            running.append((np.zeros(units), np.ones(units)))
        parameters.append(layer)
    zeros = lambda: jax.tree.map(np.zeros_like, parameters)
    moments = (zeros(), zeros()) if case["optimizer"] == "adam" else (zeros(),)
    return parameters, moments, running, np.zeros((), np.int32), jax.random.key(1), np.zeros(())


def forward(parameters, running, key, x):
    """Logits and the new running averages, in training."""
    averages = []
    for i, layer in enumerate(parameters):
        x = x @ layer["weight"]
        if "gamma" in layer:
            mean, variance = x.mean(0), x.var(0)
            x = (x - mean) * jax.lax.rsqrt(variance + 1e-5) * layer["gamma"]
            unbiased = variance * (x.shape[0] / (x.shape[0] - 1))
            averages.append(jax.tree.map(lambda old, new: 0.9 * old + 0.1 * new, running[i], (mean, unbiased)))
        x = x + layer["bias"]
        if i < len(parameters) - 1:
            x = jax.nn.relu(x)
        if "gamma" in layer:
            kept = jax.random.bernoulli(jax.random.fold_in(key, i), 0.8, x.shape)
            x = np.where(kept, x / 0.8, 0)
    return x, averages


def cost(parameters, running, key, x, y):
    logits, averages = forward(parameters, running, key, x)
    return -np.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean(), averages


def adam(parameters, gradients, moments, t):
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], gradients)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, moments[1], gradients)
    update = lambda p, m, v: p - 1e-3 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return jax.tree.map(update, parameters, m, v), (m, v)


def momentum(parameters, gradients, moments, _):
    velocity = jax.tree.map(lambda v, g: 0.9 * v + g, moments[0], gradients)
    return jax.tree.map(lambda p, v: p - 0.01 * v, parameters, velocity), (velocity,)


@partial(jax.jit, static_argnums=0, donate_argnums=1)
def update(optimizer, state, x, y):
    parameters, moments, running, count, key, total = state
    key, mask = jax.random.split(key) if running else (key, key)
    (loss, running), gradients = jax.value_and_grad(cost, has_aux=True)(parameters, running, mask, x, y)
    parameters, moments = optimizer(parameters, gradients, moments, (count + 1).astype(np.float32))
    return parameters, moments, running, count + 1, key, total + loss


def step(case):
    optimizer = adam if case["optimizer"] == "adam" else momentum
    inputs, labels = ([np.asarray(batch) for batch in batches] for batches in peer.batches(case))
    state = initial(case)

    def train(first, count):
        nonlocal state
        state = (*state[:-1], np.zeros(()))
        for i in range(first, first + count):
            state = update(optimizer, state, inputs[i], labels[i])
        return float(state[-1])

    return peer.training(case, train)


def infer(case):
    parameters = initial(case)[0]
    model = jax.jit(lambda parameters, x: jax.nn.softmax(forward(parameters, (), None, x)[0]))
    return peer.prediction(case, lambda images: jax.device_get(model(parameters, images)))


peer.serve(jax.__version__, {"step": step, "infer": infer}[peer.SUITE])
