"""TensorFlow as a peer: `tensorflow_peer.py step`, the whole step one tf.function compiled by XLA."""

import tensorflow as tf

import peer

tf.config.threading.set_intra_op_parallelism_threads(peer.THREADS)
tf.config.threading.set_inter_op_parallelism_threads(1)
tf.random.set_seed(1)


def variables(case):
    """One dict per dense layer; `bias` is batch norm's beta where that follows."""
    layers = []
    for i, weight in enumerate(peer.weights(case)):
        units = weight.shape[1]
        layer = {"weight": tf.Variable(weight), "bias": tf.Variable(tf.zeros(units))}
        if case["normalized"] and i < len(case["widths"]) - 2:
            layer["gamma"] = tf.Variable(tf.ones(units))
            layer["mean"] = tf.Variable(tf.zeros(units), trainable=False)
            layer["variance"] = tf.Variable(tf.ones(units), trainable=False)
        layers.append(layer)
    return layers


def forward(layers, x):
    for layer in layers:
        x = x @ layer["weight"]
        if "gamma" in layer:
            mean, variance = tf.nn.moments(x, [0])
            x = (x - mean) * tf.math.rsqrt(variance + 1e-5) * layer["gamma"]
            rows = tf.cast(tf.shape(x)[0], tf.float32)
            layer["mean"].assign(0.9 * layer["mean"] + 0.1 * mean)
            layer["variance"].assign(0.9 * layer["variance"] + 0.1 * variance * rows / (rows - 1))
        x = x + layer["bias"]
        if layer is not layers[-1]:
            x = tf.nn.relu(x)
        if "gamma" in layer:
            x = tf.nn.dropout(x, 0.2)
    return x


def adam(parameters):
    moments = [(tf.Variable(tf.zeros_like(p)), tf.Variable(tf.zeros_like(p))) for p in parameters]
    steps = tf.Variable(0.0)

    def update(gradients):
        t = steps.assign_add(1.0)
        for p, g, (m, v) in zip(parameters, gradients, moments):
            m.assign(0.9 * m + 0.1 * g)
            v.assign(0.999 * v + 0.001 * g * g)
            p.assign_sub(1e-3 * (m / (1 - 0.9**t)) / (tf.sqrt(v / (1 - 0.999**t)) + 1e-8))

    return update


def momentum(parameters):
    velocities = [tf.Variable(tf.zeros_like(p)) for p in parameters]

    def update(gradients):
        for p, g, v in zip(parameters, gradients, velocities):
            p.assign_sub(0.01 * v.assign(0.9 * v + g))

    return update


def step(case):
    layers = variables(case)
    parameters = [v for layer in layers for v in layer.values() if v.trainable]
    update = (adam if case["optimizer"] == "adam" else momentum)(parameters)
    inputs, labels = ([tf.constant(batch) for batch in batches] for batches in peer.batches(case))
    total = tf.Variable(0.0)

    @tf.function(jit_compile=True)
    def one(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, forward(layers, x)))
        update(tape.gradient(loss, parameters))
        total.assign_add(loss)

    def train(first, count):
        total.assign(0.0)
        for i in range(first, first + count):
            one(inputs[i], labels[i])
        return float(total)

    return peer.training(case, train)


peer.serve(tf.__version__, step)
