"""The comparison on other environments: one rule for both sides, runs that are kept, and their tables."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
if not (ROOT / "bench" / "harness.py").is_file():
    pytest.skip("the benchmarks are not here", allow_module_level=True)
sys.path.insert(0, str(ROOT))

from bench.corridor import CELLS, Corridor  # noqa: E402
from bench.elsewhere import __main__ as command  # noqa: E402
from bench.elsewhere import table, zoo  # noqa: E402
from bench.elsewhere.task import AGENTS, ENVS, EVAL_FREQ, EVAL_GAMES, FINAL_GAMES, Record, Task  # noqa: E402
from rl.core.evaluation import Evaluation  # noqa: E402
from rl.envs.goals import goal_of  # noqa: E402
from rl.envs.make import make_vector  # noqa: E402


def made_up(agent, seed, solved_at, mean, seconds, env="Taxi-v4", side="sb3"):
    record = Record(solved_at is not None, solved_at, 300, 300, mean, mean, mean, seconds)
    return record.line(Task(side, agent, env, seed))


RUNS = [
    made_up("DQN", 100, 2000, 8.0, 10.4),
    made_up("DQN", 101, None, -104.26, 30.0),
    made_up("DQN", 102, 12000, 7.9, 20.6),
    made_up("A2C", 100, None, -200.0, 5.0),
    made_up("A2C", 101, None, -200.0, 6.0),
    made_up("A2C", 100, 3000, 12.5, 2.0, side="ours"),
]
TABLE = """\
| agent | solved | steps to solved | steps allowed | mean return | processor seconds |
| --- | --- | --- | --- | --- | --- |
| nnlite-rl A2C | 1 of 1 | 3,000 | 300 | 12.5 | 2 |
| SB3 DQN | 2 of 3 | 7,000 (2,000, 12,000) | 300 | 7.90 (-104.3, 8.00) | 21 |
| SB3 A2C | 0 of 2 | – | 300 | -200 | 6 |"""


def test_a_table_has_a_row_for_each_agent_that_played():
    assert table.table("Taxi-v4", RUNS) == TABLE


def test_the_overview_counts_solved_seeds_of_all_environments():
    lines = table.overview(RUNS).splitlines()
    assert len(lines) == 2 + len(ENVS) and lines[0].count("|") == 8
    assert "| Taxi-v4 | – | – | – | 1 of 1 | 2 of 3 | 0 of 2 |" in lines
    assert "| Catcher | – | – | – | – | – | – |" in lines


def test_only_the_marked_places_of_a_page_change():
    page = "a\n<!-- runs: Taxi-v4 -->\nold\n<!-- end -->\nb\n<!-- ours: Taxi-v4 -->\n"
    expected = page.replace("old", TABLE)
    assert table.updated(page, RUNS) == expected == table.updated(expected, RUNS)
    with pytest.raises(KeyError):
        table.updated(page.replace("Taxi-v4", "Pong"), RUNS)


@pytest.fixture
def runs():
    """The runs that are kept."""
    if not table.RUNS.is_file():
        pytest.skip("the docs are not here")
    return table.read(table.RUNS)


def test_the_page_shows_the_runs_of_the_file(runs):
    page = table.PAGE.read_text(encoding="utf-8")
    assert table.updated(page, runs) == page, "run python -m bench.elsewhere.table"
    assert {place[1] for place in table.PLACE.findall(page)} == {table.ALL, *ENVS}


def test_the_file_has_each_run_once_and_only_runs_that_can_be_made(runs):
    assert len({command.key_of(run) for run in runs}) == len(runs)
    for run in runs:
        assert run["env"] in ENVS and run["agent"] in AGENTS[run["side"]]
        assert run["solved"] == (run["steps_to_solved"] is not None)


@pytest.fixture
def children(monkeypatch):
    """The runs that the command starts; those of A2C fail."""
    started = []

    def start(words, **options):
        side, agent, env, seed = words[-4:]
        started.append((env, agent, int(seed)))
        line = json.dumps(made_up(agent, int(seed), 5000, 1.0, 1.0, env, side))
        return SimpleNamespace(
            returncode=agent == "A2C", stdout=f"a library's greeting\n{line}\n", stderr="why"
        )

    monkeypatch.setattr(command, "subprocess", SimpleNamespace(run=start))
    return started


def test_runs_that_the_file_has_are_not_made_again(tmp_path, children, capsys):
    out = tmp_path / "runs.jsonl"
    words = ["--side", "sb3", "--envs", "Corridor,Taxi-v4", "--seeds", "3:5", "--out", str(out)]
    assert command.main(words) == 1
    shown = capsys.readouterr()
    assert "sb3 DQN Corridor 3: solved at 5,000" in shown.out and "A2C Taxi-v4 4: failed" in shown.out
    order = [
        (env, agent, seed) for seed in (3, 4) for env in ("Corridor", "Taxi-v4") for agent in ("DQN", "A2C")
    ]
    assert children == order and "why" in shown.err
    assert [run["agent"] for run in table.read(out)] == ["DQN"] * 4
    children.clear()
    assert command.main([*words, "--agents", "DQN"]) == 0 and not children


def test_catcher_is_run_only_by_name(tmp_path, children):
    command.main(["--side", "ours", "--agents", "DQN", "--seeds", "0:1", "--out", str(tmp_path / "a")])
    assert [env for env, _, _ in children] == [env for env in ENVS if env != "Catcher"]


@pytest.mark.parametrize("wrong", ["--envs Pong", "--agents PPO", "--side other", "--seeds 3"])
def test_wrong_flags_are_refused(wrong, capsys):
    with pytest.raises(SystemExit):
        command.main(["--side", "ours", *wrong.split()])
    assert wrong.split()[0] in capsys.readouterr().err.splitlines()[-1]


def test_the_corridor_pays_at_its_right_end():
    env = Corridor()
    observation, _ = env.reset()
    assert observation.tolist() == [1] + [0] * (CELLS - 1)
    total = env.step(0)[1]
    assert total == -0.01 and env.cell == 0
    for _ in range(CELLS - 1):
        observation, reward, terminated, _, _ = env.step(1)
        total += reward
    assert terminated and observation[-1] == 1 and total == pytest.approx(0.94 - 0.01)


def test_the_corridor_is_registered_with_its_limit_and_threshold():
    envs = make_vector(ENVS["Corridor"], 1)
    envs.reset(seed=0)
    truncated = [bool(envs.step(np.zeros(1, int))[3][0]) for _ in range(50)]
    assert truncated == [False] * 49 + [True] and goal_of(envs).threshold == 0.9


def test_the_zoo_has_settings_for_every_run_of_both_agents():
    for agent in AGENTS["sb3"]:
        for env in ENVS:
            settings = zoo.settings_of(agent, env)
            assert settings["n_timesteps"] % EVAL_FREQ[agent] == 0  # the last step is evaluated
    assert zoo.settings_of("DQN", "Taxi-v4") == {"policy": "MlpPolicy", "n_timesteps": 100_000}
    assert zoo.settings_of("A2C", "LunarLander-v3")["learning_rate"](0.5) == 0.00083 / 2
    assert all(env in ENVS and agent in AGENTS["sb3"] for agent, env in zoo.ZOO)


def test_both_sides_play_the_same_games():
    """The judge's seeds and number of games are those of our agents."""
    import rl

    task = Task("ours", "PolicyGradient", "CartPole-v1", 7)
    agent = rl.PolicyGradient(task.env_id, seed=7)
    judge, final = task.judge(), task.judge(final=True)
    assert judge.seed == agent.evaluation_seed and judge.episodes == EVAL_GAMES
    fresh = agent.evaluate(FINAL_GAMES, final.seed)
    assert np.array_equal(final(agent.agent, to_the_end=True).returns, fresh.returns)


