"""Choose among A actions by a network's output; losses that improve a policy.

    pi(a|s) = exp(z_a) / sum_b exp(z_b),  z (N, A) the logits of N observations

Functions that call `_policy` are compiled, for C-contiguous arrays of one floating type. Other arguments go
to the twin in nnlite.reference.policy, which computes in NumPy or raises the error.
"""

from __future__ import annotations

import numpy as np
from nnlite_ext import _policy

from nnlite.arrays import Array
from nnlite.losses import log_softmax
from nnlite.reference import policy as reference


def epsilon_greedy(values: Array, epsilon: float, rng: np.random.Generator) -> Array:
    """Choose actions (N,) int64 by values (N, A): with probability epsilon a uniform one, else the best.

    Each row draws one random number, and a second one if it explores. With epsilon 0, none is drawn.
    """
    return _policy.epsilon_greedy(values, epsilon, rng, reference.epsilon_greedy)


def sample_actions(output: Array, rng: np.random.Generator, actions: int | None = None) -> Array:
    """Draw actions (N,) int64 from softmax(z); each row draws one random number.

    output   (N, M) of a network
    actions  A: the first A columns are the logits z; default M

    The action is the first at which the running sum of probabilities passes a uniform number (inversion of
    the distribution function; Devroye 1986, chapter III.2).
    """
    return _policy.sample_actions(output, rng, actions, reference.sample_actions)


def probabilities(logits: Array) -> Array:
    """Return softmax(logits), (N, A)."""
    return np.exp(log_softmax(logits))


def entropies(logits: Array) -> Array:
    """Return -sum_b pi_b log pi_b of each row of logits (N, A), as (N,): 0 if certain, log A if uniform."""
    log_pi = log_softmax(logits)
    return -np.einsum("na,na->n", np.exp(log_pi), log_pi)


def policy_loss(
    logits: Array, actions: Array, advantages: Array, entropy_weight: float = 0.0
) -> tuple[float, float, Array]:
    """Return (loss, entropy, dlogits); descending dlogits makes actions of positive advantage more probable.

    logits      (N, A)
    actions     (N,) int     the actions taken
    advantages  (N,) float   constants: the gradient does not pass through them

        loss = -mean A log pi(a|s)             dloss/dz    = A (pi - onehot(a)) / N
        entropy = -mean sum_b pi_b log pi_b    dentropy/dz = -pi (log pi + entropy(s)) / N

    dlogits is the derivative of loss - entropy_weight * entropy. Raises ValueError when shapes differ and
    for probabilities. A model that ends in softmax gives logits by model.forward(x, logits=True).
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
    """Return (policy loss, entropy, value loss, doutput) of an actor-critic network.

    output      (N, A + 1)   A logits and, in the last column, the critic's V(s)
    actions     (N,) int     the actions taken
    advantages  (N,) float   constants
    returns     (N,) float   targets of V(s), constants

    The value loss is mean (V - returns)^2. doutput is the derivative of

        policy loss - entropy_weight * entropy + value_weight * value loss

    Raises ValueError when shapes differ, and for probabilities in place of logits.
    """
    twin = reference.actor_critic_loss
    return _policy.actor_critic_loss(output, actions, advantages, returns, entropy_weight, value_weight, twin)


def explained_variance(values: Array, returns: Array) -> float:
    """Return 1 - Var(returns - values) / Var(returns), or 0 if all returns are equal.

    1 is a perfect prediction, 0 no better than a constant, below 0 worse.
    """
    if values.shape != returns.shape:
        raise ValueError(f"values {values.shape} and returns {returns.shape} must have the same shape")
    variance = _variance(returns)
    return 0.0 if variance == 0 else 1 - _variance(returns - values) / variance


def _variance(values: Array) -> float:
    """Return np.var of (N,); for small N it takes a third of the time."""
    centred = values - np.add.reduce(values) / len(values)
    return float(np.vdot(centred, centred)) / len(values)
