"""Agents with normalised observations and rewards: the saved network, the state, and what is refused."""

import copy
import dataclasses

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import nnlite as K
from nnlite import load_model
from rl import A2C, DQN, ValueFunction, load
from rl.command.errors import UsageError
from rl.core.seeding import streams
from tests.rl.helpers import ALGORITHMS, ARTICLES, SMALL, TWO, VECTOR, experiences, make_agent, settings_of
from tests.same import assert_same

pytestmark = pytest.mark.usefixtures("one_thread")
every_agent = pytest.mark.parametrize("name", ARTICLES)
ON = {name: {"normalize_observations": True} for name in ARTICLES}
ON["a2c"]["normalize_rewards"] = True
ROWS = np.random.default_rng(9).normal(3, 2, (20, 3)).astype(np.float32)


def wide(seed, count):
    """Steps whose observations are far from standard."""
    return [
        step._replace(
            observations=step.observations * 5 + 7,
            next_observations=step.next_observations * 5 + 7,
        )
        for step in experiences(seed, count)
    ]


def taught(name, count=40):
    agent = make_agent(name, **ON[name])
    for step in wide(0, count):
        agent.act(step.observations)
        agent.observe(step)
    assert agent.updates > 5 and agent.scaler.fitted
    return agent


@every_agent
def test_the_network_is_given_standardised_observations(name):
    agent = taught(name)
    assert np.abs(agent.scaler.mean - 7).max() < 6 and agent.scaler.deviation.max() > 2
    agent.scaler.stop()
    raw = agent.preferences(agent.scaler(ROWS))
    assert not np.allclose(raw, taught(name).preferences(ROWS), atol=1e-3)


@every_agent
def test_a_saved_network_reads_observations_as_they_are(name, tmp_path):
    agent, other = taught(name), make_agent(name, 1, **ON[name])
    agent.save(tmp_path / "best.safetensors")
    seen = load_model(tmp_path / "best.safetensors").predict(ROWS)[:, :2]
    np.testing.assert_allclose(seen.argmax(axis=1), agent.greedy(ROWS))
    other.load(tmp_path / "best.safetensors")
    np.testing.assert_allclose(other.preferences(ROWS), agent.preferences(ROWS), rtol=1e-3, atol=1e-4)
    for step in wide(3, 12):  # learning on does not scale what the network holds already
        other.observe(step)
    assert not other.scaler.fitted


@every_agent
@pytest.mark.parametrize("count", [3, 21])
def test_a_state_is_all_that_the_next_steps_depend_on(name, count):
    agent, other = make_agent(name, **ON[name]), make_agent(name, **ON[name])
    steps = wide(0, 40)
    for step in steps[:count]:
        agent.act(step.observations)
        agent.observe(step)
    for step in wide(1, 26):
        other.observe(step)
    other.set_state(copy.deepcopy(agent.get_state()))
    for step in steps[count:]:
        np.testing.assert_array_equal(agent.act(step.observations), other.act(step.observations))
        agent.observe(step)
        other.observe(step)
    assert_same(agent.get_state(), other.get_state())


@every_agent
def test_evaluating_does_not_move_the_statistics(name):
    agent = taught(name)
    before = copy.deepcopy(agent.scaler.get_state())
    agent.greedy(ROWS)
    agent.preferences(ROWS)
    assert_same(agent.scaler.get_state(), before)


@every_agent
def test_screens_and_networks_that_hold_no_scale_are_refused(name):
    screens = spaces.Box(0, 255, (8, 8, 4), np.uint8)
    with pytest.raises(UsageError, match="screens"):
        make_agent(name, observations=screens, **ON[name])

    def network(shape, outputs, rng):
        return K.Sequential([K.layers.BatchNormalization(), K.layers.Dense(outputs)], seed=rng).build(shape)

    settings = settings_of(name, **{**SMALL[name], **ON[name]})
    with pytest.raises(UsageError, match="no-normalize-observations"):
        ALGORITHMS[name].agent_class(VECTOR, TWO, settings, streams(0), network)


def test_values_that_cannot_work_together_are_refused():
    with pytest.raises(UsageError, match="give one of them"):
        settings_of("a2c", normalize_rewards=True)  # Catcher's are clipped
    with pytest.raises(UsageError, match="learning-starts is 0"):
        settings_of("dqn", normalize_observations=True, learning_starts=0)


def test_a_critic_learns_from_normalised_rewards_and_the_games_report_their_own():
    agent = make_agent("a2c", normalize_rewards=True)
    (step,) = experiences(0, 1)
    agent.observe(step._replace(rewards=np.full(2, 1000.0)))
    np.testing.assert_array_equal(agent.rollout.rewards[0], [10, 10])
    trained = A2C("CartPole-v1", seed=0, eval_freq=0, eval_episodes=2, hidden=(8,)).learn(256)
    assert trained.evaluate(4).mean >= 8  # a reward of 1 a step, not of its share of a deviation


def test_a_run_goes_on_exactly(tmp_path):
    settings = dict(seed=1, eval_freq=0, eval_episodes=1, hidden=(8,), learning_starts=100, num_threads=1)
    whole = DQN("CartPole-v1", **settings).learn(600)
    DQN("CartPole-v1", **settings).learn(300, run=tmp_path)
    (folder,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    rest = load(folder).learn(300)
    np.testing.assert_array_equal(whole.model.params, rest.model.params)
    assert_same(whole.agent.scaler.get_state(), rest.agent.scaler.get_state())


class Labels(gymnasium.Env):
    observation_space: spaces.Space = spaces.Discrete(3)
    action_space = spaces.Discrete(2)


class Screens(Labels):
    observation_space = spaces.Box(0, 255, (80, 80, 3), np.uint8)


@every_agent
def test_defaults_follow_what_is_observed(name):
    algorithm, elsewhere = ALGORITHMS[name], ALGORITHMS[name].settings_class.elsewhere
    kinds = {"CartPole-v1": elsewhere.vectors, Labels: elsewhere.labels, Screens: elsewhere.screens}
    for env, kind in kinds.items():
        settings = algorithm(env).settings
        assert kind and all(getattr(settings, key) == value for key, value in kind.items())
    home = algorithm.settings_class()
    assert algorithm(home.env_id).settings == home
    made = algorithm(lambda: gymnasium.make(home.env_id)).settings
    assert dataclasses.replace(made, env_id=home.env_id) == home


@pytest.mark.parametrize("algorithm", [DQN, A2C])
def test_what_belongs_to_catcher_is_no_default_of_other_screens(algorithm):
    settings = algorithm(Screens).settings
    assert not settings.life_loss_ends and not settings.clip_rewards and settings.max_episode_steps == 0
    assert algorithm("rl/Catcher-v0").settings.life_loss_ends
    assert not ValueFunction(Labels).settings.normalize_observations


def test_batches_of_a_replay_are_what_the_network_reads():
    agent = taught("dqn")
    raw = agent.replay.sample(4, copy.deepcopy(agent.rngs.replay))
    now, following = raw.observations.copy(), raw.next_observations.copy()
    batch = agent.sample()
    np.testing.assert_array_equal(batch.observations, agent.scaler(now))
    np.testing.assert_array_equal(batch.next_observations, agent.scaler(following))
