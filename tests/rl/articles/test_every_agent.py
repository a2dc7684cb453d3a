"""The promises of every agent: a new agent joins by its name in tests/rl/helpers.py."""

import copy

import numpy as np
import pytest
from gymnasium import spaces

from nnlite.tensor_file import read_tensors
from rl.command.errors import UsageError
from rl.core.experience import Experience
from tests.rl.helpers import ALGORITHMS, ARTICLES, CARTPOLE, experiences, make_agent, settings_of, train
from tests.same import assert_same

pytestmark = pytest.mark.usefixtures("one_thread")
every_agent = pytest.mark.parametrize("name", ARTICLES)
SCREENS = spaces.Box(0, 255, (8, 8, 4), np.uint8)
RAW = {name: {"normalize_observations": False} if name == "value_function" else {} for name in ARTICLES}
WRONG = {
    "dqn": ["n_step", "batch_size", "train_freq", "target_update", "exploration_steps", "huber_delta"],
    "a2c": ["n_steps", "clipnorm", "gae_lambda", "ent_coef", "vf_coef"],
    "policy_gradient": ["n_steps", "clipnorm", "ent_coef", "baseline_rate"],
    "value_function": ["batch_size", "learning_starts", "train_freq", "epsilon", "buffer_size"],
}
SHARED = ["seed", "num_envs", "total_timesteps", "gamma", "learning_rate", "eval_freq", "eval_episodes"]


def play(agent, steps):
    """Let the agent act on every step and learn from it; returns its actions."""
    actions = []
    for step in steps:
        actions.append(agent.act(step.observations).tolist())
        agent.observe(step)
    return actions


@every_agent
def test_a_seed_is_a_seed(name):
    agents = [make_agent(name, seed) for seed in (3, 3, 4)]
    actions = [play(agent, experiences(0, 30)) for agent in agents]
    assert actions[0] == actions[1] and actions[0] != actions[2]
    assert_same(agents[0].get_state(), agents[1].get_state())
    assert not np.array_equal(agents[0].model.params, agents[2].model.params)
    assert agents[0].updates > 5


@every_agent
@pytest.mark.parametrize("count", [3, 21])  # before the first update, and amid the updates
def test_a_state_is_all_that_the_next_steps_depend_on(name, count):
    agent, other, steps = make_agent(name), make_agent(name), experiences(0, 40)
    play(agent, steps[:count])
    play(other, experiences(1, 26))  # has another past
    other.set_state(copy.deepcopy(agent.get_state()))
    assert play(agent, steps[count:]) == play(other, steps[count:])
    assert_same(agent.get_state(), other.get_state())


@every_agent
def test_a_state_of_another_agent_is_refused(name):
    agent = make_agent(name)
    state = agent.get_state()
    state.pop("optimizer")
    with pytest.raises(ValueError, match="optimizer"):
        agent.set_state(state)


@every_agent
def test_looking_at_an_agent_changes_nothing(name, tmp_path):
    agent, twin = make_agent(name), make_agent(name)
    for step in experiences(0, 30):
        for look in (agent.greedy, agent.preferences):
            look(step.next_observations)
        agent.status(), agent.distributions(), agent.save(tmp_path / "seen.safetensors")
        assert play(agent, [step]) == play(twin, [step])
    assert_same(agent.get_state(), twin.get_state())


@every_agent
def test_nothing_is_learned_of_what_follows_an_end(name):
    agent, other = make_agent(name), make_agent(name)
    for step in experiences(0, 24):
        step = step._replace(terminated=np.ones(2, bool), truncated=np.zeros(2, bool))
        agent.observe(step)
        other.observe(step._replace(next_observations=step.next_observations + 5))
    assert agent.updates > 2
    np.testing.assert_array_equal(agent.model.params, other.model.params)


