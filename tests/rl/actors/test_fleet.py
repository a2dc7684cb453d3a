"""Actors feed a learner: steps and updates, the way of the weights, deaths; on paper, then with Ray."""

import dataclasses
import functools
import importlib.util
import os
import signal
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from nnlite_ext._replay import LAST, MOVE

from rl import dqn
from rl.actors import fleet, ray_cluster
from rl.actors.actor import Actor, Weights
from rl.actors.fleet import COLUMNS, DEATHS, KEY, Fleet
from rl.command.errors import UsageError
from rl.core.observer import make_observed
from rl.core.seeding import streams
from rl.runs.checkpoint import Checkpoints
from rl.runs.signals import Interrupted
from tests.rl.actors.paper_ray import ObjectLostError, PaperRay, RayActorError, RayTaskError
from tests.rl.helpers import read_csv, read_json, run_folder_in, settings_of, train, two_lines

pytestmark = pytest.mark.usefixtures("one_thread")
MAKER = "rl.dqn:DQN"
SMALL = {**dqn.TEST, "actors": 3, "num_envs": 2, "segment": 5, "broadcast": 4, "hidden": (5,)}
SMALL |= {"train_freq": 3, "learning_starts": 40, "buffer_size": 1200, "n_step": 2}


@pytest.fixture
def paper(monkeypatch):
    ray = PaperRay()
    monkeypatch.setattr(fleet, "import_ray", lambda local: ray)
    return ray


def fleet_of(**changes):
    """A small fleet on CartPole, its learner as `agent`, its next turn by `turn()`."""
    settings = settings_of("dqn", **{**SMALL, **changes})
    envs = make_observed(settings.env_id, settings.num_envs)
    spaces = envs.single_observation_space, envs.single_action_space
    source = Fleet(dqn.DQN, settings)
    source.agent = dqn.DeepQNetworkAgent(*spaces, settings, streams(0))
    source.turn = functools.partial(next, source.play(source.agent))
    return source


def actor_of(source, key):
    """(actor, weights of the learner)"""
    weights = Weights(source.agent.model.params, source.agent.model.state)
    return Actor(MAKER, dataclasses.asdict(source.settings), key), weights


