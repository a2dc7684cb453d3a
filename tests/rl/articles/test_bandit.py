"""Slot machines: compiled algorithms against the classes that are read, means against the article's."""

import itertools
import math

import numpy as np
import pytest

import rl  # noqa: F401
from rl.bandit import UCB1, EpsilonGreedy, Settings, SlotArm, play, plots, simulate
from rl.bandit.command import conclusion, main
from rl.bandit.plots import lai_robbins, relative_entropy
from rl.bandit.simulation import step_through, streams_of
from rl.bandit.tally import Result, measure
from tests.rl.helpers import read_csv, read_json, run_folder_in, two_lines

ARMS = (SlotArm(0.3), SlotArm(0.5), SlotArm(0.9))
ALGORITHMS = Settings().algorithms()
LABELS = [algo.label() for algo in ALGORITHMS]


# algorithms


@pytest.mark.parametrize("algo", ALGORITHMS, ids=LABELS)
@pytest.mark.parametrize("chances", [(0.3, 0.5, 0.9), (0.5, 0.5), (0.0, 1.0, 0.2, 0.2), (0.4,)])
def test_compiled_and_stepped_simulations_make_the_same_choices(algo, chances):
    arms, streams = [SlotArm(p) for p in chances], streams_of(5, 20)
    stepped_streams = streams.copy()
    chosen, rewards = simulate(algo, arms, streams, 200)
    stepped, stepped_rewards = np.empty_like(chosen), np.empty_like(rewards)
    step_through(algo, arms, stepped_streams, stepped, stepped_rewards)
    assert np.array_equal(chosen, stepped) and np.array_equal(rewards, stepped_rewards)
    assert np.array_equal(streams, stepped_streams)  # so both can go on from here alike


@pytest.mark.parametrize("algo", ALGORITHMS, ids=LABELS)
def test_simulations_are_the_same_one_by_one_and_on_two_threads(algo):
    together = simulate(algo, ARMS, streams_of(1, 31), 100, num_threads=1)
    shared = simulate(algo, ARMS, streams_of(1, 31), 100, num_threads=2)
    alone = [simulate(algo, ARMS, streams_of(1, 31)[i : i + 1], 100) for i in range(31)]
    for k in range(2):
        assert np.array_equal(together[k], shared[k])
        assert np.array_equal(together[k], np.concatenate([one[k] for one in alone]))


def test_ucb1_plays_each_arm_once_and_then_the_highest_bound():
    algo = UCB1()
    algo.initialize(3, None)
    for t, reward in enumerate((0.0, 1.0, 0.0), start=1):
        assert algo.select_arm() == t - 1
        algo.update(t - 1, reward, t)
    bonus = math.sqrt(2 * math.log(3))
    assert algo.v == pytest.approx([bonus, 1 + bonus, bonus])
    assert algo.select_arm() == 1
    algo.update(1, 1.0, 4)
    once = math.sqrt(2 * math.log(4))
    assert algo.v == pytest.approx([once, 1 + math.sqrt(math.log(4)), once])


def test_epsilon_greedy_breaks_ties_at_random_unless_told_otherwise():
    def first_arms(random_ties):
        return simulate(EpsilonGreedy(0.0, random_ties), ARMS, streams_of(0, 3000), 1)[0][:, 0]

    assert np.bincount(first_arms(True), minlength=3) == pytest.approx([1000, 1000, 1000], abs=150)
    assert not first_arms(False).any()


def test_an_algorithm_of_ones_own_is_played_too():
    class RoundRobin:
        def initialize(self, n_arms, rng):
            self.arms = itertools.cycle(range(n_arms))

        def select_arm(self):
            return next(self.arms)

        def update(self, chosen_arm, reward, t):
            pass

        def label(self):
            return "round robin"

    times, rewards = play(RoundRobin(), ARMS, 200, 30)
    assert times[:31].tolist() == [*range(1, 31), 1]
    assert rewards.shape == times.shape == (6000,)
    assert [rewards[arm::3].mean() for arm in range(3)] == pytest.approx([0.3, 0.5, 0.9], abs=0.05)


def test_means_lie_within_the_spread_of_the_article():
    """Medians of 20 seeds; the spreads are those of the listing's own runs."""
    spreads = (
        (EpsilonGreedy(0.1, random_ties=False), 0.792, 0.801, 0.857, 0.875),
        (UCB1(), 0.814, 0.817, 0.842, 0.879),
    )
    for algo, least, most, least_last, most_last in spreads:
        rewards = (play(algo, ARMS, 1000, 250, seed)[1].reshape(1000, 250) for seed in range(20))
        curves = np.array([each.mean(axis=0) for each in rewards])
        assert least <= np.median(curves.mean(axis=1)) <= most
        assert least_last <= np.median(curves[:, -1]) <= most_last


