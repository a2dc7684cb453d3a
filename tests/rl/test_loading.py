"""load: every kind of run and file gives an agent that goes on, or two lines that say why not."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest

import nnlite as K
from nnlite import names
from nnlite.attributes import put
from rl import A2C, DQN, PolicyGradient, ValueFunction, load
from rl.command.config import read_config
from rl.command.errors import UsageError
from rl.runs.checkpoint import Checkpoints
from rl.runs.run_folder import write_json
from rl.training.algorithm import Algorithm
from tests.rl.training.test_algorithm import corridor

MAKE = {
    "DQN": functools.partial(DQN, learning_starts=50, eval_freq=0, eval_episodes=2),
    "A2C": functools.partial(A2C, eval_freq=0, eval_episodes=2),
    "PolicyGradient": functools.partial(PolicyGradient, n_steps=32, eval_freq=0, eval_episodes=2),
    "ValueFunction": functools.partial(ValueFunction, learning_starts=50, eval_freq=0, eval_episodes=2),
}
STATES = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)


def folder_of(tmp_path):
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    return folder


@pytest.mark.parametrize("name", MAKE)
def test_a_saved_agent_predicts_the_same_and_learns_on(name, tmp_path):
    agent = MAKE[name]("CartPole-v1", seed=1).learn(400)
    agent.save(tmp_path / "agent.safetensors")
    other = load(tmp_path / "agent.safetensors")
    assert type(other) is type(agent) and other.settings == agent.settings
    assert other.predict(STATES).tolist() == agent.predict(STATES).tolist()
    before = other.model.params.copy()
    assert other.learn(400).steps >= 400 and not np.array_equal(before, other.model.params)


@pytest.mark.parametrize("name", MAKE)
def test_a_run_is_loaded_at_its_checkpoint_and_goes_on_exactly(name, tmp_path):
    whole = MAKE[name]("CartPole-v1", seed=1).learn(700)
    MAKE[name]("CartPole-v1", seed=1).learn(400, run=tmp_path)
    agent = load(folder_of(tmp_path))
    np.testing.assert_array_equal(agent.learn(whole.steps - agent.steps).model.params, whole.model.params)


def test_a_run_of_actors_goes_on_in_one_process(tmp_path):
    agent = MAKE["DQN"]("CartPole-v1", num_envs=2).learn(300, run=tmp_path)
    folder = folder_of(tmp_path)
    checkpoints = Checkpoints(folder)
    state = checkpoints.load()
    for name in ("games", "observations", "running_return", "running_length"):
        del state[name]
    checkpoints.save({**state, "births": 2})
    checkpoints.wait()
    config = read_config(folder)
    config["settings"] |= {"actors": 2, "num_envs": 1}
    write_json(folder / "config.json", config)
    other = load(folder)
    assert (other.settings.actors, other.settings.num_envs, other.steps) == (0, 2, agent.steps)
    assert other.learn(100).steps == agent.steps + 100


@pytest.mark.parametrize("file", ["best.safetensors", "last.safetensors"])
def test_a_file_of_a_run_is_an_agent(file, tmp_path):
    agent = MAKE["DQN"]("CartPole-v1").learn(300, run=tmp_path)
    other = load(folder_of(tmp_path) / file)
    assert other.evaluate(2).complete
    if file == "last.safetensors":
        assert other.predict(STATES).tolist() == agent.predict(STATES).tolist()


def test_a_run_without_its_checkpoint_gives_its_last_model(tmp_path):
    agent = MAKE["DQN"]("CartPole-v1").learn(300, run=tmp_path)
    for file in folder_of(tmp_path).glob("checkpoint*"):
        file.unlink()
    other = load(folder_of(tmp_path))
    assert other.steps == 0 and other.predict(STATES).tolist() == agent.predict(STATES).tolist()


def test_a_network_of_ones_own_comes_back(tmp_path):
    def network(shape, outputs, rng):
        return K.Sequential([K.layers.Dense(7, activation="tanh"), K.layers.Dense(outputs)], seed=rng)

    agent = MAKE["DQN"]("CartPole-v1", network=network).learn(300)
    agent.save(tmp_path / "own.safetensors")
    other = load(tmp_path / "own.safetensors")
    assert (
        other.model.layers[0].units == 7 and other.predict(STATES).tolist() == agent.predict(STATES).tolist()
    )


@pytest.fixture
def only_here():
    """Forget after the test what it registers."""
    before = dict(names.REGISTERED)
    yield
    names.REGISTERED.clear()
    names.REGISTERED.update(before)


class Stretch(K.layers.Layer):
    """A layer of one's own: y = factor * x * gain."""

    def __init__(self, factor, **common):
        super().__init__(**common)
        self.factor = factor

    def build(self, input_shape):
        self.add_weight("gain", input_shape, "ones")
        return input_shape

    def bound(self):
        (gain,) = self.weights
        self.gain, self.dgain = gain.value, gain.gradient

    def forward(self, x, training=False):
        if training:
            self._keep(x)
        return self.factor * x * self.gain

    def backward(self, dy, need_dx=True):
        (x,) = self._take_cache()
        self.dgain[...] = (self.factor * x * dy).sum(axis=0)
        return self.factor * dy * self.gain if need_dx else None

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def stretched(shape, outputs, rng):
    return K.Sequential([K.layers.Dense(8, "tanh"), Stretch(0.5), K.layers.Dense(outputs)], seed=rng)


