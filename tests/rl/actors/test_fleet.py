"""Actors feed a learner: the ratio of steps to updates, the weights' way, deaths; first with a Ray of paper,
then with Ray.
"""

from __future__ import annotations

import csv
import dataclasses
import importlib.util
import json
import os
import signal
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from rl import dqn
from rl.actors import fleet, ray_cluster
from rl.actors.actor import Actor, Weights
from rl.actors.fleet import COLUMNS, DEATHS, KEY, Fleet
from rl.actors.slots import LAST, MOVE
from rl.command import threads
from rl.command.errors import UsageError
from rl.core.observer import make_observed
from rl.core.seeding import streams
from rl.runs.checkpoint import Checkpoints
from rl.runs.signals import Interrupted
from rl.training import experiment

MAKER = "rl.dqn:DeepQNetworkAgent"
SMALL = {
    **dqn.TEST,
    "actors": 3,
    "num_envs": 2,
    "segment": 5,
    "broadcast": 4,
    "train_freq": 3,
    "learning_starts": 40,
    "buffer_size": 1200,
    "n_step": 2,
    "hidden": (5,),
}


class RayActorError(Exception):
    actor_init_failed = False


class ObjectLostError(Exception):
    pass


class RayTaskError(Exception):
    def __init__(self, cause):
        self.cause = cause


class PaperRay:
    """Ray's calls in one process; whoever is asked plays when waited for.

    `dies` holds actors whose next segment never comes.
    """

    exceptions = SimpleNamespace(
        RayActorError=RayActorError, ObjectLostError=ObjectLostError, RayTaskError=RayTaskError
    )

    def __init__(self):
        self.born, self.killed, self.puts, self.dies = [], [], [], {}
        self.order = np.random.default_rng(0)

    def is_initialized(self):
        return True

    def put(self, value):
        self.puts.append(Weights(*(array.copy() for array in value)))
        return self.puts[-1]

    def kill(self, handle):
        self.killed.append(handle)

    def remote(self, num_cpus):
        assert num_cpus == 1

        def start(cls, *arguments):
            inner = cls(*arguments)
            handle = SimpleNamespace(inner=inner, key=arguments[2])
            handle.play = SimpleNamespace(remote=lambda *words: Asked(handle, words))
            self.born.append(handle)
            return handle

        return lambda cls: SimpleNamespace(remote=lambda *arguments: start(cls, *arguments))

    def wait(self, asked, timeout):
        assert timeout and len({id(one.handle) for one in asked}) == len(
            asked
        )  # one segment of each actor, no more
        return [asked[self.order.integers(len(asked))]], []

    def get(self, asked):
        problem = self.dies.pop(asked.handle.key[1], None)
        if problem is not None:
            raise problem
        return asked.handle.inner.play(*asked.words)


class Asked:
    """The reference to a segment."""

    def __init__(self, handle, words):
        self.handle, self.words = handle, words


@pytest.fixture
def paper(monkeypatch):
    ray = PaperRay()
    monkeypatch.setattr(fleet, "ray_module", lambda local: ray)
    return ray


def fleet_of(**changes):
    threads.use_threads(1)
    settings = dqn.Settings(**{**SMALL, **changes})
    settings.validate()
    envs = make_observed(settings.env_id, settings.num_envs)
    agent = dqn.DeepQNetworkAgent(
        envs.single_observation_space, envs.single_action_space, settings, streams(0)
    )
    return Fleet(agent, MAKER, settings)