def test_updates_keep_their_ratio_to_the_steps(paper):
    source = fleet_of()
    agent, s = source.agent, source.settings
    for number in range(1, 40):
        source.turn()
        assert agent.steps == number * s.segment * s.num_envs
        assert agent.updates == max(0, agent.steps // s.train_freq - s.learning_starts // s.train_freq)
        assert len(source._pending) == s.actors
    stored = (agent.replay.kind % LAST != 0).sum(axis=1).reshape(s.actors, s.num_envs)
    assert stored.sum() == agent.steps and stored.all()  # every step, in its own game's ring
    assert np.all(stored[:, 0] == stored[:, 1])
    assert source.status() == pytest.approx({"actors/playing": 3, "actors/waited": 0, "actors/lag": 6}, abs=5)
    assert set(source.status()) == set(COLUMNS) and source.status()["actors/lag"] == 0


def test_actors_play_with_the_weights_that_were_broadcast(paper):
    source = fleet_of()
    source.turn()
    agent, s, ages = source.agent, source.settings, []
    for _ in range(60):
        before = agent.updates
        asked = list(source._pending)
        source.turn()
        (gone,) = set(asked) - set(source._pending)
        updates, _, weights = gone.words
        np.testing.assert_array_equal(gone.handle.inner.agent.model.params, weights.params)
        ages.append(before - updates)
    least = agent.updates // (s.broadcast + 4)  # 4 updates a segment at most
    assert 1 + least <= len(paper.puts) <= 1 + agent.updates // s.broadcast
    assert not np.array_equal(paper.puts[0].params, paper.puts[-1].params)
    assert 0 < max(ages) < 100 and any(age > 0 for age in ages)


def test_exploration_follows_the_learners_steps(paper):
    source = fleet_of()
    for _ in range(100):
        source.turn()
    late = [one.words[1] for one in source._pending]
    assert max(late) >= source.agent.steps - source.stride
    actor, weights = actor_of(source, (KEY, 0, 9))
    actor.play(0, 40, weights)
    assert actor.agent.epsilon == 1
    actor.play(0, 3_000, weights)
    assert actor.agent.epsilon == pytest.approx(1 - 0.95 * (3_000 - 40) / 5_000, abs=1e-6)


def test_every_actor_has_games_of_its_own_and_a_new_one_has_others(paper):
    keys = [(KEY, number, birth) for number, birth in ((0, 0), (1, 1), (0, 2))]
    source, frames = fleet_of(), []
    for key in (*keys, keys[0]):
        actor, weights = actor_of(source, key)
        frames.append(actor.play(0, 0, weights).slots.frames)
    assert np.array_equal(frames[0], frames[3])
    assert not any(np.array_equal(frames[a], frames[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    drawn = [streams(0, key).exploration.random() for key in ((), (0,), (1,), *keys)]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("problem", [RayActorError("it died\nlong ago"), ObjectLostError("its node died")])
def test_an_actor_that_dies_is_replaced_and_its_games_are_cut_off(paper, problem):
    source = fleet_of()
    for _ in range(30):
        source.turn()
    replay, first = source.agent.replay, source._actors[1]
    paper.dies[1] = problem
    said, before = "", replay.kind.copy()
    while not said:
        kind, written, steps = replay.kind.copy(), replay.written.copy(), source.agent.steps
        said = source.turn().message
    assert said == f"actor 1 is gone ({type(problem).__name__}), another one takes its place"
    assert source.agent.steps == steps and np.array_equal(written, replay.written) and before.any()
    changed = np.argwhere(kind != replay.kind)
    assert changed[:, 0].tolist() == [2, 3]  # its games are rings 2 and 3
    for ring, slot in changed:
        assert slot == (written[ring] - 1) % replay.length
        assert (kind[ring, slot], replay.kind[ring, slot]) == (MOVE, LAST)
    assert paper.killed == [first] and paper.born[-1].key == (KEY, 1, 3)
    assert source.status()["actors/playing"] == 2
    for _ in range(20):
        source.turn()
    assert source.status()["actors/playing"] == 3


def test_deaths_without_end_stop_the_run(paper):
    source = fleet_of(actors=1)

    def die(times):
        for _ in range(times):
            paper.dies[0] = RayActorError("again")
            assert source.turn().message

    for _ in range(2):
        die(DEATHS)
        source.turn()  # it has sent something: the count begins anew
    die(DEATHS)
    paper.dies[0] = RayActorError("again")
    with pytest.raises(RuntimeError, match="died 4 times before it sent anything: again\n  "):
        source.turn()


def test_actors_that_cannot_start_stop_the_run(paper):
    source = fleet_of(actors=1)
    paper.dies[0] = RayActorError("in its creation task\nModuleNotFoundError: No module named 'mine'")
    paper.dies[0].actor_init_failed = True
    cause = "cannot start: ModuleNotFoundError: No module named 'mine'\n  every machine"
    with pytest.raises(RuntimeError, match=cause):
        source.turn()


def test_an_error_in_a_game_reaches_the_learner_unchanged(paper):
    source = fleet_of()
    paper.dies = dict.fromkeys(range(3), RayTaskError(FloatingPointError("the reward of game 0 is nan")))
    with pytest.raises(FloatingPointError, match="the reward of game 0 is nan"):
        source.turn()


def test_a_resumed_fleet_cuts_every_game_off_and_repeats_no_random_numbers(paper):
    source = fleet_of()
    for _ in range(30):
        source.turn()
    state, inside = source.get_state(), source.agent.get_state()
    other = fleet_of()
    other.agent.set_state(inside)
    other.set_state(state, other.agent)
    newest = (other.agent.replay.written - 1) % other.agent.replay.length
    assert not np.any(other.agent.replay.kind[np.arange(6), newest] == MOVE)
    other.turn()
    born = [handle.key for handle in paper.born]
    assert len(born) == len(set(born)) == 6
    assert other.agent.steps == source.agent.steps + other.stride


def test_silence_is_broken_once_in_a_while(paper, monkeypatch):
    source = fleet_of()
    source.turn()
    now = [0.0]
    monkeypatch.setattr(fleet.time, "perf_counter", lambda: now[0])
    source._heard = source._since = 0.0
    source._playing.clear()
    paper.wait = lambda asked, timeout: ([], asked)
    said = []
    for second in range(1, 26):
        now[0] = float(second)
        played = source.turn()
        assert played.metrics is None and not played.episodes
        if played.message:
            said.append((second, played.message))
    assert [second for second, _ in said] == [10, 20] and "3 of 3 wait for a free core" in said[0][1]


def test_without_ray_or_without_a_cluster_two_lines_say_so(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr(sys, "argv", ["dqn", "--test", "--actors", "2", "--out", str(tmp_path)])
    assert dqn.main() == 2
    what, remedy = two_lines(capsys)
    assert what == "error: --actors needs Ray, which is not installed"
    assert remedy == "  pip install '.[ray]', or leave --actors away"
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
        settings_of("dqn", **{**SMALL, **changes})


@pytest.mark.thorough
@pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="needs ray: pip install -e '.[dev]'")
def test_a_run_with_ray_survives_the_kill_of_an_actor_stops_and_is_resumed(
    tmp_path, monkeypatch, capfd, no_pictures
):
    ray = ray_cluster.import_ray(local=True)
    assert ray_cluster.connect(ray, "", 2)
    step = Fleet._turn

    def killing(self):
        played = step(self)
        said.append(played.message)
        if self.agent.steps >= 300 and not killed:
            killed.append(ray.get(self._actors[0].__ray_call__.remote(lambda actor: os.getpid())))
            os.kill(killed[0], getattr(signal, "SIGKILL", signal.SIGTERM))
        if self.agent.steps > 1_200 and any("is gone" in line for line in said):
            signal.raise_signal(signal.SIGTERM)
            monkeypatch.setattr(Fleet, "_turn", step)
        return played

    killed, said = [], []
    monkeypatch.setattr(Fleet, "_turn", killing)
    settings = {**dqn.TEST, "actors": 2, "eval_freq": 0, "eval_episodes": 3, "out": str(tmp_path)}
    try:
        with pytest.raises(Interrupted, match="stopped after ") as stop:
            train("dqn", **settings)
        assert stop.value.code == 128 + signal.SIGTERM
        assert "actor 0 is gone (ActorDiedError), another one takes its place" in said
        folder = run_folder_in(tmp_path)
        before = Checkpoints(folder).load()["agent"]["steps"]
        again = {**settings, "resume": str(folder), "total_timesteps": before + 320}
        agent = train("dqn", **again).agent
        assert f"resumed at step {before:,}" in capfd.readouterr().out
        assert agent.steps == before + 320 and agent.updates == agent.steps - 1_000
        assert read_json(folder / "config.json")["settings"]["actors"] == 2
        assert {row["actors/playing"] for row in read_csv(folder / "progress.csv")} <= {"1", "2"}
        assert (folder / "last.safetensors").is_file() and (folder / "best.safetensors").is_file()
    finally:
        ray.shutdown()
