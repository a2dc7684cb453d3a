"""NumPy twins of nnlite_ext._policy: choosing among A actions, and the losses of a policy."""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array, require_shapes
from nnlite.reference.crossentropy import log_softmax


def epsilon_greedy(values: Array, epsilon: float, rng: np.random.Generator) -> Array:
    """Actions (N,) by values (N, A): a uniform one with probability epsilon, else the best."""
    actions = values.argmax(axis=1)
    for row in range(len(values) if epsilon > 0 else 0):
        if rng.random() < epsilon:
            actions[row] = int(rng.random() * values.shape[1])
    return actions


def sample_actions(output: Array, rng: np.random.Generator, actions: int | None = None) -> Array:
    """Actions (N,) drawn from the softmax of the first `actions` columns of output (N, M), or of all."""
    logits = output[:, : output.shape[1] if actions is None else actions]  # (N, A)
    passed = np.cumsum(np.exp(log_softmax(logits)), axis=1)  # (N, A)
    chosen = (passed <= rng.random((len(passed), 1)) * passed[:, -1:]).sum(axis=1)
    return np.minimum(chosen, logits.shape[1] - 1)


def policy_loss(
    logits: Array, actions: Array, advantages: Array, entropy_weight: float = 0.0
) -> tuple[float, float, Array]:
    """(loss, entropy, dlogits) of logits (N, A), actions (N,) and advantages (N,).

    loss = -mean advantage * log pi(action), entropy = -mean sum_b pi_b log pi_b; dlogits is the derivative of
    loss - entropy_weight * entropy.
    """
    require_shapes(
        logits.ndim == 2 and actions.shape == advantages.shape == logits.shape[:1],
        "logits (N, A), actions and advantages (N,)",
        logits,
        actions,
        advantages,
    )
    if are_probabilities(logits):
        raise ValueError("these rows are probabilities; give the logits: model.forward(x, logits=True)")
    rows, number = np.arange(len(logits)), logits.dtype.type
    log_pi = log_softmax(logits)  # (N, A)
    pi = np.exp(log_pi)
    entropies = -np.einsum("na,na->n", pi, log_pi)  # (N,)
    loss = -float(advantages @ log_pi[rows, actions]) / len(rows)
    advantages = advantages.astype(logits.dtype, copy=False)
    dlogits = pi * advantages[:, None]
    dlogits[rows, actions] -= advantages
    if entropy_weight:
        dlogits += number(entropy_weight) * pi * (log_pi + entropies[:, None])
    return loss, float(entropies.mean()), dlogits / number(len(rows))


def are_probabilities(rows: Array) -> bool:
    """Whether every row of (N, A) sums to 1, all above 0. Rows that are all the same may do so by chance."""
    if not (rows > 0).all() or (np.abs(rows.sum(axis=1, dtype=float) - 1) >= 1e-5).any():
        return False
    return bool((rows != rows[:1]).any())


def actor_critic_loss(
    output: Array,
    actions: Array,
    advantages: Array,
    returns: Array,
    entropy_weight: float,
    value_weight: float,
) -> tuple[float, float, float, Array]:
    """(policy loss, entropy, value loss, doutput) of output (N, A + 1), whose last column is V.

    The value loss is mean (V - returns)^2, with returns (N,); doutput is the derivative of policy loss -
    entropy_weight * entropy + value_weight * value loss.
    """
    policy, entropy, dlogits = policy_loss(output[:, :-1], actions, advantages, entropy_weight)
    require_shapes(returns.shape == output.shape[:1], "returns (N,)", returns)
    error = np.subtract(output[:, -1], returns, dtype=output.dtype)
    dvalues = error * output.dtype.type(2.0 / error.size)
    doutput = np.column_stack((dlogits, value_weight * dvalues))
    return policy, entropy, float(np.mean(np.square(error))), doutput
