"""Choosing among A actions by a network's output, and the losses that improve a policy.

    pi(a|s) = exp(z_a) / sum_b exp(z_b),  z (N, A) the logits of N observations

The functions of every step or update are the documentation of compiled kernels. A kernel takes C-contiguous
arrays of one floating type. Anything else it hands to its twin in nnlite.reference.policy, which computes it in
NumPy or raises the error.
"""

from __future__ import annotations

import numpy as np
from nnlite_ext import _policy

from nnlite.arrays import Array
from nnlite.losses import log_softmax
from nnlite.reference import policy as reference


def epsilon_greedy(values: Array, epsilon: float, rng: np.random.Generator) -> Array:
    """Actions (N,) int64 by their values (N, A): a uniform one with probability epsilon, else the best.

    Each row takes one random number, and a second one where it explores; with epsilon 0 none is drawn.
    """
    return _policy.epsilon_greedy(values, epsilon, rng, reference.epsilon_greedy)


def sample_actions(output: Array, rng: np.random.Generator, actions: int | None = None) -> Array:
    """Actions (N,) int64 drawn from softmax(z); each row takes one random number.

    output   (N, M) of a network
    actions  A: how many of its first columns are the logits z; all of them when left out

    The action is the first at which the running sum of probabilities passes a uniform number (inversion of
    the distribution function; Devroye 1986, chapter III.2).
    """
    return _policy.sample_actions(output, rng, actions, reference.sample_actions)


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
    return _policy.policy_loss(logits, actions, advantages, entropy_weight, reference.policy_loss)


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
    otherwise = reference.actor_critic_loss
    return _policy.actor_critic_loss(
        output, actions, advantages, returns, entropy_weight, value_weight, otherwise
    )


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