@pytest.mark.parametrize("name", MAKE)
def test_a_layer_of_ones_own_is_saved_loaded_and_resumed(name, tmp_path, only_here):
    K.saving.register(Stretch)
    straight = MAKE[name]("CartPole-v1", network=stretched).learn(600)
    agent = MAKE[name]("CartPole-v1", network=stretched).learn(300, run=tmp_path)
    agent.save(tmp_path / "own.safetensors")
    other = load(tmp_path / "own.safetensors")
    assert type(other.model.get_layer("stretch")) is Stretch
    assert other.predict(STATES).tolist() == agent.predict(STATES).tolist()
    resumed = load(folder_of(tmp_path)).learn(300)
    assert resumed.model.params.tobytes() == straight.model.params.tobytes()


def test_an_unregistered_layer_of_ones_own_is_named_when_it_is_loaded(tmp_path, only_here):
    agent = MAKE["DQN"]("CartPole-v1", network=stretched)
    agent.save(tmp_path / "own.safetensors")
    with pytest.raises(UsageError, match="unknown layer class 'Stretch'.*register it"):
        load(tmp_path / "own.safetensors")
    K.saving.register(Stretch)
    assert load(tmp_path / "own.safetensors").predict(STATES).tolist() == agent.predict(STATES).tolist()


def test_a_run_that_could_not_write_its_network_does_not_begin(tmp_path):
    class Forgets(Stretch):
        def get_config(self):
            return K.layers.Layer.get_config(self)

    def network(shape, outputs, rng):
        return K.Sequential([Forgets(0.5), K.layers.Dense(outputs)], seed=rng)

    agent = MAKE["A2C"]("CartPole-v1", network=network, normalize_observations=False)
    with pytest.raises(
        UsageError, match="Forgets cannot be saved: .* leaves out 'factor'.*\n  .*without run="
    ):
        agent.learn(300, run=tmp_path)
    assert not list(tmp_path.iterdir())
    assert agent.steps == 0 and agent.learn(100).steps >= 100


def test_an_environment_of_ones_own_is_given_again(tmp_path):
    path = tmp_path / "corridor.safetensors"
    DQN(corridor, learning_starts=50).learn(200).save(path)
    with pytest.raises(UsageError, match="no environment 'corridor'.*\n  .*give it: load"):
        load(path)
    assert load(path, env=corridor).evaluate(2).complete


class Own(Algorithm):
    """An algorithm of a user's own."""

    article, settings_class = "own", DQN.settings_class
    agent_class, metrics = DQN.agent_class, DQN.metrics


