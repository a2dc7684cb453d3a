"""Choosing among A actions by a network's output, and the losses that improve a policy.

    pi(a|s) = exp(z_a) / sum_b exp(z_b),  z (N, A) the logits of N observations

What is asked at every step or update runs compiled where types and shapes allow it; the NumPy text beside it
says what it does, and takes what does not fit.
"""

from __future__ import annotations

import numpy as np
from nnlite_ext import _policy

from nnlite.arrays import Array
from nnlite.losses import log_softmax, mean_squared_error


def epsilon_greedy(values: Array, epsilon: float, rng: np.random.Generator) -> Array:
    """Actions (N,) int64 by their values (N, A): a uniform one with probability epsilon, else the best.

    Each row takes one random number, and a second one where it explores; with epsilon 0 none is drawn.
    """
    compiled = _policy.epsilon_greedy(values, epsilon, rng.bit_generator)
    if compiled is not None:
        return compiled
    actions = values.argmax(axis=1)
    for row in range(len(values) if epsilon > 0 else 0):
        if rng.random() < epsilon:
            actions[row] = int(rng.random() * values.shape[1])
    return actions


def sample_actions(output: Array, rng: np.random.Generator, actions: int | None = None) -> Array:
    """Actions (N,) int64 drawn from softmax(z); each row takes one random number.

    output   (N, M) of a network
    actions  A: how many of its first columns are the logits z; all of them when left out

    The action is the first at which the running sum of probabilities passes a uniform number (inversion of
    the distribution function; Devroye 1986, chapter III.2).
    """
    count = output.shape[1] if actions is None else actions
    compiled = _policy.sample_actions(output, count, rng.bit_generator)
    if compiled is not None:
        return compiled
    passed = np.cumsum(probabilities(output[:, :count]), axis=1)  # (N, A)
    return np.minimum((passed <= rng.random((len(passed), 1)) * passed[:, -1:]).sum(axis=1), count - 1)


def probabilities(logits: Array) -> Array:
    """softmax(logits), (N, A)."""
    return np.exp(log_softmax(logits))


def entropies(logits: Array) -> Array:
    """-sum_b pi_b log pi_b of each row of logits (N, A), (N,): 0 for a policy that is certain, log A for one
    that draws lots.
    """
    log_pi = log_softmax(logits)
    return -np.einsum("na,na->n", np.exp(log_pi), log_pi)


def policy_loss(
    logits: Array, actions: Array, advantages: Array, entropy_weight: float = 0.0
) -> tuple[float, float, Array]:
    """(loss, entropy, dlogits): what to descend so that actions of positive advantage become likelier.

    logits      (N, A)
    actions     (N,) int     those taken
    advantages  (N,) float   constants: nothing is differentiated through them

        loss = -mean A log pi(a|s)             dloss/dz    = A (pi - onehot(a)) / N
        entropy = -mean sum_b pi_b log pi_b    dentropy/dz = -pi (log pi + entropy(s)) / N

    dlogits is the derivative of loss - entropy_weight * entropy. Raises ValueError when shapes differ.
    Source: Williams 1992 (REINFORCE), eq. 4; Mnih et al. 2016, section 4 (the entropy).
    """
    compiled = _policy.policy_loss(logits, actions, advantages, entropy_weight)
    if compiled is not None:
        return compiled
    if not (logits.ndim == 2 and actions.shape == advantages.shape == logits.shape[:1]):
        raise ValueError(
            f"need logits (N, A), actions and advantages (N,); got {logits.shape}, {actions.shape}, "
            f"{advantages.shape}"
        )
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


def actor_critic_loss(
    output: Array,
    actions: Array,
    advantages: Array,
    returns: Array,
    entropy_weight: float,
    value_weight: float,
) -> tuple[float, float, float, Array]:
    """(policy loss, entropy, value loss, doutput) of a network whose columns are A logits and, last, the
    critic's V(s).

    output      (N, A + 1)
    actions     (N,) int     those taken
    advantages  (N,) float   constants
    returns     (N,) float   what V(s) should have been, constants

    The value loss is mean (V - returns)^2; doutput is the derivative of policy loss - entropy_weight *
    entropy + value_weight * value loss. Raises ValueError when shapes differ.
    """
    compiled = _policy.actor_critic_loss(output, actions, advantages, returns, entropy_weight, value_weight)
    if compiled is not None:
        return compiled
    policy, entropy, dlogits = policy_loss(output[:, :-1], actions, advantages, entropy_weight)
    value, dvalues = mean_squared_error(output[:, -1], returns)
    return policy, entropy, value, np.column_stack((dlogits, value_weight * dvalues))


def explained_variance(values: Array, returns: Array) -> float:
    """1 - Var(returns - values) / Var(returns): 1 is a perfect prediction, 0 no better than a constant, below
    0 worse.

    0 where the returns are all alike.
    """
    if values.shape != returns.shape:
        raise ValueError(f"values {values.shape} and returns {returns.shape} must have the same shape")
    variance = _variance(returns)
    return 0.0 if variance == 0 else 1 - _variance(returns - values) / variance


def _variance(values: Array) -> float:
    """np.var of (N,), in a third of its time for small N."""
    centred = values - np.add.reduce(values) / len(values)
    return float(np.vdot(centred, centred)) / len(values)
