"""The replay against an unbounded list of stacks: every batch must be something that really happened."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl.core.replay import ReplayBuffer
from tests.examples import examples


class History:
    """N games of random bytes that remember everything: the oracle."""

    def __init__(self, num_envs: int, stack: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.num_envs, self.stack = num_envs, stack
        self.steps: list[list[dict]] = [[] for _ in range(num_envs)]
        self.count = 0
        self.observations = np.stack([self._first() for _ in range(num_envs)])

    def _frame(self) -> np.ndarray:
        self.count += 1
        return np.array([[self.count // 251, self.count % 251], [self.rng.integers(256), 7]], np.uint8)

    def _first(self) -> np.ndarray:
        return np.repeat(self._frame()[..., None], self.stack, axis=-1)

    def step(self, replay: ReplayBuffer) -> None:
        n = self.num_envs
        before = self.observations
        actions = self.rng.integers(0, 4, n)
        rewards = self.rng.normal(size=n).astype(np.float32)
        terminated, truncated = self.rng.random(n) < 0.12, self.rng.random(n) < 0.1
        ends = terminated | (self.rng.random(n) < 0.1)
        frames = np.stack([self._frame() for _ in range(n)])[..., None]
        after, over = np.concatenate([before[..., 1:], frames], axis=-1), terminated | truncated
        replay.add(before, actions, rewards, ends, over, after)
        for steps, *values in zip(self.steps, before, actions, rewards, ends, over, after):
            steps.append(dict(zip(("s", "a", "r", "end", "stop", "n_s"), values)))
        self.observations = np.stack([self._first() if over[i] else after[i] for i in range(n)])

    def find(self, observation: np.ndarray) -> tuple[int, int]:
        for game, steps in enumerate(self.steps):
            for t, step in enumerate(steps):
                if np.array_equal(step["s"], observation):
                    return game, t
        raise AssertionError("a stack that never was shown")

    def expected(self, game: int, t: int, n_step: int, gamma: float) -> tuple[float, float, Any]:
        total, discount = 0.0, 1.0
        for step in self.steps[game][t : t + n_step]:
            total += discount * step["r"]
            discount *= gamma
            if step["end"]:
                return total, 0.0, None
            if step["stop"]:
                break
        return total, discount, step["n_s"]


@examples(40)
@given(
    num_envs=st.integers(1, 3),
    stack=st.sampled_from([1, 2, 3, 4]),
    n_step=st.integers(1, 5),
    steps=st.integers(12, 90),
    length=st.integers(12, 40),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_batch_is_something_that_happened(num_envs, stack, n_step, steps, length, seed):
    shape = (2, 2, stack) if stack > 1 else (2, 2, 1)
    replay = ReplayBuffer(length * num_envs, num_envs, shape, np.uint8, stack=stack, n_step=n_step, gamma=0.9)
    history = History(num_envs, stack, seed)
    for _ in range(steps):
        history.step(replay)
    rng = np.random.default_rng(seed)
    seen = set()
    for _ in range(6):
        batch = replay.sample(16, rng)
        for b in range(16):
            game, t = history.find(batch.observations[b])
            total, discount, after = history.expected(game, t, n_step, 0.9)
            assert batch.actions[b] == history.steps[game][t]["a"]
            assert batch.returns[b] == pytest.approx(total, abs=1e-5)
            assert batch.discounts[b] == pytest.approx(discount, abs=1e-6)
            if after is not None:
                np.testing.assert_array_equal(batch.next_observations[b], after)
            seen.add((game, t))
    assert len(seen) > 1


@pytest.mark.parametrize("capacity", [24, 60])  # rings that are nearly full, and mostly empty
def test_the_draw_is_uniform_over_the_complete_transitions(capacity):
    replay = ReplayBuffer(capacity, 2, (1,), np.float32, n_step=1, gamma=0.5)
    for t in range(10):
        n = np.array([[t], [100 + t]], np.float32)
        replay.add(n, np.zeros(2, int), np.zeros(2), np.zeros(2, bool), np.array([t == 4, False]), n + 1)
    rng = np.random.default_rng(0)
    counts: dict[float, int] = {}
    for _ in range(2000):
        for value in replay.sample(32, rng).observations[:, 0].tolist():
            counts[value] = counts.get(value, 0) + 1
    assert sorted(counts) == [*range(9), *range(100, 109)]  # the newest of each has no next observation yet
    share = np.array(list(counts.values())) / 64000
    assert np.abs(share - 1 / 18).max() < 0.004


def test_fifty_thousand_screens_fit_into_340_megabytes():
    replay = ReplayBuffer(50_000, 8, (80, 80, 4), np.uint8, stack=4, n_step=5, gamma=0.97)
    assert replay.nbytes < 340e6


def test_sampling_is_repeatable_and_state_goes_over():
    one, two = (ReplayBuffer(60, 2, (2, 2, 3), np.uint8, stack=3, n_step=2) for _ in range(2))
    history = History(2, 3, 5)
    for _ in range(50):
        history.step(one)
    two.set_state({name: array.copy() for name, array in one.get_state().items()})
    first, second = (r.sample(20, np.random.default_rng(3)) for r in (one, two))
    for a, b in zip(first, second):
        np.testing.assert_array_equal(a, b)


def test_too_early_too_small_and_unfit_are_refused():
    replay = ReplayBuffer(40, 1, (3,), np.float32)
    with pytest.raises(ValueError, match="no complete transition"):
        replay.sample(4, np.random.default_rng(0))
    with pytest.raises(ValueError, match="shorter than"):
        ReplayBuffer(8, 4, (3,), np.float32, n_step=3)
    with pytest.raises(ValueError, match="uint8"):
        ReplayBuffer(80, 1, (4, 4, 3), np.float32, stack=3)
    other = ReplayBuffer(50, 1, (3,), np.float32)
    with pytest.raises(ValueError, match="saved replay"):
        replay.set_state(other.get_state())
