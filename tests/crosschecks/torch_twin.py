"""A nnlite model's twin in PyTorch, made from its configuration and weights alone.

Only the conventions of Keras that PyTorch does not have are written by hand: the asymmetric "same" padding,
the moving statistics (biased variance, momentum on the old value), Adam's epsilon, clipping.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from nnlite import Sequential

ACTIVATIONS = {
    "linear": lambda z: z,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": lambda z: F.softplus(z, threshold=700),  # PyTorch rounds to z from 20 on, an error of 2e-9
    "leaky_relu": lambda z: F.leaky_relu(z, 0.2),
    "elu": F.elu,
    "silu": F.silu,
    "gelu": F.gelu,
    "softmax": lambda z: torch.softmax(z, -1),
}


class Twin:
    """The same layers, weights and moving statistics, as tensors of the model's dtype.

    params, state   one tensor a weight, in the model's order
    """

    def __init__(self, model: Sequential, loss: str, optimizer: dict[str, Any]) -> None:
        self.layers = model.get_config()["layers"]
        self.loss_name, self.dtype = loss, torch.from_numpy(model.params).dtype
        weights = [
            [(w.name, torch.tensor(w.value), w.trainable) for w in layer.weights] for layer in model.layers
        ]
        self.weights = [{name: value for name, value, _ in layer} for layer in weights]
        self.params = [value.requires_grad_() for layer in weights for _, value, trained in layer if trained]
        self.state = [value for layer in weights for _, value, trained in layer if not trained]
        self.step = UPDATES[optimizer["name"]](self.params, optimizer)

    def forward(self, x: Tensor, training: bool, logits: bool) -> Tensor:
        """Outputs (N, ...); in training the moving statistics move."""
        for index, (layer, weights) in enumerate(zip(self.layers, self.weights)):
            x = one_layer(layer, weights, x, training, not (logits and index == len(self.layers) - 1))
        return x

    @property
    def from_logits(self) -> bool:
        """Is the loss taken before the last activation?"""
        last = self.layers[-1]["config"].get("activation")
        pairs = {"categorical_crossentropy": "softmax", "binary_crossentropy": "sigmoid"}
        return last is not None and pairs.get(self.loss_name) == last

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The loss with the regularizers' penalties."""
        return LOSSES[self.loss_name, self.from_logits](output, target) + self.penalty()

    def penalty(self) -> Tensor:
        total = torch.zeros((), dtype=self.dtype)
        pairs = zip(self.layers, self.weights)
        for layer, weights in (leaf for pair in pairs for leaf in leaves(*pair)):
            for name in ("kernel", "bias"):
                told = layer["config"].get(f"{name}_regularizer")
                if told is not None and name in weights:
                    w = weights[name]
                    total = total + told.get("l1", 0) * w.abs().sum() + told.get("l2", 0) * w.square().sum()
        return total

    def gradients(self, x: np.ndarray, y: np.ndarray) -> tuple[Tensor, float, Tensor, list[Tensor]]:
        """(output, loss, dL/dx without the penalties' part, which is none, dL/dparams) of a training pass."""
        inputs = torch.tensor(x).to(self.dtype).requires_grad_()
        output = self.forward(inputs, True, self.from_logits)
        loss = self.loss(output, torch.tensor(y))
        dx, *grads = torch.autograd.grad(loss, [inputs, *self.params], materialize_grads=True)
        return output.detach(), loss.item(), dx, grads

    def train(self, x: np.ndarray, y: np.ndarray) -> float:
        """One optimizer step; the loss before it."""
        _, loss, _, grads = self.gradients(x, y)
        with torch.no_grad():
            self.step(grads)
        return loss


Weights = dict[str, Tensor]


def one_layer(layer: dict[str, Any], weights: Weights, x: Tensor, training: bool, activate: bool) -> Tensor:
    config = layer["config"]
    if layer["class"] == "Residual":
        fx = x
        for inner, own in inside(layer, weights):
            fx = one_layer(inner, own, fx, training, True)
        return x + fx
    if layer["class"] == "BatchNormalization":
        x = normalise(x, weights, config, training)
    else:
        x = LAYERS[layer["class"]](x, weights, config)
    return ACTIVATIONS[config["activation"]](x) if "activation" in config and activate else x


def inside(layer: dict[str, Any], weights: Weights) -> list[tuple[dict[str, Any], Weights]]:
    """The layers of a Residual, each with its weights."""
    found = []
    for inner in layer["config"]["layers"]:
        prefix = inner["config"]["name"] + "/"
        own = {name.removeprefix(prefix): w for name, w in weights.items() if name.startswith(prefix)}
        found.append((inner, own))
    return found


