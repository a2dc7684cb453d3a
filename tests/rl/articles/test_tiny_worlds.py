"""Every agent solves worlds so small that the right answer is known; a wrong answer names the fault."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from rl.core.experience import Experience
from rl.core.seeding import streams
from tests.rl.helpers import ALGORITHMS, settings_of

STAY, QUIT = 1, 0


class World:
    """N games of two actions, observations (N, size) float32; `limit` steps cut a game off."""

    size = 1
    limit = 1_000_000

    def __init__(self, games, seed):
        self.games, self.rng = games, np.random.default_rng(seed)
        self.time = np.zeros(games, int)
        self.state = self.first(games)

    @property
    def spaces(self):
        return spaces.Box(-10, 10, (self.size,), np.float32), spaces.Discrete(2)

    def first(self, n):
        """The states (n, size) that games begin with."""
        return np.ones((n, self.size), np.float32)

    def move(self, state, actions):
        """(next states, rewards, terminated) of every game."""
        raise NotImplementedError

    def step(self, actions):
        before = self.state
        following, rewards, terminated = self.move(before, actions)
        self.time += 1
        truncated = self.time >= self.limit
        done = terminated | truncated
        self.state = following.copy()
        self.state[done] = self.first(int(done.sum()))
        self.time[done] = 0
        return Experience(before, actions, rewards, following, terminated, truncated)


class ConstantReward(World):
    """One state, reward 1 for ever: V = 1 / (1 - gamma)."""

    def move(self, state, actions):
        return state, np.ones(len(state)), np.zeros(len(state), bool)


class RewardOfObservation(World):
    """The observation is 1 or -1 and so is the reward, whatever is done; a game is one step: V(s) = s."""

    def first(self, n):
        return self.rng.choice([-1, 1], (n, 1)).astype(np.float32)

    def move(self, state, actions):
        return state, state[:, 0].astype(float), np.ones(len(state), bool)


class MatchTheObservation(RewardOfObservation):
    """Reward 1 for action 1 at observation 1 and action 0 at -1, else -1: V(s) = 1."""

    def move(self, state, actions):
        return state, np.where((state[:, 0] > 0) == (actions == 1), 1.0, -1.0), np.ones(len(state), bool)


class TwoArms(World):
    """Action 1 pays 1 in eight games of ten, action 0 in two; a game is one step: V = 0.8."""

    def move(self, state, actions):
        paid = self.rng.random(len(state)) < np.where(actions == 1, 0.8, 0.2)
        return state, paid.astype(float), np.ones(len(state), bool)


class DelayedReward(World):
    """The first action decides what is paid three steps later: V(start) = gamma^3.

    One-hot: start, and (branch, time).
    """

    size, wait = 7, 3

    def first(self, n):
        return np.eye(self.size, dtype=np.float32)[np.zeros(n, int)]

    def move(self, state, actions):
        place = state.argmax(axis=1)
        following = np.where(place == 0, 1 + self.wait * actions, place + 1)
        ended = (place == self.wait) | (place == 2 * self.wait)
        following = np.where(ended, place, following)
        return np.eye(self.size, dtype=np.float32)[following], (place == 2 * self.wait).astype(float), ended


class TimeLimit(World):
    """Quitting pays 1 and ends the game, staying pays 0.3; every game is cut off after one step.

    With gamma = 0.9 staying for ever is worth 3. Who takes the cut for an end sees 0.3 < 1, and quits.
    """

    limit = 1

    def move(self, state, actions):
        return state, np.where(actions == QUIT, 1.0, 0.3), actions == QUIT


def play(agent, world, steps, limits_are_ends=False):
    """Let the agent act and learn. limits_are_ends plants the listings' fault."""
    for _ in range(steps // world.games):
        experience = world.step(agent.act(world.state))
        if limits_are_ends:
            experience = experience._replace(terminated=experience.done)
        agent.observe(experience)


GAMES, GAMMA = 8, 0.9
Q = dict(learning_starts=200, buffer_size=4_000, train_freq=4, learning_rate=7e-3)
PLAIN = dict(clip_rewards=False, life_loss_ends=False)
DQN = dict(Q, **PLAIN, n_step=1, target_update=20, initial_epsilon=0.3, final_epsilon=0.3, hidden=(10,))
A2C = dict(PLAIN, n_steps=8, learning_rate=1e-2, hidden=(16,), gae_lambda=0.9)
AGENTS = {
    "value_function": dict(Q, epsilon=0.3),
    "dqn": {**DQN, "learning_rate": 5e-3, "huber_delta": np.inf},
    "policy_gradient": dict(n_steps=8, learning_rate=2e-2),
    "a2c": A2C,
}
WITH_VALUES = [name for name in AGENTS if name != "policy_gradient"]


def trained(name, world_class, steps, seed=0, limits_are_ends=False):
    """(agent, world) after `steps` of the world."""
    settings = settings_of(name, env_id="tiny", num_envs=GAMES, gamma=GAMMA, **AGENTS[name])
    world = world_class(GAMES, seed)
    agent: Any = ALGORITHMS[name].agent_class(*world.spaces, settings, streams(seed))
    play(agent, world, steps, limits_are_ends)
    return agent, world


def value(name, agent, observations):
    """The agent's value of these observations, (N,)."""
    observations = np.array(observations, np.float32)
    return agent.values(observations) if name == "a2c" else agent.preferences(observations).max(axis=1)


each_agent = pytest.mark.parametrize("name", AGENTS)
each_with_values = pytest.mark.parametrize("name", WITH_VALUES)


@each_with_values
def test_constant_reward_is_worth_one_over_one_minus_gamma(name):
    agent, _ = trained(name, ConstantReward, 12_000)
    assert value(name, agent, [[1]])[0] == pytest.approx(1 / (1 - GAMMA), rel=0.03)


def test_the_baseline_of_constant_reward_is_one_over_one_minus_gamma():
    agent, _ = trained("policy_gradient", ConstantReward, 12_000)
    assert agent.baseline == pytest.approx(1 / (1 - GAMMA), rel=0.01)
    assert agent.spread < 0.1


@each_with_values
def test_values_follow_the_observation(name):
    agent, _ = trained(name, RewardOfObservation, 8_000)
    np.testing.assert_allclose(value(name, agent, [[1], [-1]]), [1, -1], atol=0.1)


@each_agent
def test_actions_follow_the_observation(name):
    agent, _ = trained(name, MatchTheObservation, 8_000)
    np.testing.assert_array_equal(agent.greedy(np.array([[1], [-1]], np.float32)), [1, 0])


@each_agent
def test_the_better_of_two_arms_is_played(name):
    agent, _ = trained(name, TwoArms, 8_000)
    assert agent.greedy(np.ones((1, 1), np.float32))[0] == 1
    if name in WITH_VALUES:
        assert value(name, agent, [[1]])[0] == pytest.approx(0.8, abs=0.15)


@each_agent
def test_a_reward_is_credited_to_what_was_done_three_steps_before(name):
    agent, world = trained(name, DelayedReward, 12_000)
    start = world.first(1)
    assert agent.greedy(start)[0] == 1
    if name in WITH_VALUES:
        assert value(name, agent, start)[0] == pytest.approx(GAMMA**3, abs=0.1)


@each_agent
def test_a_time_limit_is_no_end(name):
    agent, world = trained(name, TimeLimit, 16_000)
    assert agent.greedy(world.first(1))[0] == STAY
    if name in WITH_VALUES:
        assert value(name, agent, [[1]])[0] == pytest.approx(3, abs=0.3)


@each_agent
def test_who_takes_a_time_limit_for_an_end_is_found_out(name):
    agent, world = trained(name, TimeLimit, 16_000, limits_are_ends=True)
    assert agent.greedy(world.first(1))[0] == QUIT