def test_an_algorithm_of_ones_own_is_given_again(tmp_path):
    path = tmp_path / "own.safetensors"
    Own("CartPole-v1").save(path)
    with pytest.raises(UsageError, match="of own, which is no agent\n  .*algorithm="):
        load(path)
    assert type(load(path, algorithm=Own)) is Own
    for wrong in (A2C, "Own", Own("CartPole-v1")):
        with pytest.raises(UsageError, match="\n  give "):
            load(path, algorithm=wrong)


def test_a_class_without_a_name_is_not_taken_for_its_base(tmp_path):
    class Mine(DQN):
        """Only its target differs, for example."""

    Mine("CartPole-v1").save(tmp_path / "mine.safetensors")
    with pytest.raises(UsageError, match="of mine, which is no agent"):
        load(tmp_path / "mine.safetensors")
    assert type(load(tmp_path / "mine.safetensors", algorithm=Mine)) is Mine


def test_a_file_decides_no_import(tmp_path, monkeypatch):
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    agent = DQN("CartPole-v1")
    put(agent, "settings", replace(agent.settings, env_id="evil:CartPole-v1"))
    agent.save(tmp_path / "agent.safetensors")
    with pytest.raises(
        UsageError, match='trained on evil:CartPole-v1\n  give it: load.*env="evil:CartPole-v1"'
    ):
        load(tmp_path / "agent.safetensors")


def plain_network(tmp_path):
    K.Sequential([K.layers.Dense(2, input_shape=(4,))]).save(tmp_path / "plain.safetensors")
    return tmp_path / "plain.safetensors"


def damaged(tmp_path):
    DQN("CartPole-v1").save(tmp_path / "damaged.safetensors")
    data = (tmp_path / "damaged.safetensors").read_bytes()
    (tmp_path / "damaged.safetensors").write_bytes(data[:-3] + b"abc")
    return tmp_path / "damaged.safetensors"


@pytest.mark.parametrize(
    "notes",
    [
        "{",
        "[]",
        "null",
        '{"article": "dqn"}',
        '{"article": "dqn", "settings": 3}',
        "[" * 100_000,
        '{"article": "dqn", "settings": {"buffer_size": 1000000000000000000}}',
        '{"article": "dqn", "settings": {"seed": "x"}}',
        '{"article": ["dqn"], "settings": {}}',
    ],
)
def test_notes_that_nobody_wrote_are_refused(notes, tmp_path):
    model = DQN("rl/Catcher-v0", num_envs=1, buffer_size=100).model
    K.models.save_model(model, tmp_path / "odd.safetensors", notes={"agent": notes})
    with pytest.raises(UsageError):
        load(tmp_path / "odd.safetensors")


def digits_run(tmp_path):
    from rl.digits.command import main

    assert main(["--epochs", "1", "--out", str(tmp_path)]) == 0
    return folder_of(tmp_path)


def maze_run(tmp_path):
    from rl.maze.command import main

    assert main(["--out", str(tmp_path)]) == 0
    return folder_of(tmp_path)


@pytest.mark.parametrize(
    "make, what",
    [
        (lambda tmp: tmp / "nothing", "no file or folder"),
        (lambda tmp: tmp, "holds no model of an agent"),
        (plain_network, "does not say whose network it is"),
        (damaged, "damaged"),
        (digits_run, "of rl.digits, which is no agent"),
        (maze_run, "holds no model of an agent"),
    ],
)
def test_what_is_no_agent_is_two_lines(make, what, tmp_path, capsys):
    path = make(tmp_path)
    with pytest.raises(UsageError, match=what) as problem:
        load(path)
    assert len(str(problem.value).splitlines()) == 2


def test_weights_that_do_not_fit_the_environment_are_refused(tmp_path):
    DQN("CartPole-v1").save(tmp_path / "agent.safetensors")
    with pytest.raises(UsageError, match="cannot be loaded") as problem:
        load(tmp_path / "agent.safetensors", env=corridor)
    assert len(str(problem.value).splitlines()) == 2
