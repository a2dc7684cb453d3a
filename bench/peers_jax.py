"""JAX's sides: one jitted function for each step, with donated arguments.

The inputs of updates are on the device in advance.

Forms   tree  weights are a list of arrays, as in most programs
        flat  weights and moments are one vector each, which saves the dispatch of many small arrays
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree

from bench import workloads as w
from bench.digits import EPOCHS, STEP_SIZE, orders, training_data
from bench.questions import Work

Weights = Any
FORMS = ("tree", "flat")


def initial(shape: tuple[int, ...], outputs: int) -> list[jax.Array]:
    """Initialise the networks of bench/workloads.py: a list of kernel, bias, kernel, bias, ..."""
    shapes: list[tuple[int, ...]] = []
    if len(shape) == 1:
        widths = (shape[0], w.DENSE[1], outputs)
    else:
        side, channels = shape[0], shape[-1]
        for filters, kernel, stride in w.CONVOLUTIONS:
            shapes.append((kernel, kernel, channels, filters))
            side, channels = -(-side // stride), filters
        widths = (side * side * channels, w.FEATURES, outputs)
    shapes += list(zip(widths, widths[1:]))
    rng = np.random.default_rng(0)
    return [
        jnp.asarray(a, jnp.float32)
        for s in shapes
        for a in (rng.standard_normal(s) / np.sqrt(np.prod(s[:-1])), np.zeros(s[-1]))
    ]


def forward(weights: list[jax.Array], x: jax.Array) -> jax.Array:
    """Compute values (N, outputs) of observations (N, D) or bytes (N, H, W, C)."""
    pairs = list(zip(weights[::2], weights[1::2]))
    if x.ndim == 4:
        x = x.astype(jnp.float32) * (1 / 255)
        for (W, b), (_, _, stride) in zip(pairs, w.CONVOLUTIONS):
            x = lax.conv_general_dilated(
                x, W, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
            )
            x = jax.nn.relu(x + b)
        x, pairs = x.reshape(len(x), -1), pairs[len(w.CONVOLUTIONS) :]
    for W, b in pairs[:-1]:
        x = jax.nn.relu(x @ W + b)
    return x @ pairs[-1][0] + pairs[-1][1]


def act(threads: int, shape: tuple[int, ...], outputs: int, choose: bool) -> Work:
    """Evaluate one NumPy observation to NumPy values, or with `choose` to the best action."""
    weights, x = initial(tuple(shape), outputs), w.states(tuple(shape), 1)
    if choose:
        best = jax.jit(lambda weights, x: forward(weights, x).argmax())
        return Work(lambda: int(best(weights, x)), 1, size_of(weights))
    values = jax.jit(forward)
    return Work(lambda: np.asarray(values(weights, x)), 1, size_of(weights))


def dqn_update(threads: int, shape: tuple[int, ...], outputs: int, form: str) -> Work:
    """Do a DQN update: target forward, forward, Huber loss, backward, clip by norm, Adam."""
    batch = [jnp.asarray(a) for a in w.transitions(tuple(shape), outputs)]

    def loss(weights: list[jax.Array], target: list[jax.Array], batch: list[jax.Array]) -> jax.Array:
        x, actions, returns, next_x, discounts = batch
        goal = returns + discounts * forward(target, next_x).max(1)
        error = jnp.take_along_axis(forward(weights, x), actions[:, None], 1)[:, 0] - lax.stop_gradient(goal)
        inside = jnp.clip(error, -w.HUBER_DELTA, w.HUBER_DELTA)
        return jnp.mean(inside * (error - 0.5 * inside))

    weights = initial(tuple(shape), outputs)
    return Work(
        training_step(weights, loss, (initial(tuple(shape), outputs), batch), form, w.CLIP_NORM),
        1,
        size_of(weights),
    )


def a2c_update(threads: int, shape: tuple[int, ...], actions: int, form: str) -> Work:
    """Do an A2C update: forward, values, advantages, three losses, backward, clip by norm, Adam."""
    played = [jnp.asarray(a) for a in w.play(tuple(shape), actions)]

    def loss(weights: list[jax.Array], played: list[jax.Array]) -> jax.Array:
        x, taken, rewards, done, following = played
        output = forward(weights, x.reshape(-1, *shape))
        values = output[:, -1].reshape(rewards.shape)
        fixed, next_value = lax.stop_gradient(values), lax.stop_gradient(forward(weights, following)[:, -1])
        running, found = jnp.zeros_like(next_value), []
        for t in reversed(range(w.A2C_STEPS)):
            delta = rewards[t] + w.GAMMA * jnp.where(done[t], 0, next_value) - fixed[t]
            running = delta + w.GAMMA * w.A2C_LAMBDA * jnp.where(done[t], 0, running)
            next_value = fixed[t]
            found.append(running)
        advantages = jnp.stack(found[::-1])
        log_pi = jax.nn.log_softmax(output[:, :-1])
        entropy = -(jnp.exp(log_pi) * log_pi).sum(1).mean()
        policy = -(jnp.take_along_axis(log_pi, taken.reshape(-1, 1), 1)[:, 0] * advantages.reshape(-1)).mean()
        value = jnp.square(values - (advantages + fixed)).mean()
        return policy + w.VALUE_WEIGHT * value - w.ENTROPY_WEIGHT * entropy

    weights = initial(tuple(shape), actions + 1)
    return Work(training_step(weights, loss, (played,), form, w.A2C_CLIP), 1, size_of(weights))


def training_step(
    weights: Weights, loss: Callable[..., jax.Array], data: tuple[Any, ...], form: str, clip: float
) -> Callable[[], object]:
    """Make one update; weights and moments are donated, so it works in place."""
    if form == "flat":
        weights, unflat = ravel_pytree(weights)
        inner = loss
        loss = lambda flat, *data: inner(unflat(flat), *data)  # noqa: E731

    def update(state: Any, *data: Any) -> Any:
        weights, m, v, t = state
        value, grads = jax.value_and_grad(loss)(weights, *data)
        norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(grads)))
        scale, t = jnp.minimum(1.0, clip / norm), t + 1
        rate = w.LEARNING_RATE * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * scale * g, m, grads)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * (scale * g) ** 2, v, grads)
        weights = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + w.ADAM_EPSILON), weights, m, v)
        return (weights, m, v, t), value

    compiled = jax.jit(update, donate_argnums=0)
    zeros = lambda: jax.tree.map(jnp.zeros_like, weights)  # noqa: E731
    state = (weights, zeros(), zeros(), jnp.zeros(()))

    def step() -> None:
        nonlocal state
        state, value = compiled(state, *data)
        value.block_until_ready()

    return step


def size_of(weights: Weights) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(weights))


def digits(threads: int, form: str) -> Work:
    """Train as bench/digits.py says: 10 epochs of 38 steps.

    form  "epoch" runs the full batches of an epoch in one compiled loop, "step" calls each
    """
    images, labels = (jnp.asarray(a) for a in training_data())
    rng = np.random.default_rng(0)
    shapes = ((3, 3, 1, 5), (5,), (2, 2, 5, 3), (3,), (192, 10), (10,))
    start = [
        (rng.standard_normal(s) / np.sqrt(np.prod(s[:-1]) or 1) * (len(s) > 1)).astype(np.float32)
        for s in shapes
    ]

    def loss(weights: list[jax.Array], rows: jax.Array) -> jax.Array:
        W1, b1, W2, b2, W3, b3 = weights
        x = images[rows]
        for W, b in ((W1, b1), (W2, b2)):
            x = jax.nn.relu(
                lax.conv_general_dilated(x, W, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")) + b
            )
        log_p = jax.nn.log_softmax(x.reshape(len(x), -1) @ W3 + b3)
        return -jnp.take_along_axis(log_p, labels[rows][:, None], 1).mean()

    def one(weights: list[jax.Array], rows: jax.Array) -> tuple[list[jax.Array], jax.Array]:
        value, grads = jax.value_and_grad(loss)(weights, rows)
        return [p - STEP_SIZE * g for p, g in zip(weights, grads)], value

    step = jax.jit(one, donate_argnums=0)
    epoch = jax.jit(lambda weights, rows: lax.scan(one, weights, rows), donate_argnums=0)

    def fit() -> float:
        weights = [jnp.asarray(a) for a in start]
        for order in orders(len(images)):
            whole = len(order) // w.BATCH * w.BATCH
            if form == "epoch":
                weights, _ = epoch(weights, order[:whole].reshape(-1, w.BATCH))
            else:
                for first in range(0, whole, w.BATCH):
                    weights, _ = step(weights, order[first : first + w.BATCH])
            weights, value = step(weights, order[whole:])
        return float(value)

    return Work(fit, EPOCHS * len(images), sum(a.size for a in start))
