"""Spaces mean what they say: every agent learns on them, or they are refused before the first step."""

import numpy as np
import pytest
from gymnasium import spaces

from rl.command.errors import UsageError
from rl.envs.actions import action_names
from rl.envs.make import make_vector
from rl.watch.stage import Stage, watch
from tests.rl.games import vector_of
from tests.rl.helpers import ALGORITHMS, run_folder_in, two_lines
from tests.rl.watch.scripted import lazy
from tests.rl.worlds import World, changed, command, learn

FLOAT = np.float32
BOTH = spaces.Dict({"speed": spaces.Box(-9, 9, (2,), np.float64), "gear": spaces.Discrete(3, start=5)})
SIZES = {  # what is learned on, and the columns that the network reads
    "labels": (spaces.Discrete(4), 4),
    "one label": (spaces.Discrete(1), 1),
    "labels from 1": (spaces.Discrete(5, start=1), 5),
    "labels from 10": (spaces.Discrete(3, start=10), 3),
    "labels from -3": (spaces.Discrete(5, start=-3), 5),
    "labels from -20": (spaces.Discrete(5, start=-20), 5),
    "several labels": (spaces.MultiDiscrete([2, 3]), 5),
    "several labels from": (spaces.MultiDiscrete([2, 3], start=[7, -4]), 5),
    "bits": (spaces.MultiBinary(3), 3),
    "a table of bits": (spaces.MultiBinary((2, 3)), 6),
    "a dict": (BOTH, 5),
    "a tuple": (spaces.Tuple((spaces.Discrete(2), spaces.MultiBinary(2), spaces.Box(0, 1, ()))), 5),
    "nested": (spaces.Dict({"a": spaces.Tuple((BOTH, spaces.Discrete(2)))}), 7),
    "a number": (spaces.Box(-1, 1, ()), 1),
    "unbounded": (spaces.Box(-np.inf, np.inf, (3,), FLOAT), 3),
    "bytes": (spaces.Box(0, 255, (3,), np.uint8), 3),
    **{
        np.dtype(kind).name: (spaces.Box(0, 1, (3,), kind), 3)
        for kind in (np.float64, np.float16, np.int8, np.int32, np.int64, np.uint16, np.bool_)
    },
}
REFUSED = {
    "text": (spaces.Text(5), "observations are Text"),
    "a sequence": (spaces.Sequence(spaces.Discrete(2)), "observations are Sequence"),
    "a graph": (spaces.Graph(spaces.Discrete(2), None), "observations are Graph"),
    "a dict with text": (
        spaces.Dict({"t": spaces.Text(3), "n": spaces.Discrete(2)}),
        "observations are Dict",
    ),
    "a dict with an image": (
        spaces.Dict({"i": spaces.Box(0, 255, (9, 9, 3), np.uint8)}),
        "observations are Dict",
    ),
    "an empty dict": (spaces.Dict({}), "observations are Dict"),
    "a table": (spaces.Box(-1, 1, (3, 4)), r"observations have shape \(3, 4\)"),
    "four axes": (spaces.Box(0, 255, (3, 3, 3, 3), np.uint8), "observations have shape"),
    "more labels than memory": (spaces.Discrete(10**12), "too many values"),
    "more of several": (spaces.MultiDiscrete([10**15, 10**15]), "too many values"),
    "an image of floats": (spaces.Box(0, 1, (40, 40, 3)), "screens are float32"),
}
ACTIONS = (spaces.Discrete(2, start=1), spaces.Discrete(3, start=-7), spaces.Discrete(1), spaces.Discrete(2))

REPLAY = {"learning_starts": 8, "batch_size": 4}
ROLLOUT = {"n_steps": 4}
ONCE = {"eval_freq": 0, "eval_episodes": 1}
LEARNS = {name: {**ONCE, **(REPLAY if name in ("dqn", "value_function") else ROLLOUT)} for name in ALGORITHMS}


def world_of(space):
    """A World of random observations of this space."""
    return changed(observation_space=space, show=lambda self: space.sample())


def counting(actions):
    """A World that counts the actions it receives, and refuses others."""
    received = []

    class Counting(World):
        action_space = actions
        metadata = {"render_modes": ["rgb_array"]}

        def __init__(self, render_mode=None):
            self.render_mode = render_mode

        def pay(self, action):
            assert action in actions, action
            received.append(int(action))
            return float(action - actions.start)

        def render(self):
            return np.zeros((9, 9, 3), np.uint8)

    return Counting, received


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize(("space", "size"), SIZES.values(), ids=list(SIZES))
def test_every_agent_learns_on_it(name, space, size):
    agent = ALGORITHMS[name](world_of(space), num_envs=2, **LEARNS[name]).learn(40)
    assert agent.observations.shape == (size,) and agent.agent.updates > 0
    one, several = agent.predict(space.sample()), agent.predict([space.sample() for _ in range(3)])
    assert one in (0, 1) and several.shape == (3,)


