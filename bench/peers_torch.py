"""PyTorch's sides. The inputs of updates are tensors in advance, so their conversion is not measured.

Forms   eager       modules, autograd, fused Adam; with "last" images have channels last
        compiled    torch.compile of the loss, autograd's backward through it, fused Adam
        graph       torch.compile of the whole step, gradient and Adam included, in one graph
        frozen      torch.jit, traced and frozen (acting only)
        bare        no modules: matrix products and relu written out (acting on vectors only)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench import workloads as w
from bench.digits import EPOCHS, STEP_SIZE, orders, training_data
from bench.questions import Work

warnings.filterwarnings("ignore")
DENSE_FORMS = ("eager", "bare", "frozen", "compiled")
UPDATE_FORMS = ("eager", "compiled", "graph")


class Scaled(nn.Module):
    """Converts bytes to [0, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.float() * (1 / 255)


def network(shape: tuple[int, ...], outputs: int, last: bool = False) -> nn.Module:
    """Make the dense or the screen network of bench/workloads.py; it reads screens as (N, C, H, W)."""
    if len(shape) == 1:
        return nn.Sequential(nn.Linear(shape[0], w.DENSE[1]), nn.ReLU(), nn.Linear(w.DENSE[1], outputs))
    layers: list[nn.Module] = [Scaled()]
    channels, side = shape[-1], shape[0]
    for filters, kernel, stride in w.CONVOLUTIONS:
        layers += [nn.Conv2d(channels, filters, kernel, stride, padding=(kernel - stride) // 2), nn.ReLU()]
        channels, side = filters, -(-side // stride)
    layers += [
        nn.Flatten(),
        nn.Linear(side * side * channels, w.FEATURES),
        nn.ReLU(),
        nn.Linear(w.FEATURES, outputs),
    ]
    net = nn.Sequential(*layers)
    return net.to(memory_format=torch.channels_last) if last else net


def as_input(x: np.ndarray, last: bool = False) -> Tensor:
    """Convert observations to the network's input, screens to (N, C, H, W).

    last  with channels last in memory
    """
    tensor = torch.from_numpy(x)
    if tensor.ndim < 4:
        return tensor
    return tensor.permute(0, 3, 1, 2) if last else tensor.permute(0, 3, 1, 2).contiguous()


def size_of(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def act(threads: int, shape: tuple[int, ...], outputs: int, form: str, last: bool, choose: bool) -> Work:
    """Evaluate one NumPy observation to NumPy values, or with `choose` to the best action."""
    torch.set_num_threads(threads)
    net = network(tuple(shape), outputs, last).eval()
    x = w.states(tuple(shape), 1)
    forward: Callable[[Tensor], Tensor] = bare(net) if form == "bare" else net
    if form == "frozen":
        forward = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, as_input(x, last))))
    elif form == "compiled":
        forward = torch.compile(net)

    def step() -> Any:
        with torch.inference_mode():
            values = forward(as_input(x, last))
            return int(values.argmax()) if choose else values.numpy()

    return Work(step, 1, size_of(net))


def bare(net: nn.Module) -> Callable[[Tensor], Tensor]:
    """Write the two layers out, without modules."""
    layers = [layer for layer in net.children() if isinstance(layer, nn.Linear)]
    (W1, b1), (W2, b2) = [(layer.weight.detach().T.contiguous(), layer.bias.detach()) for layer in layers]
    return lambda x: torch.addmm(b2, torch.addmm(b1, x, W1).relu_(), W2)


def dqn_update(threads: int, shape: tuple[int, ...], outputs: int, form: str, last: bool) -> Work:
    """Do a DQN update: target forward, forward, Huber loss, backward, clip by norm, Adam."""
    torch.set_num_threads(threads)
    net, target = network(tuple(shape), outputs, last), network(tuple(shape), outputs, last)
    batch = w.transitions(tuple(shape), outputs)
    x, next_x = as_input(batch.observations, last), as_input(batch.next_observations, last)
    actions, returns, discounts = (
        torch.from_numpy(a) for a in (batch.actions, batch.returns, batch.discounts)
    )

    def loss(q_of: Callable[[Tensor], Tensor]) -> Tensor:
        with torch.no_grad():
            goal = returns + discounts * target(next_x).max(1).values
        return F.huber_loss(q_of(x).gather(1, actions[:, None])[:, 0], goal, delta=w.HUBER_DELTA)

    return Work(training_step(net, loss, form, w.CLIP_NORM), 1, size_of(net))


def a2c_update(threads: int, shape: tuple[int, ...], actions: int, form: str, last: bool) -> Work:
    """Do an A2C update: forward, values, advantages, three losses, backward, clip by norm, Adam."""
    torch.set_num_threads(threads)
    net = network(tuple(shape), actions + 1, last)
    played = w.play(tuple(shape), actions)
    x, following = (
        as_input(played.observations.reshape(w.BATCH, *shape), last),
        as_input(played.following, last),
    )
    taken = torch.from_numpy(played.actions).reshape(-1, 1)
    rewards, going_on = torch.from_numpy(played.rewards), torch.from_numpy(~played.done).float()

    def loss(output_of: Callable[[Tensor], Tensor]) -> Tensor:
        output = output_of(x)
        values = output[:, -1].reshape(rewards.shape)
        advantages = estimate(values.detach(), output_of(following).detach()[:, -1])
        log_pi = output[:, :-1].log_softmax(1)
        entropy = -(log_pi.exp() * log_pi).sum(1).mean()
        policy = -(log_pi.gather(1, taken)[:, 0] * advantages.reshape(-1)).mean()
        value = (values - (advantages + values.detach())).square().mean()
        return policy + w.VALUE_WEIGHT * value - w.ENTROPY_WEIGHT * entropy

    def estimate(values: Tensor, last_value: Tensor) -> Tensor:
        running, next_value, found = torch.zeros_like(last_value), last_value, []
        for t in reversed(range(len(rewards))):
            delta = rewards[t] + w.GAMMA * going_on[t] * next_value - values[t]
            running = delta + w.GAMMA * w.A2C_LAMBDA * going_on[t] * running
            next_value = values[t]
            found.append(running)
        return torch.stack(found[::-1])

    return Work(training_step(net, loss, form, w.A2C_CLIP), 1, size_of(net))


def training_step(
    net: nn.Module, loss: Callable[[Any], Tensor], form: str, clip: float
) -> Callable[[], object]:
    """Make one update of this form."""
    if form == "graph":
        return one_graph(net, loss, clip)
    optimizer = torch.optim.Adam(net.parameters(), w.LEARNING_RATE, eps=w.ADAM_EPSILON, fused=True)
    parameters = list(net.parameters())
    value_of = torch.compile(lambda: loss(net)) if form == "compiled" else lambda: loss(net)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        value_of().backward()
        nn.utils.clip_grad_norm_(parameters, clip, foreach=True)
        optimizer.step()

    return step


def one_graph(net: nn.Module, loss: Callable[[Any], Tensor], clip: float) -> Callable[[], object]:
    """Compile the whole update: torch.func's gradient, clipping and Adam, in place."""
    params = {name: p.detach() for name, p in net.named_parameters()}
    m, v = ({name: torch.zeros_like(p) for name, p in params.items()} for _ in range(2))
    t = torch.zeros(())

    def update(params: dict[str, Tensor], m: dict[str, Tensor], v: dict[str, Tensor], t: Tensor) -> Tensor:
        loss_of = lambda p: loss(lambda x: torch.func.functional_call(net, p, (x,)))  # noqa: E731
        grads, value = torch.func.grad_and_value(loss_of)(params)
        scale = (clip / torch.sqrt(sum(g.square().sum() for g in grads.values()))).clamp(max=1.0)
        t += 1
        rate = w.LEARNING_RATE * torch.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        for name, p in params.items():
            g = grads[name] * scale
            m[name].mul_(0.9).add_(g, alpha=0.1)
            v[name].mul_(0.999).addcmul_(g, g, value=0.001)
            p.sub_(rate * m[name] / (v[name].sqrt() + w.ADAM_EPSILON))
        return value

    compiled = torch.compile(update)

    def step() -> Tensor:
        with torch.no_grad():
            return compiled(params, m, v, t)

    return step


def digits(threads: int, form: str) -> Work:
    """Train as bench/digits.py says: 10 epochs of 38 steps of stochastic gradient descent."""
    torch.set_num_threads(threads)
    images, labels = (torch.from_numpy(a) for a in training_data())
    images = images.reshape(-1, 1, 8, 8)

    class Digits(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.out = (
                nn.Conv2d(1, 5, 3, padding=1),
                nn.Conv2d(5, 3, 2),
                nn.Linear(192, 10),
            )

        def forward(self, x: Tensor) -> Tensor:
            x = F.pad(F.relu(self.one(x)), (0, 1, 0, 1))  # "same" pads a kernel of 2 at the end
            return self.out(F.relu(self.two(x)).flatten(1))

    net = Digits()
    value_of = lambda x, y: F.cross_entropy(net(x), y)  # noqa: E731
    if form == "compiled":
        value_of = torch.compile(value_of, dynamic=False)

    def fit() -> float:
        for name, p in net.named_parameters():
            nn.init.xavier_uniform_(p) if "weight" in name else nn.init.zeros_(p)
        optimizer = torch.optim.SGD(net.parameters(), STEP_SIZE, fused=True)
        for order in orders(len(images)):
            for rows in torch.from_numpy(order).split(w.BATCH):
                optimizer.zero_grad(set_to_none=True)
                value = value_of(images[rows], labels[rows])
                value.backward()
                optimizer.step()
        return float(value)

    return Work(fit, EPOCHS * len(images), size_of(net))