@every_agent
def test_a_time_limit_is_bootstrapped_and_an_end_is_not(name):
    ended, cut = make_agent(name), make_agent(name)
    ones, no = np.ones(2, bool), np.zeros(2, bool)
    for step in experiences(0, 24):
        ended.observe(step._replace(terminated=ones, truncated=no))
        cut.observe(step._replace(terminated=no, truncated=ones))
    assert ended.updates == cut.updates > 2
    assert not np.array_equal(ended.model.params, cut.model.params)


@every_agent
def test_truncated_games_are_those_that_met_a_time_limit(name):
    agent, other = make_agent(name), make_agent(name)
    *steps, last = experiences(1, 5)  # no update falls on the last
    play(agent, steps)
    play(other, steps)
    no = np.zeros(2, bool)
    agent.observe(last._replace(terminated=no, truncated=~no))
    other.observe(last._replace(terminated=no, truncated=no))
    other.truncate(last.next_observations)
    assert play(agent, experiences(2, 20)) == play(other, experiences(2, 20))
    np.testing.assert_array_equal(agent.model.params, other.model.params)
    assert agent.updates > 2


@every_agent
def test_one_observation_is_a_batch_of_one(name):
    agent = make_agent(name)
    play(agent, experiences(0, 30))
    rows = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    preferences = agent.preferences(rows)
    assert preferences.shape == (5, 2) and agent.preferences(rows[:1]).shape == (1, 2)
    np.testing.assert_allclose(agent.preferences(rows[3:4])[0], preferences[3], rtol=1e-5)
    np.testing.assert_array_equal(agent.greedy(rows), preferences.argmax(axis=1))
    for count in (1, 5):
        actions = agent.act(rows[:count])
        assert actions.shape == (count,) and actions.dtype == np.int64 and set(actions) <= {0, 1}
    if agent.measure == "probability":
        np.testing.assert_allclose(preferences.sum(axis=1), 1, rtol=1e-6)


@every_agent
def test_a_saved_network_is_read_by_another_agent(name, tmp_path):
    agent, other = make_agent(name, 0), make_agent(name, 1)
    play(agent, experiences(0, 30))
    rows = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    agent.save(tmp_path / "best.safetensors")
    other.load(tmp_path / "best.safetensors")
    np.testing.assert_allclose(other.preferences(rows), agent.preferences(rows), rtol=1e-4, atol=1e-5)
    wide = make_agent(name, hidden=(6,))
    before = wide.model.params.copy()
    with pytest.raises(ValueError, match="best.safetensors"):
        wide.load(tmp_path / "best.safetensors")
    np.testing.assert_array_equal(wide.model.params, before)


@every_agent
def test_screens_are_learned_from(name):
    agent, rng = make_agent(name, observations=SCREENS, **RAW[name]), np.random.default_rng(0)
    before = agent.model.params.copy()
    for _ in range(8):
        now, after = rng.integers(0, 255, (2, 2, 8, 8, 4)).astype(np.uint8)
        no = np.zeros(2, bool)
        agent.observe(Experience(now, agent.act(now), rng.normal(size=2), after, no, no))
    assert agent.updates == 2 and not np.array_equal(agent.model.params, before)


@every_agent
@pytest.mark.parametrize(
    ("observations", "what"),
    [
        (spaces.Box(0, 255, (5, 9, 4), np.uint8), "5x9 is too small"),
        (spaces.Box(0, 1, (40, 40, 4), np.float32), "float32, not bytes"),
        (spaces.Box(0, 1, (3, 3), np.float32), r"shape \(3, 3\)"),
    ],
)
def test_observations_that_no_network_reads_are_refused(name, observations, what):
    with pytest.raises(UsageError, match=what):
        make_agent(name, observations=observations)


