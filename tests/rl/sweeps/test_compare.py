"""`python -m rl compare`: statistics against rliable and hand-made cases, and what it prints and shows."""

import json
import re

import numpy as np
import pytest

from rl.command.errors import UsageError
from rl.sweeps import statistics as stat
from rl.sweeps.comparison import common_horizon, compare, read_scale
from rl.sweeps.plan import Job, Plan
from rl.sweeps.record import DONE, FAILED, Record
from rl.sweeps.results import Result, group_results
from rl.sweeps.time_to_goal import time_to_goal
from rl.tools import compare as tool
from tests.rl.helpers import two_lines


def scores(seed, tasks=2, runs=15, shift=0.0):
    rng = np.random.default_rng(seed)
    return [rng.normal(shift, 1, runs) for _ in range(tasks)]


def rliable():
    """rliable's two modules.

    Its last release needs pandas 2 and arch 7: with newer ones it does not import.
    """
    try:
        from rliable import library, metrics
    except Exception as problem:  # a release that does not fit fails in its own ways
        pytest.skip(f"rliable cannot be imported here: {type(problem).__name__} {problem}")
    return library, metrics


def test_estimates_are_those_of_rliable():
    """Estimates to the last digit, intervals as near as two bootstraps of some thousand resamples are."""
    library, metrics = rliable()
    ours, theirs = scores(0), scores(1, shift=0.4)
    pair = {"a": np.stack(ours, 1)}
    value, interval = library.get_interval_estimates(
        pair, lambda x: np.array([metrics.aggregate_iqm(x)]), reps=4_000
    )
    found = stat.interquartile_mean(ours)
    assert found.value == pytest.approx(value["a"][0], abs=1e-12)
    np.testing.assert_allclose([found.low, found.high], interval["a"][:, 0], atol=0.04)
    both = {"a,b": (np.stack(theirs, 1), np.stack(ours, 1))}
    value, interval = library.get_interval_estimates(both, metrics.probability_of_improvement, reps=1_500)
    found = stat.probability_of_improvement(theirs, ours)
    assert found.value == pytest.approx(float(value["a,b"]), abs=1e-12)
    np.testing.assert_allclose([found.low, found.high], np.ravel(interval["a,b"]), atol=0.03)
    edges = np.linspace(-2, 2, 21)
    value, interval = library.create_performance_profile(pair, edges, reps=1_500)
    found = stat.performance_profile(ours, edges)
    np.testing.assert_allclose(found.value, value["a"], atol=1e-12)
    np.testing.assert_allclose([found.low, found.high], interval["a"], atol=0.05)


def test_the_interquartile_mean_leaves_out_the_best_and_the_worst_quarter():
    assert stat.interquartile_mean([np.array([0, 1, 3, 1e9])]).value == 2
    assert stat.interquartile_mean([np.array([0.0, 1]), np.array([3, 1e9])]).value == 2  # over all tasks


def test_an_interval_is_as_narrow_as_its_runs():
    wide, narrow = (stat.interquartile_mean([np.random.default_rng(0).normal(0, s, 20)]) for s in (1, 0.1))
    assert narrow.high - narrow.low == pytest.approx((wide.high - wide.low) / 10)
    assert stat.interquartile_mean([np.ones(5)]).low == 1
    assert np.isnan(stat.interquartile_mean([np.ones(1)]).low), "one run says nothing of the spread"


@pytest.mark.thorough
def test_intervals_hold_the_truth_about_as_often_as_they_say():
    draws = ([np.random.default_rng(i).normal(size=20)] for i in range(60))
    held = [estimate.low <= 0 <= estimate.high for estimate in map(stat.interquartile_mean, draws)]
    assert 50 <= sum(held) <= 60


def test_a_tie_is_half_an_improvement():
    one, better = [np.array([1.0, 2])], [np.array([3.0, 3])]
    assert stat.probability_of_improvement(one, one).value == 0.5
    assert stat.probability_of_improvement(better, one).value == 1
    assert stat.probability_of_improvement(better, one, higher=False).value == 0


def test_a_profile_is_the_share_beyond_each_threshold():
    values = [np.array([1.0, 2, 3, 4])]
    found = stat.performance_profile(values, np.array([0, 1, 2.5, 4])).value
    np.testing.assert_array_equal(found, [1, 0.75, 0.5, 0])
    found = stat.performance_profile(values, np.array([0, 1, 2.5, 5]), higher=False).value
    np.testing.assert_array_equal(found, [0, 0, 0.5, 1])


def test_without_censoring_the_restricted_mean_is_the_mean():
    steps = np.array([3.0, 5, 10])
    found = time_to_goal(steps, np.ones(3, bool), 10)
    assert found.restricted.value == pytest.approx(6) and found.median == 5
    assert time_to_goal(steps, np.ones(3, bool), 6).restricted.value == pytest.approx((3 + 5 + 6) / 3)


def test_a_censored_run_is_neither_left_out_nor_taken_for_an_arrival():
    """Kaplan and Meier by hand: one of four arrives at 2, one ends at 3, one of two arrives at 4."""
    found = time_to_goal(np.array([2.0, 3, 4, 5]), np.array([True, False, True, False]), 5)
    np.testing.assert_allclose(found.share, 1 - np.array([0.75, 0.75, 0.375, 0.375]))
    assert found.median == 4 and found.restricted.value == pytest.approx(2 + 0.75 * 2 + 0.375)
    none = time_to_goal(np.array([7.0, 7]), np.zeros(2, bool), 7)
    assert none.median is None and none.restricted.value == 7


def run_of(seed, score, steps=100.0, solved=True, **settings):
    return Result("dqn", {"env_id": "CartPole-v0", "gamma": 0.9, **settings}, seed, score, steps, solved)


