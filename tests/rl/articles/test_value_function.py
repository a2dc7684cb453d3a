"""Q-learning with a replay: its update worked out by hand, and the scale of its observations."""

import numpy as np
import pytest

from nnlite import load_model
from rl.core.experience import Experience
from rl.core.replay import Batch
from tests.rl.helpers import make_agent


def agent(**changes):
    return make_agent("value_function", **changes)


def experience(rng):
    now, after = rng.normal(3, 2, size=(2, 2, 3)).astype(np.float32)
    return Experience(now, rng.integers(0, 2, 2), np.ones(2), after, rng.random(2) < 0.2, rng.random(2) < 0.1)


def test_the_update_is_the_formula():
    a, rng = agent(), np.random.default_rng(1)
    a.scaler.update(rng.normal(3, 2, (50, 3)).astype(np.float32))
    now, after = rng.normal(size=(2, 4, 3)).astype(np.float32)
    discounts = np.array([0.9, 0, 0.9, 0.9], np.float32)
    b = Batch(now, rng.integers(0, 2, 4), rng.normal(size=4).astype(np.float32), after, discounts)
    target = b.returns + b.discounts * a.preferences(after).max(axis=1)
    error = a.preferences(now)[np.arange(4), b.actions] - target
    dq = np.zeros((4, 2), np.float32)
    dq[np.arange(4), b.actions] = error / 4  # the target is a constant: only Q(s, a) has a gradient
    a.model.forward(a.scaler(now))
    a.model.backward(dq)
    gradient = a.model.grads.copy()
    a.optimizer.step = lambda: None
    metrics = a.update(b)
    assert metrics["train/loss"] == pytest.approx(np.mean(error**2) / 2, rel=1e-5)
    np.testing.assert_allclose(a.model.grads, gradient, rtol=1e-5, atol=1e-7)


def test_random_play_fixes_the_scale_once():
    a, rng = agent(), np.random.default_rng(0)
    scales = []
    for _ in range(10):
        a.observe(experience(rng))
        scales.append((a.scaler.fitted, a.scaler.mean.tolist()))
    assert [fitted for fitted, _ in scales] == [False] * 3 + [True] * 7
    assert scales[3] == scales[-1]
    assert np.abs(a.scaler.mean - 3).max() < 2.5


def test_the_saved_network_reads_observations_as_they_are(tmp_path):
    a, rng = agent(), np.random.default_rng(5)
    for _ in range(30):
        a.observe(experience(rng))
    x = rng.normal(3, 2, (20, 3)).astype(np.float32)
    a.save(tmp_path / "best.safetensors")
    seen = load_model(tmp_path / "best.safetensors").predict(x)
    np.testing.assert_allclose(seen, a.preferences(x), rtol=1e-3, atol=1e-4)