@pytest.mark.parametrize(("name", "field"), [(n, f) for n in WRONG for f in WRONG[n] + SHARED])
@pytest.mark.parametrize("value", [-1, float("nan")])
def test_a_setting_that_cannot_work_is_refused_in_two_lines(name, field, value):
    with pytest.raises(UsageError) as refused:
        settings_of(name, **{field: value})
    what, remedy = str(refused.value).splitlines()
    assert what.lstrip("-").replace("-", "_").startswith(f"{field} is ")
    assert remedy.startswith(("  give ", "  it must be of type int"))


@pytest.mark.parametrize("name", ["dqn", "value_function"])
def test_a_replay_is_learned_from_at_its_frequency_and_not_before_it_starts(name):
    agent = make_agent(name, train_freq=4, learning_starts=8)
    updates = [agent.updates for step in experiences(0, 20) if agent.observe(step) or True]
    assert updates == [max(0, 2 * step - 8) // 4 for step in range(1, 21)]


@pytest.mark.parametrize("name", ["a2c", "policy_gradient"])
def test_every_step_is_learned_from_once(name):
    agent = make_agent(name)
    updates = [agent.updates for step in experiences(0, 12) if agent.observe(step) or True]
    assert updates == [step // 4 for step in range(1, 13)] and agent.steps == 24


@pytest.mark.thorough
@every_agent
def test_evaluating_and_saving_change_nothing_that_is_learned(name, tmp_path):
    short = {**CARTPOLE[name], "total_timesteps": 1_600, "eval_episodes": 3, "seed": 3}
    plain = train(name, **{**short, "eval_freq": 0, "save_freq": 0, "out": str(tmp_path / "plain")})
    often = train(name, **{**short, "eval_freq": 300, "save_freq": 200, "out": str(tmp_path / "often")})
    for name, array in read_tensors(plain.folder / "last.safetensors")[0].items():
        np.testing.assert_array_equal(array, read_tensors(often.folder / "last.safetensors")[0][name])


@every_agent
def test_cartpole_is_solved_and_the_run_leaves_what_it_promises(name, tmp_path, capsys):
    run = train(name, **CARTPOLE[name], seed=0, out=str(tmp_path))
    assert run.solved_at is not None and run.best.mean >= 195
    for file in ("config.json", "monitor.csv", "best.safetensors", "reward.png", "replay.gif", "result.json"):
        assert (run.folder / file).stat().st_size > 0, file
    columns = (run.folder / "progress.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert set(ALGORITHMS[name].metrics) <= set(columns)
    assert (tmp_path / "latest").read_text(encoding="utf-8").strip() == run.folder.name
    assert f"rl.{name} on CartPole-v0, seed 0" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["dqn", "a2c"])
def test_a_run_on_screens_learns_and_leaves_its_pictures(name, tmp_path):
    short = {"num_envs": 4, "max_episode_steps": 30, "eval_freq": 0, "eval_episodes": 2}
    more = {"learning_starts": 40, "train_freq": 20, "buffer_size": 1000} if name == "dqn" else {}
    run = train(name, **short, **more, total_timesteps=120, out=str(tmp_path))
    assert run.agent.updates == {"dqn": 4, "a2c": 3}[name] and len(run.returns) >= 4
    assert (run.folder / "replay.gif").stat().st_size > 0


@pytest.mark.slow
@every_agent
def test_cartpole_is_solved_on_ten_seeds(name, tmp_path):
    """DQN on each of them, the others on nine."""
    runs = [train(name, **CARTPOLE[name], seed=seed, out=str(tmp_path)) for seed in range(10)]
    assert sum(run.best.mean >= 195 for run in runs) >= (10 if name == "dqn" else 9)
    assert sum(run.solved_at is not None for run in runs) >= 9


@pytest.mark.slow
@pytest.mark.parametrize("name, seeds, least", [("dqn", 3, 3), ("a2c", 5, 4)])
def test_catcher_is_solved_from_the_screen(name, seeds, least, tmp_path):
    runs = [train(name, seed=seed, out=str(tmp_path)) for seed in range(seeds)]
    assert sum(run.solved_at is not None for run in runs) >= least
