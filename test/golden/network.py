"""Trains a network described in the files' JSON with torch's autograd. Knows nothing of particular networks or files."""
import torch
import torch.nn.functional as F

from philox import dropout_mask

ACTIVATIONS = {
    "relu": lambda x, o: torch.relu(x),
    "leakyRelu": lambda x, o: F.leaky_relu(x, o.get("slope", 0.01)),
    "elu": lambda x, o: F.elu(x, o.get("alpha", 1.0)),
    "sigmoid": lambda x, o: torch.sigmoid(x),
    "tanh": lambda x, o: torch.tanh(x),
    # F.softplus turns linear above 20, which is 2e-9 off there.
    "softplus": lambda x, o: torch.logaddexp(x, torch.zeros_like(x)),
    "swish": lambda x, o: F.silu(x),
    "gelu": lambda x, o: F.gelu(x),
    "softmax": lambda x, o: torch.softmax(x, -1),
}

# Every loss is a mean: over the rows for softmaxCrossEntropy, over all elements for the others.
LOSSES = {
    "softmaxCrossEntropy": F.cross_entropy,
    "sigmoidCrossEntropy": F.binary_cross_entropy_with_logits,
    "meanSquaredError": F.mse_loss,
    "meanAbsoluteError": F.l1_loss,
    "huber": F.huber_loss,
}


def initial_parameters(layers, width, generator):
    """Random weights, and random biases, gammas and betas too, so that none of them starts where it has no effect."""
    parameters = {}
    normal = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float32)
    for i, layer in enumerate(layers):
        name = f"layers.{i}."
        if layer["type"] == "dense":
            parameters[name + "weight"] = normal(width, layer["units"]) * (2 / width) ** 0.5
            width = layer["units"]
            if layer.get("useBias", True):
                parameters[name + "bias"] = normal(width) * 0.1
        elif layer["type"] == "batchNorm":
            parameters[name + "gamma"] = 1 + normal(width) * 0.1
            parameters[name + "beta"] = normal(width) * 0.1
            parameters[name + "runningMean"] = torch.zeros(width)
            parameters[name + "runningVariance"] = torch.ones(width)
    return parameters


def forward(layers, parameters, x, step=None):
    """Training when a step is given: batch statistics, which also move the running ones, and dropout. Else inference."""
    training = step is not None
    for i, layer in enumerate(layers):
        get = lambda key: parameters.get(f"layers.{i}.{key}")
        kind = layer["type"]
        if kind == "dense":
            x = x @ get("weight")
            if get("bias") is not None:
                x = x + get("bias")
            if "activation" in layer:
                x = ACTIVATIONS[layer["activation"]](x, layer)
        elif kind == "batchNorm":
            # torch's momentum is the share of the new batch, ours that of the old average.
            share, epsilon = 1 - layer.get("momentum", 0.9), layer.get("epsilon", 1e-5)
            x = F.batch_norm(x, get("runningMean"), get("runningVariance"), get("gamma"), get("beta"), training, share, epsilon)
        elif kind == "dropout":
            if training:
                mask = dropout_mask(tuple(x.shape), layer["rate"], layer["seed"], layer["stream"], step)
                x = x * torch.from_numpy(mask).to(x.dtype)
        else:
            x = ACTIVATIONS[kind](x, layer)
    return x


class DampedMomentum(torch.optim.Optimizer):
    """v = βv + (1-β)g from v = 0. torch's own dampening starts with v = g."""

    def __init__(self, parameters, lr, beta, nesterov):
        super().__init__(parameters, dict(lr=lr, beta=beta, nesterov=nesterov))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta = group["beta"]
            for p in group["params"]:
                velocity = self.state[p].setdefault("velocity", torch.zeros_like(p))
                velocity.mul_(beta).add_(p.grad, alpha=1 - beta)
                direction = beta * velocity + (1 - beta) * p.grad if group["nesterov"] else velocity
                p.sub_(direction, alpha=group["lr"])


def optimizer(options, parameters):
    lr, kind = options["learningRate"], options["type"]
    if kind == "sgd":
        return torch.optim.SGD(parameters, lr)
    if kind == "momentum":
        beta, nesterov = options.get("beta", 0.9), options.get("nesterov", False)
        if options.get("damped", True):
            return DampedMomentum(parameters, lr, beta, nesterov)
        return torch.optim.SGD(parameters, lr, momentum=beta, nesterov=nesterov)
    if kind == "rmsprop":
        return torch.optim.RMSprop(parameters, lr, alpha=options.get("rho", 0.9), eps=options.get("epsilon", 1e-8))
    moments = dict(betas=(options.get("beta1", 0.9), options.get("beta2", 0.999)), eps=options.get("epsilon", 1e-8))
    if kind == "adam":
        return torch.optim.Adam(parameters, lr, **moments)
    return torch.optim.AdamW(parameters, lr, weight_decay=options["weightDecay"], **moments)


@torch.no_grad()
def clip(options, parameters):
    """Clips the gradients in place; returns how much of them is left (1: nothing was clipped), as a ratio of norms."""
    norm = lambda: torch.sqrt(sum((p.grad**2).sum() for p in parameters))
    before = norm()
    for p in parameters:
        if "clipGlobalNorm" in options:
            # Exactly min(1, limit / norm): torch's clip_grad_norm_ adds 1e-6 to the norm.
            p.grad.mul_(torch.clamp(options["clipGlobalNorm"] / before, max=1))
        if "clipValue" in options:
            p.grad.clamp_(-options["clipValue"], options["clipValue"])
    return float(norm() / before)


def train(spec, initial, inputs, targets, dtype):
    """All steps of the network; returns losses, the state after the first and last step, and outputs in inference."""
    state = {name: value.to(dtype).clone() for name, value in initial.items()}
    trained = [state[name].requires_grad_() for name in state if "running" not in name]
    update = optimizer(spec["optimizer"], trained)
    convert = lambda x: x.to(dtype) if x.is_floating_point() else x.long()
    loss_of = LOSSES[spec["loss"]]
    losses, kept, snapshots = [], [], {}
    for step in range(inputs.shape[0]):
        update.zero_grad()
        loss = loss_of(forward(spec["layers"], state, convert(inputs[step]), step), convert(targets[step]))
        loss.backward()
        kept.append(clip(spec["optimizer"], trained))
        update.step()
        losses.append(loss.item())
        snapshots[step + 1] = {name: value.detach().clone() for name, value in state.items()}
    with torch.no_grad():
        outputs = forward(spec["layers"], state, convert(inputs[0]))
        inference = {"outputs": outputs, "loss": loss_of(outputs, convert(targets[0])).item()}
    return {"losses": losses, "first": snapshots[1], "last": snapshots[inputs.shape[0]], "inference": inference, "kept": kept}