def test_runs_that_differ_in_seed_and_environment_are_one_group():
    runs = [run_of(0, 1.0), run_of(1, 2.0), run_of(0, 1.0, gamma=0.5), run_of(2, 1.0, env_id="Other-v0")]
    groups = group_results(runs)
    assert [(group.label, len(group.results)) for group in groups] == [("--gamma 0.9", 3), ("--gamma 0.5", 1)]


def test_the_horizon_is_one_that_every_group_is_known_up_to():
    slow = group_results([run_of(0, 1, 50.0), run_of(1, 1, 900.0)])
    cut = group_results([run_of(0, 1, 300.0, solved=False, gamma=0.1), run_of(1, 1, 80.0, gamma=0.1)])
    assert common_horizon(slow) == 900 and common_horizon([*slow, *cut]) == 300


def test_several_environments_need_a_scale():
    runs = [run_of(i, 10.0 * i, env_id=env) for i in range(4) for env in ("A-v0", "B-v0")]
    with pytest.raises(UsageError, match="scale A-v0=LOW,HIGH B-v0=LOW,HIGH"):
        compare(runs, {})
    found = compare(runs, read_scale(["A-v0=0,30", "B-v0=0,60"]))
    # the middle half of 0 1/3 2/3 1 and 0 1/6 1/3 1/2
    assert found.groups[0].score.value == pytest.approx(1 / 3)


@pytest.mark.parametrize("text", ["A", "A=1", "A=1,1", "=0,1", "A=x,1"])
def test_a_wrong_scale_is_refused(text):
    with pytest.raises(UsageError):
        read_scale([text])


def make_sweep(root, article="dqn", fail=()):
    """A sweep's folder as it is left: two settings, six seeds, with the learning curves of agents."""
    jobs = []
    for gamma in (0.9, 0.5):
        for seed in range(6):
            key = f"g{gamma}__seed-{seed}"
            settings = {"gamma": gamma, "env_id": "CartPole-v0", "total_timesteps": 1000, "test": True}
            jobs.append(Job(key, settings, (seed,)))
            folder = root / key / "dqn__run"
            folder.mkdir(parents=True)
            returns = np.random.default_rng(seed).normal(100 * gamma + np.arange(30), 3)
            lines = [f"{r:.3f},20,{i}" for i, r in enumerate(returns)]
            (folder / "monitor.csv").write_text("\n".join(["#{}", "r,l,t", *lines]) + "\n", encoding="utf-8")
            config = json.dumps({"article": article, "settings": settings})
            (folder / "config.json").write_text(config, encoding="utf-8")
            solved_at = 500 if seed % 2 else None
            row = {"seed": seed, "score": 100 * gamma + seed, "solved_at": solved_at, "total_steps": 600}
            failed, done = Record(FAILED, (), 1.0, "the loss is <inf>"), Record(DONE, (row,), 1.0)
            (failed if gamma in fail else done).write(root / key)
    Plan(article, ("gamma",), tuple(jobs)).write(root)
    return root


def test_the_page_holds_everything_and_asks_nobody(tmp_path, capsys):
    out = tmp_path / "page.html"
    assert tool.main([str(make_sweep(tmp_path / "sweep")), "--out", str(out)]) == 0
    printed, html = capsys.readouterr().out, out.read_text(encoding="utf-8")
    assert re.search(r"--gamma 0\.9 +6 +92\.5 ", printed)
    assert "0.00 [0.00, 0.00]" in printed and "3 of 6" in printed
    parts = "Score", "Performance profile", "Steps to the goal", "Learning curves", "Every run"
    for words in (*parts, "92.5 [", "prefers-color-scheme"):
        assert words in html, words
    assert html.count("data:image/png;base64,") == 4
    assert not re.search(r"(src|href)=\"(?!data:|#)", html) and "__" not in re.sub(r"base64,[^\"]+", "", html)


def test_steps_to_a_threshold_come_from_the_learning_curves(tmp_path, capsys):
    words = [str(make_sweep(tmp_path / "sweep")), "--out", str(tmp_path / "p.html")]
    words += ["--threshold", "100", "--window", "5"]
    assert tool.main(words) == 0
    printed = capsys.readouterr().out
    lines = {line.split("  ")[0]: line for line in printed.splitlines()}
    assert "6 of 6" in lines["--gamma 0.9"]
    assert "0 of 6" in lines["--gamma 0.5"] and "not reached" in lines["--gamma 0.5"]


def test_failed_runs_are_told_and_a_setting_of_which_all_failed_is_left_out(tmp_path, capsys):
    out = tmp_path / "page.html"
    assert tool.main([str(make_sweep(tmp_path / "sweep", fail=(0.5,))), "--out", str(out)]) == 0
    assert "left out: --gamma 0.5, 6 runs without a score: the loss is <inf>" in capsys.readouterr().out
    assert "the loss is &lt;inf&gt;" in out.read_text(encoding="utf-8")


def test_wrong_requests_get_two_lines_and_exit_code_2(tmp_path, capsys):
    sweep = str(make_sweep(tmp_path / "sweep"))
    all_failed = str(make_sweep(tmp_path / "failed", fail=(0.5, 0.9)))
    other = str(make_sweep(tmp_path / "other", article="housing"))
    (tmp_path / "empty").mkdir()
    out = ["--out", str(tmp_path / "p.html")]
    for words in (
        [],
        ["nowhere"],
        [str(tmp_path / "empty")],
        [sweep, "--out", "p.pdf"],
        [sweep, "--out", str(tmp_path / "no" / "p.html")],
        [sweep, *out, "--window", "-1"],
        [all_failed, *out],
        [sweep, other, *out],
        [sweep, *out, "--scale", "x"],
    ):
        assert tool.main(words) == 2, words
        two_lines(capsys)
