"""How many steps a second do the environments make?

Workload: everything that an agent does outside its network. Measured are one game through `gymnasium.make`,
with a Python call in each step; N games stepped by one call, as the agents play them; and a whole compiled
rollout, without Python between the steps. Our CartPole is compared with Gymnasium's: N environments in a
SyncVectorEnv, and its NumPy version of N games. The rate counts steps of single games. A step of Catcher
draws a screen of 64x64x3 bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.harness import compare
from bench.questions import Options, Question, Row, Side, Work

SIZES = (1, 16, 256, 4096)
ROLLOUT = 1000


def single(threads: int, env_id: str) -> Work:
    """Step one game through gymnasium.make; it restarts when it ends."""
    import gymnasium

    env = gymnasium.make(env_id)
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(100)]

    def step() -> None:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()

    return Work(step, len(actions))


def stepping(envs: Any) -> Work:
    """Step N games with random actions, drawn in advance."""
    envs.reset(seed=0)
    rng = np.random.default_rng(0)
    actions = list(rng.integers(0, envs.single_action_space.n, (16, envs.num_envs)))

    def step() -> None:
        for one in actions:
            envs.step(one)

    return Work(step, len(actions) * envs.num_envs)


def ours(threads: int, env_id: str, count: int) -> Work:
    """Step the games of make_vector, as the agents do."""
    from rl.envs import make_vector

    return stepping(make_vector(env_id, count))


def gymnasium_vector(threads: int, mode: str, count: int) -> Work:
    """Step Gymnasium's CartPole-v1 in mode "sync" or "vector_entry_point"."""
    import gymnasium

    return stepping(gymnasium.make_vec("CartPole-v1", count, vectorization_mode=mode))


def rollout(threads: int, count: int) -> Work:
    """Step Catcher in compiled code: ROLLOUT steps, over all N games, in one call."""
    from rl.envs import catcher_sim as sim

    rng = np.random.default_rng(0)
    states = np.zeros((count, sim.COLUMNS))
    sim.start_games(states, slice(None), rng)
    size = (ROLLOUT // count, count)
    screens = np.zeros((count, *sim.SCREEN_SHAPE), np.uint8)
    arrays = (screens, np.zeros(size), np.zeros(size, np.bool_), np.zeros(size, np.bool_))
    actions = rng.integers(0, 3, size)
    return Work(lambda: sim.rollout(rng, states, actions, 1000, *arrays), actions.size)


def question(work: str, *sides: Side) -> Question:
    return Question("E", "environments", work, "steps/s", sides, threads=(1,))


def cartpole(count: int) -> Question:
    modes = (("Gymnasium, one by one", "sync"), ("Gymnasium, NumPy", "vector_entry_point"))[count > 256 :]
    return question(
        f"CartPole-v1, N = {count:,}",
        Side("nnlite", "bench.environments:ours", ("CartPole-v1", count)),
        *(
            Side(name, "bench.environments:gymnasium_vector", (mode, count), ("gymnasium",))
            for name, mode in modes
        ),
    )


QUESTIONS = (
    question(
        "one game through gymnasium.make",
        *(
            Side(env_id, "bench.environments:single", (env_id,), peer=False)
            for env_id in ("rl:rl/Catcher-v0", "rl:rl/Maze-v0", "rl:rl/Bandit-v0", "CartPole-v1")
        ),
    ),
    *(cartpole(count) for count in SIZES),
    question(
        "rl/Catcher-v0, N games",
        *(
            Side(f"N = {count:,}", "bench.environments:ours", ("rl/Catcher-v0", count), peer=False)
            for count in SIZES
        ),
        *(
            Side(f"compiled rollout, N = {count}", "bench.environments:rollout", (count,), peer=False)
            for count in (1, 8)
        ),
    ),
)


def run(options: Options) -> list[Row]:
    return [row for one in QUESTIONS for row in compare(one, options)]