def leaves(layer: dict[str, Any], weights: Weights) -> list[tuple[dict[str, Any], Weights]]:
    """The layer itself, or all that stand in it."""
    if layer["class"] != "Residual":
        return [(layer, weights)]
    return [leaf for pair in inside(layer, weights) for leaf in leaves(*pair)]


def dense(x: Tensor, weights: dict[str, Tensor], config: dict[str, Any]) -> Tensor:
    return F.linear(x, weights["kernel"].T, weights.get("bias"))


def convolution(x: Tensor, weights: dict[str, Tensor], config: dict[str, Any]) -> Tensor:
    kernel = weights["kernel"].permute(3, 2, 0, 1).contiguous()
    y = F.conv2d(padded(x, config, kernel.shape[2:], 0.0), kernel, weights.get("bias"), config["strides"])
    return y.permute(0, 2, 3, 1)


def pooling(x: Tensor, weights: dict[str, Tensor], config: dict[str, Any]) -> Tensor:
    size = config["pool_size"]
    y = F.max_pool2d(padded(x, config, size, -math.inf), size, config["strides"])
    return y.permute(0, 2, 3, 1)


def average_pooling(x: Tensor, weights: dict[str, Tensor], config: dict[str, Any]) -> Tensor:
    """Sums over the padded image, divided by the number of pixels that are inside."""
    size, strides = config["pool_size"], config["strides"]
    total, count = (
        F.avg_pool2d(padded(image, config, size, 0.0), size, strides) for image in (x, torch.ones_like(x))
    )
    return (total / count).permute(0, 2, 3, 1)


def layer_normalise(x: Tensor, weights: dict[str, Tensor], config: dict[str, Any]) -> Tensor:
    axes = sorted(axis % x.ndim for axis in config["axis"])
    variance, mean = torch.var_mean(x, dim=axes, correction=0, keepdim=True)
    y = (x - mean) / (variance + config["epsilon"]).sqrt()
    shape = [size if axis in axes else 1 for axis, size in enumerate(x.shape)]
    y = y * weights["gamma"].reshape(shape) if config["scale"] else y
    return y + weights["beta"].reshape(shape) if config["center"] else y


def framed(x: Tensor, weights: dict[str, Tensor], config: dict[str, Any]) -> Tensor:
    rows, columns = config["padding"]
    return F.pad(x, (0, 0, *columns, *rows))