def test_what_comes_after_loses_less():
    settings = Settings(num_sims=2000, seed=4)
    regret = {algo.label(): measure(algo, settings).regret[-1] for algo in ALGORITHMS}
    order = ["Thompson sampling", "gradient bandit(0.4)", "ε-greedy(0.1)", "UCB1"]
    assert sorted(order, key=regret.get) == order
    assert regret["ε-greedy(0.1)"] < regret["ε-greedy(0.1), ties to arm 0"]


def test_the_regret_of_random_play_is_the_mean_gap_times_the_plays():
    result = measure(EpsilonGreedy(1.0), Settings(num_sims=4000, num_time=50))
    assert result.regret[-1] == pytest.approx(50 * (0.6 + 0.4 + 0.0) / 3, rel=0.02)
    assert result.best_arm == pytest.approx(1 / 3, abs=0.04)


def test_lai_and_robbins_bound():
    kl = 0.3 * math.log(0.3 / 0.9) + 0.7 * math.log(0.7 / 0.1)
    assert lai_robbins(np.array([0.3, 0.9])) == pytest.approx(0.6 / kl)
    assert lai_robbins(np.array([0.4, 0.4])) == 0.0
    assert lai_robbins(np.array([0.5, 1.0])) == 0.0  # one blank rules the best arm out: nothing more to lose
    assert relative_entropy(0.0, 0.5) == pytest.approx(math.log(2)) and relative_entropy(0.5, 0.5) == 0.0


def test_the_bound_is_drawn_below_every_curve_and_as_steep_as_it_is(tmp_path, monkeypatch):
    pairs, make = [], plots._figure
    monkeypatch.setattr(plots, "_figure", lambda *texts: pairs.append(make(*texts)) or pairs[-1])
    t = np.arange(1, 251)
    plots.draw_regret(tmp_path / "regret.png", {"a": 5.0 * np.log(t), "b": 0.8 * np.log(t)}, 1.5)
    *curves, bound = (np.column_stack(line.get_data()) for line in pairs[0][1].lines)
    plays, height = bound[:, 0].astype(int), bound[:, 1]
    assert all((curve[plays - 1, 1] > height).all() for curve in curves)
    assert (height[-1] - height[0]) / np.log(plays[-1] / plays[0]) == pytest.approx(1.5)


def test_the_conclusion_names_the_winner_and_the_price_of_the_articles_ties():
    def result(label, reward):
        return Result(label, np.full(4, reward), np.zeros(4), 0.5, 0.0)

    both = [result("x, ties to arm 0", 0.25), result("x", 0.5), result("UCB1", 0.75)]
    first, second = conclusion(both)
    assert first.startswith("UCB1 earned most") and "50.0%" in first
    assert "earns 0.250 a play; with ties broken at random it earns 0.500" in second
    assert len(list(conclusion(both[1:]))) == 1


@pytest.mark.parametrize("wrong", [{"num_sims": 0}, {"num_time": 0}, {"arms": ()}])
def test_play_says_what_cannot_be_played(wrong):
    with pytest.raises(ValueError, match="at least"):
        play(**{"algo": UCB1(), "arms": ARMS, "num_sims": 1, "num_time": 1, **wrong})
    with pytest.raises(ValueError, match="from 0 to 1"):
        SlotArm(1.2)


# command


def test_the_command_writes_what_it_prints(tmp_path, capsys):
    assert main(["--num-sims", "50", "--num-time", "40", "--seed", "2", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    folder = run_folder_in(tmp_path)
    results = read_json(folder / "result.json")["algorithms"]
    assert list(results) == LABELS and all(label in printed for label in LABELS)
    assert f"{results['UCB1']['mean_reward']:.3f}" in printed
    rows = read_csv(folder / "curves.csv")
    ucb = [float(row["mean_reward"]) for row in rows if row["algorithm"] == "UCB1"]
    assert len(ucb) == 40 and np.mean(ucb) == pytest.approx(results["UCB1"]["mean_reward"], abs=1e-5)
    for name in ("rewards.png", "regret.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "flags", [["--arms", "0.3", "1.5"], ["--epsilon", "2"], ["--num-sims", "0"], ["--temperature", "0"]]
)
def test_the_command_refuses_what_cannot_work(flags, tmp_path, capsys):
    assert main([*flags, "--out", str(tmp_path)]) == 2
    assert flags[0] in two_lines(capsys)[0]
    assert not list(tmp_path.iterdir())