def test_updates_keep_their_ratio_to_the_steps_whoever_is_faster(paper):
    source = fleet_of()
    source.begin()
    agent, s = source.agent, source.settings
    for number in range(1, 40):
        source.step()
        assert agent.steps == number * s.segment * s.num_envs
        assert agent.updates == max(0, agent.steps // s.train_freq - s.learning_starts // s.train_freq)
        assert len(source._pending) == s.actors
    stored = (agent.replay.kind % LAST != 0).sum(axis=1).reshape(s.actors, s.num_envs)
    assert (
        stored.sum() == agent.steps and np.all(stored[:, 0] == stored[:, 1]) and stored.all()
    )  # every step, in its own game's ring
    assert source.status() == pytest.approx({"actors/playing": 3, "actors/waited": 0, "actors/lag": 6}, abs=5)
    assert set(source.status()) == set(COLUMNS) and source.status()["actors/lag"] == 0


def test_weights_go_out_every_so_many_updates_and_are_those_that_are_played_with(paper):
    source = fleet_of()
    source.begin()
    agent, s, ages = source.agent, source.settings, []
    for _ in range(60):
        before = agent.updates
        asked = list(source._pending)
        source.step()
        (gone,) = set(asked) - set(source._pending)
        updates, _, weights = gone.words
        np.testing.assert_array_equal(gone.handle.inner.agent.model.params, weights.params)
        ages.append(before - updates)
    assert (
        1 + agent.updates // (s.broadcast + 4) <= len(paper.puts) <= 1 + agent.updates // s.broadcast
    )  # at most 4 updates a segment
    assert not np.array_equal(paper.puts[0].params, paper.puts[-1].params)
    assert 0 < max(ages) < 100 and any(age > 0 for age in ages)


def test_exploration_follows_the_learners_steps(paper):
    source = fleet_of()
    source.begin()
    for _ in range(100):
        source.step()
    late = [one.words[1] for one in source._pending]
    assert max(late) >= source.agent.steps - source.stride
    actor = Actor(MAKER, dataclasses.asdict(source.settings), (KEY, 0, 9))
    actor.play(0, 40, Weights(source.agent.model.params, source.agent.model.state))
    assert actor.agent.epsilon == 1
    actor.play(0, 3_000, Weights(source.agent.model.params, source.agent.model.state))
    assert actor.agent.epsilon == pytest.approx(1 - 0.95 * (3_000 - 40) / 5_000, abs=1e-6)


def test_every_actor_has_games_of_its_own_and_a_new_one_has_others(paper):
    keys = [(KEY, number, birth) for number, birth in ((0, 0), (1, 1), (0, 2))]
    source = fleet_of()
    weights = Weights(source.agent.model.params, source.agent.model.state)
    first = [
        Actor(MAKER, dataclasses.asdict(source.settings), key).play(0, 0, weights) for key in (*keys, keys[0])
    ]
    frames = [segment.slots.frames for segment in first]
    assert np.array_equal(frames[0], frames[3]) and not any(
        np.array_equal(frames[a], frames[b]) for a, b in ((0, 1), (0, 2), (1, 2))
    )
    drawn = [streams(0, key).exploration.random() for key in ((), (0,), (1,), *keys)]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("problem", [RayActorError("it died\nlong ago"), ObjectLostError("its node died")])
def test_an_actor_that_dies_is_replaced_and_its_games_are_cut_off(paper, problem):
    source = fleet_of()
    source.begin()
    for _ in range(30):
        source.step()
    replay, first = source.agent.replay, source._actors[1]
    paper.dies[1] = problem
    said, before = "", replay.kind.copy()
    while not said:
        kind, written, steps = replay.kind.copy(), replay.written.copy(), source.agent.steps
        said = source.step().said
    assert said == f"actor 1 is gone ({type(problem).__name__}), another one takes its place"
    assert source.agent.steps == steps and np.array_equal(written, replay.written) and before.any()
    changed = np.argwhere(kind != replay.kind)
    assert changed[:, 0].tolist() == [2, 3]  # its games are rings 2 and 3
    for ring, slot in changed:
        assert (
            slot == (written[ring] - 1) % replay.length
            and kind[ring, slot] == MOVE
            and replay.kind[ring, slot] == LAST
        )
    assert (
        paper.killed == [first]
        and paper.born[-1].key == (KEY, 1, 3)
        and source.status()["actors/playing"] == 2
    )
    for _ in range(20):
        source.step()
    assert source.status()["actors/playing"] == 3


def test_deaths_without_end_and_actors_that_cannot_start_stop_the_run(paper):
    source = fleet_of(actors=1)
    source.begin()
    for _ in range(DEATHS):
        paper.dies[0] = RayActorError("again")
        assert source.step().said
    source.step()  # it has sent something: the count begins anew
    for _ in range(DEATHS):
        paper.dies[0] = RayActorError("again")
        assert source.step().said
    paper.dies[0] = RayActorError("again")
    with pytest.raises(RuntimeError, match="died 4 times before it sent anything: again\n  "):
        source.step()
    source = fleet_of(actors=1)
    source.begin()
    paper.dies[0] = RayActorError("in its creation task\nModuleNotFoundError: No module named 'mine'")
    paper.dies[0].actor_init_failed = True
    with pytest.raises(
        RuntimeError, match="cannot start: ModuleNotFoundError: No module named 'mine'\n  every machine"
    ):
        source.step()


def test_what_goes_wrong_in_a_game_is_told_as_it_is_without_actors(paper):
    source = fleet_of()
    source.begin()
    paper.dies[0] = paper.dies[1] = paper.dies[2] = RayTaskError(
        FloatingPointError("the reward of game 0 is nan")
    )
    with pytest.raises(FloatingPointError, match="the reward of game 0 is nan"):
        source.step()


def test_a_resumed_fleet_cuts_every_game_off_and_repeats_no_random_numbers(paper):
    source = fleet_of()
    source.begin()
    for _ in range(30):
        source.step()
    state, inside = source.get_state(), source.agent.get_state()
    other = fleet_of()
    other.agent.set_state(inside)
    other.set_state(state)
    newest = (other.agent.replay.written - 1) % other.agent.replay.length
    assert not np.any(other.agent.replay.kind[np.arange(6), newest] == MOVE)
    assert [handle.key for handle in paper.born] == [
        (KEY, number, birth) for birth, number in enumerate([0, 1, 2, 0, 1, 2])
    ]
    other.step()
    assert other.agent.steps == source.agent.steps + other.stride


def test_silence_is_broken_once_in_a_while(paper, monkeypatch):
    source = fleet_of()
    source.begin()
    now = [0.0]
    monkeypatch.setattr(fleet.time, "perf_counter", lambda: now[0])
    source._heard = source._since = 0.0
    paper.wait = lambda asked, timeout: ([], asked)
    said = []
    for second in range(1, 26):
        now[0] = float(second)
        played = source.step()
        assert played.metrics is None and not played.episodes
        if played.said:
            said.append((second, played.said))
    assert [second for second, _ in said] == [10, 20] and "3 of 3 wait for a free core" in said[0][1]


def test_without_ray_or_without_a_cluster_two_lines_say_so(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr(sys, "argv", ["dqn", "--test", "--actors", "2", "--out", str(tmp_path)])
    assert dqn.main() == 2
    assert (
        capsys.readouterr().err == "error: --actors needs Ray, which is not installed\n"
        "  pip install '.[ray]', or leave --actors away\n"
    )
    assert not list(tmp_path.iterdir())

    def refuse(**words):
        raise ConnectionError("nobody\nanswers")

    with pytest.raises(UsageError, match="no Ray cluster at auto: nobody answers\n  start one"):
        ray_cluster.connect(SimpleNamespace(is_initialized=lambda: False, init=refuse), "auto", 2)


@pytest.mark.parametrize(
    "changes, what",
    [
        ({"actors": -1}, "--actors is -1"),
        ({"segment": 0}, "--segment is 0"),
        ({"broadcast": 0}, "--broadcast is 0"),
        ({"actors": 0, "ray_address": "auto"}, "--ray-address without --actors"),
        ({"buffer_size": 100}, "--buffer-size is 100"),
    ],
)
def test_settings_that_cannot_work_are_answered(changes, what):
    with pytest.raises(UsageError, match=what):
        dqn.Settings(**{**SMALL, **changes}).validate()


@pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="Ray is not installed: pip install '.[ray]'")
def test_a_run_with_ray_survives_the_kill_of_an_actor_stops_in_good_order_and_goes_on(
    tmp_path, monkeypatch, capfd
):
    ray = ray_cluster.ray_module(local=True)
    threads.use_threads(1)
    assert ray_cluster.connect(ray, "", 2)
    step = Fleet.step

    def killing(self):
        played = step(self)
        said.append(played.said)
        if self.agent.steps >= 300 and not killed:
            killed.append(ray.get(self._actors[0].__ray_call__.remote(lambda actor: os.getpid())))
            os.kill(killed[0], getattr(signal, "SIGKILL", signal.SIGTERM))
        if self.agent.steps > 1_200 and any("is gone" in line for line in said):
            signal.raise_signal(signal.SIGTERM)
            monkeypatch.setattr(Fleet, "step", step)
        return played

    killed = []
    said = []
    monkeypatch.setattr(Fleet, "step", killing)
    monkeypatch.setattr(experiment, "finish", lambda *_: None)  # plots and pictures are not the question here
    settings = dqn.Settings(
        **{**dqn.TEST, "actors": 2, "eval_freq": 0, "eval_episodes": 3, "out": str(tmp_path)}
    )
    try:
        with pytest.raises(Interrupted, match="stopped after ") as stop:
            experiment.train("dqn", settings, dqn.DeepQNetworkAgent, dqn.METRICS)
        assert stop.value.code == 128 + signal.SIGTERM
        assert "actor 0 is gone (ActorDiedError), another one takes its place" in said
        (folder,) = tmp_path.glob("dqn__*")
        before = Checkpoints(folder).load()["agent"]["steps"]
        again = dataclasses.replace(settings, resume=str(folder), total_timesteps=before + 320)
        agent = experiment.train("dqn", again, dqn.DeepQNetworkAgent, dqn.METRICS).trainer.agent
        assert f"resumed at step {before:,}" in capfd.readouterr().out
        assert agent.steps == before + 320 and agent.updates == agent.steps - 1_000
        assert json.loads((folder / "config.json").read_text(encoding="utf-8"))["settings"]["actors"] == 2
        with open(folder / "progress.csv", encoding="utf-8", newline="") as file:
            assert {row["actors/playing"] for row in csv.DictReader(file)} <= {"1", "2"}
        assert (folder / "last.safetensors").is_file() and (folder / "best.safetensors").is_file()
    finally:
        ray.shutdown()
