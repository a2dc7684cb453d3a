"""DQN in the style of CleanRL: one function, one Gymnasium environment, eager PyTorch, a replay of NumPy
arrays.

The structure follows CleanRL's dqn.py; the code is our own. The settings are those of bench/cartpole_loop.py.
"""

from __future__ import annotations

import gymnasium
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from bench.cartpole_loop import HIDDEN, PEER_STEPS, STARTS
from bench.questions import Work

BUFFER, BATCH, GAMMA, SYNC, EXPLORATION = 50_000, 32, 0.99, 100, 5_000


class Replay:
    """Transitions in arrays, sampled uniformly."""

    def __init__(self) -> None:
        self.observations, self.following = (np.zeros((BUFFER, 4), np.float32) for _ in range(2))
        self.actions, self.rewards, self.ends = (
            np.zeros(BUFFER, np.int64),
            np.zeros(BUFFER, np.float32),
            np.zeros(BUFFER, np.float32),
        )
        self.count = 0

    def add(self, *step: np.ndarray) -> None:
        at = self.count % BUFFER
        arrays: tuple[np.ndarray, ...] = (
            self.observations,
            self.following,
            self.actions,
            self.rewards,
            self.ends,
        )
        for array, value in zip(arrays, step):
            array[at] = value[0]
        self.count += 1

    def sample(self, rng: np.random.Generator) -> list[torch.Tensor]:
        rows = rng.integers(min(self.count, BUFFER), size=BATCH)
        return [
            torch.from_numpy(a[rows])
            for a in (self.observations, self.following, self.actions, self.rewards, self.ends)
        ]


def dqn(threads: int) -> Work:
    """Run PEER_STEPS environment steps."""
    torch.set_num_threads(threads)
    return Work(train, PEER_STEPS)


def train() -> None:
    rng = np.random.default_rng(0)
    envs = gymnasium.vector.SyncVectorEnv(
        [lambda: gymnasium.wrappers.RecordEpisodeStatistics(gymnasium.make("CartPole-v0"))],
        autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP,
    )
    online, target = (nn.Sequential(nn.Linear(4, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2)) for _ in range(2))
    target.load_state_dict(online.state_dict())
    optimizer = torch.optim.Adam(online.parameters(), 1e-3, fused=True)
    replay = Replay()
    observations, _ = envs.reset(seed=0)
    for step in range(PEER_STEPS):
        epsilon = max(1 - step / EXPLORATION, 0.05)
        if rng.random() < epsilon:
            actions = rng.integers(2, size=1)
        else:
            with torch.no_grad():
                actions = online(torch.from_numpy(observations)).argmax(1).numpy()
        following, rewards, terminated, truncated, infos = envs.step(actions)
        last = np.stack(infos["final_obs"][infos["_final_obs"]]) if "final_obs" in infos else following
        replay.add(observations, last, actions, rewards, terminated)
        observations = following
        if step < STARTS:
            continue
        now, then, taken, gained, ended = replay.sample(rng)
        with torch.no_grad():
            goal = gained + GAMMA * target(then).max(1).values * (1 - ended)
        loss = F.mse_loss(online(now).gather(1, taken[:, None])[:, 0], goal)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % SYNC == 0:
            for mine, theirs in zip(target.parameters(), online.parameters()):
                mine.data.copy_(theirs.data)
    envs.close()
