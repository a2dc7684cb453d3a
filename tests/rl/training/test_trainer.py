"""The training loop: what an agent observes, when it is evaluated, which model is kept, when a run stops."""

from typing import Any

import numpy as np
import pytest

from nnlite import Sequential
from nnlite.layers import Dense
from rl.command.settings import AgentSettings
from rl.core.agent import Agent
from rl.core.evaluation import Evaluator
from rl.core.games import Games
from rl.envs.goals import MeanReturn
from rl.runs.run import open_run
from rl.training.progress import Progress
from rl.training.trainer import COLUMNS, Trainer
from tests.rl.games import Game, vector_of
from tests.rl.helpers import read_csv


class Counting(Game):
    """Pays 1 for action 1; ends for good after 7 steps, or is cut off after 4."""

    def __init__(self, cut: bool) -> None:
        self.cut, self.length = cut, 4 if cut else 7

    def pay(self, action):
        return float(action)


class Scripted(Agent):
    """Remembers every experience; plays better from the second evaluation on."""

    def __init__(self) -> None:
        self.model = Sequential([Dense(2)], seed=0).build((1,))
        self.told: list[Any] = []
        self.good_from = 40

    def act(self, observations):
        return np.ones(len(observations), np.int64)

    def observe(self, experience):
        self.steps += len(experience.rewards)
        self.told.append(experience)
        return {"train/loss": float(self.steps)}

    def greedy(self, observations):
        return np.full(len(observations), int(self.steps >= self.good_from))


def make(n):
    return vector_of(*(lambda cut=bool(i % 2): Counting(cut) for i in range(n)))


@pytest.fixture
def run(tmp_path):
    """A run in a new folder."""
    with open_run("test", AgentSettings(out=str(tmp_path)), (*COLUMNS, "train/loss")) as opened:
        yield opened


def trainer_for(run, total=200, keep_going=False, threshold=5.0, callback=None):
    agent = Scripted()
    evaluator = Evaluator(make(2), 2, MeanReturn(threshold), seed=0)
    settings = AgentSettings(total_timesteps=total, keep_going=keep_going, eval_freq=20, save_freq=0)
    progress = Progress(total, quiet=True)
    return agent, Trainer(agent, Games(make(2), 0), evaluator, settings, progress, run, callback)


def test_the_agent_sees_the_real_last_observation_and_how_the_game_ended(run):
    agent, trainer = trainer_for(run, total=60, threshold=99)
    trainer.train()
    for experience in agent.told:
        np.testing.assert_array_equal(experience.next_observations, experience.observations + 1)
        assert not experience.truncated[0] and not experience.terminated[1]
        assert experience.terminated[0] == (experience.next_observations[0, 0] == 7)
        assert experience.truncated[1] == (experience.next_observations[1, 0] == 4)
    assert sum(e.done.sum() for e in agent.told) == len(trainer.returns) > 5


def test_it_stops_when_solved_and_keeps_the_solved_model(run):
    agent, trainer = trainer_for(run)
    trainer.train()
    run.logger.flush()
    assert trainer.solved_at == agent.steps == 40
    assert trainer.best.mean == pytest.approx((7 + 4) / 2)
    assert (run.folder / "best.safetensors").exists()
    agent, trainer = trainer_for(run, keep_going=True)
    trainer.train()
    assert trainer.solved_at == 40 and agent.steps == 200


def test_one_good_evaluation_is_not_yet_solved(run):
    agent, trainer = trainer_for(run, total=100)
    evaluator = trainer.evaluator  # every second evaluation is good
    agent.greedy = lambda observations: np.full(len(observations), evaluator.calls % 2)
    trainer.train()
    assert trainer.solved_at is None and agent.steps == 100 and evaluator.calls > 5


def test_the_best_evaluation_is_kept_not_the_last(run):
    agent, trainer = trainer_for(run, threshold=99)
    saved = []
    agent.save = lambda path: saved.append(agent.steps)
    agent.good_from = 0
    agent.greedy = lambda observations: np.full(len(observations), int(agent.steps == 60))
    trainer.train()
    assert saved == [20, 60]


def test_logs_can_be_read_by_the_usual_tools(run):
    agent, trainer = trainer_for(run, total=100, threshold=99)
    trainer.train()
    run.logger.flush()
    monitor = (run.folder / "monitor.csv").read_text(encoding="utf-8").splitlines()
    assert monitor[0].startswith('#{"t_start"') and monitor[1] == "r,l,t"
    episodes = [tuple(map(float, line.split(",")[:2])) for line in monitor[2:]]
    assert episodes[:3] == [(4, 4), (7, 7), (4, 4)] and len(episodes) == len(trainer.returns)
    rows = read_csv(run.folder / "progress.csv")
    assert int(rows[-1]["time/total_timesteps"]) == 100
    assert float(rows[3]["train/loss"]) == float(rows[3]["time/total_timesteps"])
    assert any(path.name.startswith("events.out") for path in run.folder.iterdir())