def padded(x: Tensor, config: dict[str, Any], kernel: Any, value: float) -> Tensor:
    """NHWC -> NCHW with Keras's padding."""
    x = x.permute(0, 3, 1, 2)
    if config["padding"] == "valid":
        return x
    ends = []
    for size, k, stride in zip(x.shape[2:], kernel, config["strides"]):
        total = max((math.ceil(size / stride) - 1) * stride + k - size, 0)
        ends.append((total // 2, total - total // 2))
    return F.pad(x, (*ends[1], *ends[0]), value=value)


def normalise(x: Tensor, weights: dict[str, Tensor], config: dict[str, Any], training: bool) -> Tensor:
    flat = x.reshape(-1, x.shape[-1])
    mean, variance = weights["moving_mean"], weights["moving_variance"]
    if training:
        with torch.no_grad():
            batch_variance, batch_mean = torch.var_mean(flat, dim=0, correction=0)
            mean.lerp_(batch_mean, 1 - config["momentum"])
            variance.lerp_(batch_variance, 1 - config["momentum"])
    old_mean, old_variance = (None, None) if training else (mean, variance)
    scale, shift = weights.get("gamma"), weights.get("beta")
    y = F.batch_norm(flat, old_mean, old_variance, scale, shift, training, 0.0, config["epsilon"])
    return y.reshape(x.shape)


LAYERS = {
    "Dense": dense,
    "Conv2D": convolution,
    "MaxPooling2D": pooling,
    "Activation": lambda x, weights, config: x,
    "AveragePooling2D": average_pooling,
    "GlobalAveragePooling2D": lambda x, weights, config: x.mean((1, 2)),
    "LayerNormalization": layer_normalise,
    "LeakyReLU": lambda x, weights, config: F.leaky_relu(x, config["negative_slope"]),
    "Reshape": lambda x, weights, config: x.reshape(len(x), *config["target_shape"]),
    "ZeroPadding2D": framed,
    "Flatten": lambda x, weights, config: x.flatten(1),
    "Rescaling": lambda x, weights, config: x * config["scale"] + config["offset"],
}


def crossentropy(p: Tensor, target: Tensor) -> Tensor:
    """Keras's: probabilities renormalised, then clipped."""
    q = (p / p.sum(-1, keepdim=True)).clamp(1e-7, 1 - 1e-7)
    return -(target * q.log()).sum(-1).mean()


LOSSES: dict[tuple[str, bool], Callable[[Tensor, Tensor], Tensor]] = {
    ("mse", False): F.mse_loss,
    ("huber", False): F.huber_loss,
    ("categorical_crossentropy", True): F.cross_entropy,
    ("categorical_crossentropy", False): crossentropy,
    ("binary_crossentropy", True): F.binary_cross_entropy_with_logits,
    ("binary_crossentropy", False): lambda p, t: F.binary_cross_entropy(p.clamp(1e-7, 1 - 1e-7), t),
}


def clipped(grads: list[Tensor], told: dict[str, Any]) -> list[Tensor]:
    """Keras's three clippings: per element, per variable, over all."""
    if "clipvalue" in told:
        return [g.clamp(-told["clipvalue"], told["clipvalue"]) for g in grads]
    if "clipnorm" in told:
        return [g * told["clipnorm"] / max(g.norm().item(), told["clipnorm"]) for g in grads]
    if "global_clipnorm" in told:
        norm = torch.cat([g.flatten() for g in grads]).norm().item()
        return [g * told["global_clipnorm"] / max(norm, told["global_clipnorm"]) for g in grads]
    return grads


class Sgd:
    """torch.optim.SGD behind Keras's clipping; its velocity is Keras's divided by -learning_rate."""

    def __init__(self, params: list[Tensor], told: dict[str, Any]) -> None:
        self.params, self.told = params, told
        more = {name: told.get(name, 0) for name in ("momentum", "nesterov")}
        self.optimizer = torch.optim.SGD(params, told["learning_rate"], **more)

    def __call__(self, grads: list[Tensor]) -> None:
        for parameter, gradient in zip(self.params, clipped(grads, self.told)):
            parameter.grad = gradient
        self.optimizer.step()


class Adam:
    """Kingma & Ba 2015, end of section 2: epsilon outside the bias correction, unlike PyTorch's."""

    def __init__(self, params: list[Tensor], told: dict[str, Any]) -> None:
        self.params, self.told, self.t = params, told, 0
        self.m, self.v = ([torch.zeros_like(p) for p in params] for _ in range(2))

    def __call__(self, grads: list[Tensor]) -> None:
        self.t += 1
        rate = self.told["learning_rate"] * math.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t)
        for p, g, m, v in zip(self.params, clipped(grads, self.told), self.m, self.v):
            m.mul_(0.9).add_(g, alpha=0.1)
            v.mul_(0.999).addcmul_(g, g, value=0.001)
            p.sub_(rate * m / (v.sqrt() + 1e-7))


class AdamW:
    """torch.optim.AdamW; its epsilon, inside the bias correction, is set so that it is Keras's outside."""

    def __init__(self, params: list[Tensor], told: dict[str, Any]) -> None:
        self.params, self.told, self.t = params, told, 0
        self.optimizer = torch.optim.AdamW(
            params, told["learning_rate"], weight_decay=told["weight_decay"], foreach=False
        )

    def __call__(self, grads: list[Tensor]) -> None:
        self.t += 1
        self.optimizer.param_groups[0]["eps"] = 1e-7 / math.sqrt(1 - 0.999**self.t)
        for parameter, gradient in zip(self.params, clipped(grads, self.told)):
            parameter.grad = gradient
        self.optimizer.step()


class RmsProp:
    """Keras's: epsilon under the root, where PyTorch has it outside."""

    def __init__(self, params: list[Tensor], told: dict[str, Any]) -> None:
        self.params, self.told = params, told
        self.v, self.a, self.u = ([torch.zeros_like(p) for p in params] for _ in range(3))

    def __call__(self, grads: list[Tensor]) -> None:
        rho = self.told.get("rho", 0.9)
        for p, g, v, a, u in zip(self.params, clipped(grads, self.told), self.v, self.a, self.u):
            v.lerp_(g.square(), 1 - rho)
            a.lerp_(g, 1 - rho)
            spread = v - a.square() if self.told.get("centered") else v
            u.mul_(self.told.get("momentum", 0.0)).addcdiv_(g, (spread + 1e-7).sqrt())
            p.sub_(self.told["learning_rate"] * u)


UPDATES: dict[str, Callable[..., Any]] = {"sgd": Sgd, "adam": Adam, "adamw": AdamW, "rmsprop": RmsProp}