@pytest.mark.parametrize(
    ("space", "observation", "seen"),
    [
        (spaces.Discrete(3, start=10), 11, [0, 1, 0]),
        (spaces.Discrete(3, start=-2), 0, [0, 0, 1]),
        (spaces.MultiDiscrete([2, 3], start=[7, -4]), np.array([8, -4]), [0, 1, 1, 0, 0]),
        (BOTH, {"gear": 7, "speed": np.array([0.5, -3])}, [0, 0, 1, 0.5, -3]),
        (spaces.Box(-1, 1, ()), np.float32(0.5), [0.5]),
        (spaces.Box(-9, 9, (2,), np.int8), np.array([-9, 4], np.int8), [-9, 4]),
        (spaces.Box(0, 1, (2,), np.bool_), np.array([True, False]), [1, 0]),
    ],
)
def test_the_network_reads_what_is_meant(space, observation, seen):
    world = changed(observation_space=space, show=lambda self: observation, length=2)
    for envs in (learn(world, 4).make_envs(world, 2), learn(vector_of(world, world), 4).source.envs):
        assert (
            envs.reset(seed=0)[0].tolist() == [seen, seen] and envs.step(np.zeros(2, int))[0].dtype == FLOAT
        )
        *_, info = envs.step(np.zeros(2, int))
        assert info["final_obs"].tolist() == [seen, seen]
    assert learn(world, 4).encode(observation).tolist() == seen


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize(("space", "what"), REFUSED.values(), ids=list(REFUSED))
def test_it_is_refused_before_the_first_step(name, space, what):
    world = changed(observation_space=space, reset=None)
    with pytest.raises(UsageError, match=what) as refused:
        ALGORITHMS[name](world)
    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize(
    "space", [spaces.Box(-1, 1, (2,)), spaces.MultiDiscrete([2, 2]), spaces.MultiBinary(2)]
)
def test_actions_that_are_no_choice_of_one_are_refused(space, tmp_path, capsys):
    assert command(changed(action_space=space, reset=None), tmp_path) == 2
    assert "actions" in two_lines(capsys)[0]


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("actions", ACTIONS, ids=str)
def test_the_environment_receives_its_own_actions(name, actions):
    world, received = counting(actions)
    agent = ALGORITHMS[name](world, seed=3, **LEARNS[name]).learn(60)
    labels = set(range(int(actions.start), int(actions.start + actions.n)))
    assert set(received) == labels
    agent.evaluate(2)
    observation = np.zeros(3, np.float32)
    assert agent.predict(observation) in labels and set(agent.predict([observation] * 4)) <= labels
    assert set(received) == labels
    agent.close()


def test_the_better_of_two_actions_is_learned_whatever_its_number():
    for start in (0, 4, -9):
        world, _ = counting(spaces.Discrete(2, start=start))
        agent = learn(world, 400, learning_rate=0.01, exploration_steps=200)
        assert agent.predict(np.zeros(3, np.float32)) == start + 1


def test_actions_from_anywhere_on_the_stage_in_the_command_and_in_vectors(tmp_path, capsys):
    world, received = counting(spaces.Discrete(2, start=5))
    list(watch(Stage(lambda: world(render_mode="rgb_array"), seed=0), lazy(2), games=1, steps=3))
    assert set(received) == {5}
    assert action_names(world()) == ("5", "6")
    assert command(world, tmp_path) == 0 and set(received) == {5, 6}
    assert (run_folder_in(tmp_path) / "replay.gif").is_file()
    envs = vector_of(world, world)
    assert learn(envs).predict(np.zeros(3, np.float32)) in (5, 6)


def test_numbers_that_float32_cannot_hold_stop_the_run(tmp_path):
    space = spaces.Box(-np.inf, np.inf, (2,), np.float64)
    with pytest.raises(FloatingPointError, match="the observation of game 0, element .* is inf"):
        learn(changed(observation_space=space, show=lambda self: np.array([0.0, 1e300])))


def test_labels_out_of_the_space_are_not_predicted():
    agent = learn(changed(observation_space=spaces.Discrete(3, start=10), show=lambda self: 11))
    for label in (9, 13, -1, 0):
        with pytest.raises(UsageError, match=f"{label} is not in Discrete"):
            agent.predict(label)


def test_gymnasium_s_own_environments_of_several_labels_are_played():
    envs = make_vector("Blackjack-v1", 2)
    assert isinstance(envs.single_observation_space, spaces.Tuple)
    assert learn("Blackjack-v1", 40).observations.shape == (32 + 11 + 2,)