@pytest.mark.thorough
def test_a_run_of_ours_is_kept_as_it_was():
    from bench.elsewhere import ours

    task = Task("ours", "PolicyGradient", "Corridor", 0)
    record = ours.run(task)
    assert record.solved and record.steps == record.steps_to_solved <= record.budget
    assert record.mean_return == record.best_mean_return == record.last_mean_return == 0.94
    assert record.seconds >= record.learning_seconds > 0 and "nnlite-rl" in record.versions
    assert json.loads(json.dumps(record.line(task)))["env"] == "Corridor"


@pytest.fixture
def sb3():
    pytest.importorskip("stable_baselines3", reason="needs Stable-Baselines3")
    from bench.elsewhere import sb3

    return sb3


def outcome(score, threshold=2.0):
    return Evaluation(np.array([score]), np.array([1]), True, score >= threshold, score, "1 game")


@pytest.mark.parametrize(
    ("scores", "solved_at", "best"),
    [
        ([0, 1, 0], None, 1),  # never solved: the best evaluation counts
        ([0, 2, 2, 9], 20, 2),  # solved twice in a row, and stopped
        ([3, 1, 2, 2], 20, 2),  # the first time was luck; the model that solved it twice is kept
        ([3, 1, 1, 1], None, 3),
    ],
)
def test_the_judge_of_sb3_follows_the_trainers_rule(sb3, scores, solved_at, best):
    """The same rule as in rl.training.trainer, with an evaluation every 10 steps and 4 games a step."""
    left = iter(scores)
    judge = sb3.Judge(SimpleNamespace(), lambda player: outcome(next(left)), 10)
    for judge.num_timesteps in range(4, 33, 4):
        if not judge._on_step():
            break
    assert judge.solved_at == solved_at and judge.best.score == best


def test_the_kept_player_is_a_copy(sb3):
    weights = np.zeros(2)
    judge = sb3.Judge(SimpleNamespace(weights=weights), lambda player: outcome(1.0), 1)
    judge.num_timesteps = 1
    judge._on_step()
    weights += 1
    assert not judge.kept.weights.any() and judge.kept.steps == 1


@pytest.mark.thorough
@pytest.mark.parametrize(("agent", "env"), [("DQN", "FrozenLake-v1"), ("A2C", "MountainCar-v0")])
def test_a_run_of_sb3_is_judged_and_kept(sb3, monkeypatch, agent, env):
    """Labels, and observations that are scaled."""
    short = {**zoo.settings_of(agent, env), "n_timesteps": 5_600}
    monkeypatch.setattr(sb3, "settings_of", lambda *names: short)
    record = sb3.run(Task("sb3", agent, env, 0))
    assert record.steps == record.budget == 5_600 and not record.solved
    assert record.best_mean_return >= record.last_mean_return and record.mean_return is not None
    assert record.versions.keys() >= {"stable-baselines3", "torch"}
