"""A policy over A actions, given by a network's logits: drawing from it, and the loss that improves it.

    pi(a|s) = exp(z_a) / sum_b exp(z_b),  z (N, A) the logits of N observations
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.losses import log_softmax

Array = np.ndarray[Any, np.dtype[Any]]


def sample_actions(logits: Array, rng: np.random.Generator) -> Array:
    """Actions (N,) int64 drawn from softmax(logits), (N, A), by the Gumbel-max trick.

    argmax_a (z_a + g_a) with g_a ~ Gumbel(0, 1) is distributed as softmax(z): no exponential or sum of z is needed.
    Source: Gumbel 1954; the same trick is the SampleLayer of article 8.
    """
    return (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)


def probabilities(logits: Array) -> Array:
    """softmax(logits), (N, A)."""
    return np.exp(log_softmax(logits))


def entropies(logits: Array) -> Array:
    """-sum_b pi_b log pi_b of each row of logits (N, A), (N,): 0 for a policy that is certain, log A for one that draws lots."""
    log_pi = log_softmax(logits)
    return -np.einsum("na,na->n", np.exp(log_pi), log_pi)


def policy_loss(logits: Array, actions: Array, advantages: Array, entropy_weight: float = 0.0) -> tuple[float, float, Array]:
    """(loss, entropy, dlogits): what to descend so that actions of positive advantage become likelier.

    logits      (N, A)
    actions     (N,) int     those taken
    advantages  (N,) float   constants: nothing is differentiated through them

        loss = -mean A log pi(a|s)             dloss/dz    = A (pi - onehot(a)) / N
        entropy = -mean sum_b pi_b log pi_b    dentropy/dz = -pi (log pi + entropy(s)) / N

    dlogits is the derivative of loss - entropy_weight * entropy. Raises ValueError when shapes differ.
    Source: Williams 1992 (REINFORCE), eq. 4; Mnih et al. 2016, section 4 (the entropy).
    """
    if not (logits.ndim == 2 and actions.shape == advantages.shape == logits.shape[:1]):
        raise ValueError(f"need logits (N, A), actions and advantages (N,); got {logits.shape}, {actions.shape}, {advantages.shape}")
    rows, number = np.arange(len(logits)), logits.dtype.type
    log_pi = log_softmax(logits)                                      # (N, A)
    pi = np.exp(log_pi)
    entropies = -np.einsum("na,na->n", pi, log_pi)                    # (N,)
    loss = -float(advantages @ log_pi[rows, actions]) / len(rows)
    advantages = advantages.astype(logits.dtype, copy=False)
    dlogits = pi * advantages[:, None]
    dlogits[rows, actions] -= advantages
    if entropy_weight:
        dlogits += number(entropy_weight) * pi * (log_pi + entropies[:, None])
    return loss, float(entropies.mean()), dlogits / number(len(rows))


def explained_variance(values: Array, returns: Array) -> float:
    """1 - Var(returns - values) / Var(returns): 1 is a perfect prediction, 0 no better than a constant, below 0 worse.

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
