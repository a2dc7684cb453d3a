"""Learning in the maze: the compiled updates against NumPy, what is learnt, saving, the command."""

import json
import math
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from rl.envs import maze_sim as sim
from rl.envs.maze_layout import generate_maze, shortest_path
from rl.envs.maze_text import article_maze, read_maze
from rl.envs.random_stream import Stream, streams_of
from rl.maze import ETA, STOP_AFTER, Rule, Settings, get_pi, play, replay, report, update_theta
from rl.maze.command import last_episode, learn_one, main
from rl.maze.learning import Runs, begin, greedy_path, learn, max_steps, policy_of, sampled_length
from rl.maze.plots import milliseconds, plain_ticks
from rl.runs.state_file import load_state, save_state
from tests.rl.helpers import read_csv, read_json, run_folder_in, two_lines
from tests.tables import rows

ARTICLE = article_maze()
RULES = {update: Rule(update, ETA[update], 1e-3, STOP_AFTER[update]) for update in ETA}
SIGNS = {"article": 1.0, "gradient": -1.0}


def advantage_update(theta, value, cells, actions, eta):
    """The third update, from the history, one visit after the other."""
    steps, theta, value = len(cells), theta.copy(), value.copy()
    for cell in set(cells):
        visits = [t for t in range(steps) if cells[t] == cell]
        mean = np.mean([steps - t for t in visits])
        value[cell] = value[cell] or mean
        for action in range(4):
            if waits := [steps - t for t in visits if actions[t] == action]:
                theta[cell, action] += eta * max(-1.0, 1.0 - np.mean(waits) / value[cell])
        value[cell] += 0.1 * (mean - value[cell])
    return theta, value


@pytest.mark.parametrize("update", RULES)
def test_the_compiled_run_is_the_one_that_is_read(update):
    maze = generate_maze(3, 4, np.random.default_rng(2), 0.4)
    rule = Rule(update, 0.5, 0.0)
    runs = begin(maze, [3])
    lengths, moves = learn(maze, runs, rule, 150, record=150)

    theta, value, rng = begin(maze, [3]).theta[0], np.zeros(maze.cells), Stream(streams_of(3, 1))
    pi = get_pi(theta)
    for episode in range(150):
        history = play(maze, pi, rng, max_steps(maze))
        if update == "advantage":
            theta, value = advantage_update(theta, value, *zip(*history), 0.5)
        else:
            theta = update_theta(theta, pi, history, 0.5, SIGNS[update])
        before, pi = pi, get_pi(theta)
        assert len(history) == lengths[0, episode]
        assert np.abs(pi - before).sum() == pytest.approx(moves[0, episode], abs=1e-12)
    assert np.allclose(runs.theta[0], theta, rtol=0, atol=1e-10, equal_nan=True)
    assert np.allclose(runs.value[0], value if update == "advantage" else 0.0, atol=1e-9)
    assert runs.streams[0] == rng.state[0]


def test_the_minus_sign_is_the_gradient_of_the_log_probability_and_the_plus_sign_is_not():
    theta = begin(ARTICLE, [0]).theta[0] + np.random.default_rng(0).normal(size=(9, 4))
    history = play(ARTICLE, get_pi(theta), np.random.default_rng(1), 1000)

    def log_probability(parameters):
        pi = get_pi(parameters)
        return sum(math.log(pi[s, a]) for s, a in history)

    numeric = np.full((9, 4), np.nan)
    for index in zip(*np.nonzero(~np.isnan(theta))):
        step = np.zeros((9, 4))
        step[index] = 1e-5
        numeric[index] = (log_probability(theta + step) - log_probability(theta - step)) / 2e-5
    pi = get_pi(theta)
    minus, plus = (update_theta(theta, pi, history, len(history), sign) - theta for sign in (-1.0, 1.0))
    assert np.allclose(minus, numeric, atol=1e-7, equal_nan=True)
    assert not np.allclose(plus, numeric, atol=0.1, equal_nan=True)


def test_the_default_finds_the_4_steps_and_stops_by_itself_on_100_seeds():
    rule = Settings().rule()
    assert rule == RULES["gradient"]
    runs = begin(ARTICLE, range(100))
    learn(ARTICLE, runs, rule, Settings().max_episodes)
    policies = [policy_of(theta) for theta in runs.theta]
    assert all(greedy_path(ARTICLE, pi) == [0, 1, 4, 5, 8] for pi in policies)
    assert (runs.calm >= 1).all() and runs.episodes.max() < 1000
    lengths = [sampled_length(ARTICLE, pi, streams_of(5, 1)) for pi in policies]
    assert 4.0 <= min(lengths) and max(lengths) < 4.5


def test_the_listings_sign_stops_when_the_listing_does():
    runs = begin(ARTICLE, range(100))
    learn(ARTICLE, runs, RULES["article"], 1000)
    assert 190 <= runs.episodes.min() and runs.episodes.max() <= 290  # the listing: 211 to 277 in 20 runs
    assert all(len(greedy_path(ARTICLE, policy_of(theta))) == 5 for theta in runs.theta)


def test_the_textbook_sign_with_the_listings_step_needs_more_than_the_listings_limit():
    runs = begin(ARTICLE, range(20))
    learn(ARTICLE, runs, Rule("gradient", 0.1), 1000)
    assert not runs.calm.any()


@pytest.mark.parametrize("seed", range(5))
def test_the_shortest_path_is_learnt_in_larger_mazes(seed):
    settings = Settings(size="10x8", seed=seed)
    maze, rule = settings.layout(), settings.rule()
    assert (maze.width, maze.height, rule.update) == (10, 8, "advantage")
    runs = begin(maze, [seed])
    learn(maze, runs, rule, settings.max_episodes)
    path = greedy_path(maze, policy_of(runs.theta[0]))
    assert path is not None and len(path) <= len(shortest_path(maze)) * 1.05
    assert runs.calm[0] >= rule.stop_after


@pytest.mark.slow
def test_the_shortest_path_is_learnt_or_nearly_in_mazes_of_20x20():
    for seed in range(20):
        settings = Settings(size="20x20", seed=seed)
        maze, runs = settings.layout(), begin(settings.layout(), [seed])
        learn(maze, runs, settings.rule(), settings.max_episodes)
        path = greedy_path(maze, policy_of(runs.theta[0]))
        assert len(path) - 1 <= 1.05 * (len(shortest_path(maze)) - 1), seed


def test_many_runs_are_the_same_one_by_one_and_on_two_threads():
    together, shared = begin(ARTICLE, range(30)), begin(ARTICLE, range(30))
    learn(ARTICLE, together, RULES["gradient"], 5000, num_threads=1)
    learn(ARTICLE, shared, RULES["gradient"], 5000, num_threads=2)
    for name, array in together.arrays().items():
        assert np.array_equal(array, getattr(shared, name), equal_nan=name in ("theta", "value")), name
        alone = begin(ARTICLE, [17])
        learn(ARTICLE, alone, RULES["gradient"], 5000)
        assert np.array_equal(getattr(alone, name)[0], array[17], equal_nan=name in ("theta", "value")), name


@pytest.mark.parametrize("update", RULES)
def test_a_run_saved_and_continued_is_the_run_that_never_paused(update, tmp_path):
    straight, paused = begin(ARTICLE, [1, 2]), begin(ARTICLE, [1, 2])
    lengths, moves = learn(ARTICLE, straight, RULES[update], 160, record=160)
    learn(ARTICLE, paused, RULES[update], 80)
    save_state(tmp_path / "state", paused.arrays())
    resumed = Runs(**load_state(tmp_path / "state"))
    later, later_moves = learn(ARTICLE, resumed, RULES[update], 160, record=160)
    for name, array in straight.arrays().items():
        assert array.tobytes() == resumed.arrays()[name].tobytes(), name
    np.testing.assert_array_equal(later[:, 80:], lengths[:, 80:])
    np.testing.assert_array_equal(later_moves[:, 80:], moves[:, 80:])
    assert not later[:, :80].any()


def test_an_episode_cut_short_teaches_the_count_updates_nothing_and_never_settles():
    maze = generate_maze(6, 6, np.random.default_rng(0))
    for rule, learns in ((sim.GRADIENT, False), (sim.ARTICLE, False), (sim.ADVANTAGE, True)):
        runs, lengths, moves = begin(maze, [0]), np.zeros((1, 3), np.int64), np.zeros((1, 3))
        theta, layout = runs.theta.copy(), (maze.neighbour, maze.start, maze.goal)
        arrays = runs.theta, runs.value, runs.streams, runs.episodes, runs.calm, lengths, moves
        sim.learn(*layout, rule, 0.1, 1e9, 1, 5, 3, *arrays)
        assert lengths.tolist() == [[5, 5, 5]] and runs.calm[0] == 0
        assert np.array_equal(theta, runs.theta, equal_nan=True) != learns


def test_the_last_episode_is_found_again():
    runs = begin(ARTICLE, [4])
    lengths, _ = learn(ARTICLE, runs, RULES["article"], 1000, record=1000)
    episodes = int(runs.episodes[0])
    for wanted in (1, 50, episodes):
        walk, _ = last_episode(ARTICLE, begin(ARTICLE, [4]), RULES["article"], wanted)
        cell, action = walk[-1]
        assert len(walk) == lengths[0, wanted - 1]
        assert (walk[0][0], ARTICLE.neighbour[cell, action]) == (0, 8)


# command


def test_the_command_writes_what_it_prints(tmp_path, capsys):
    assert main(["--seed", "3", "--out", str(tmp_path)]) == 0
    printed, folder = capsys.readouterr().out, run_folder_in(tmp_path)
    results = read_json(folder / "result.json")
    assert results["settled"] and results["greedy_steps"] == results["shortest_steps"] == 4
    assert f"settled by itself after {results['episodes']} episodes" in printed
    assert "greedy path          4 steps" in printed and "shortest, by search  4 steps" in printed
    assert f"sampled episodes     {results['sampled_steps']:.2f} steps" in printed
    table = read_csv(folder / "progress.csv")
    assert len(table) == results["episodes"] and float(table[-1]["policy_moved"]) < 1e-3
    assert f"episode {len(table) - 1}: {table[-1]['steps']} steps, policy moved" in printed
    for name in ("policy.png", "steps.png"):
        with Image.open(folder / name) as picture:
            assert picture.width >= 400
    with Image.open(folder / "replay.gif") as animation:
        assert animation.n_frames == int(table[-1]["steps"]) + 1
    page = (folder / "replay.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r"const data = (.*);", page).group(1))
    steps = int(table[-1]["steps"])
    assert data["step"] == list(range(steps + 1)) and data["score"] == [-step for step in range(steps + 1)]
    assert data["chosen"][-1] == -1 and data["actions"] == ["up", "right", "down", "left"]
    assert np.sum(data["values"][:-1], axis=1) == pytest.approx(1, abs=1e-4)
    assert not re.search(r"(src|href)=|https?:|@import|url\(", page)  # nothing from a network


def test_the_policy_is_printed_as_a_table_and_the_run_ends_in_a_sentence(tmp_path, capsys):
    learn_one(Settings(out=str(tmp_path), seed=0))
    lines = capsys.readouterr().out.splitlines()
    start, learned = (i for i, line in enumerate(lines) if line.startswith("the policy"))
    assert lines[start + 3].split() == ["1", "-", "1.00", "1.00", "1.00", "-", "0.33", "0.33", "0.33"]
    likeliest = max(lines[learned + 3].split()[5:], key=lambda text: float(text.replace("-", "0")))
    assert lines[learned + 3].split().index(likeliest) == 7, "down, from cell 1 to cell 4"
    assert lines[learned + 10].split() == ["8", *["-"] * 8], "the goal has no actions"
    assert (
        "Episode 0 took 72 steps to the goal, the last one 4. The learned path is the shortest" in lines[-2]
    )


@pytest.mark.parametrize("greedy, sentence", [(None, "round in circles"), (6, "a detour of 6 steps; 4")])
def test_what_was_not_learned_is_said(greedy, sentence, capsys):
    progress = SimpleNamespace(lengths=np.array([72, 9]))
    result = report.Result(Path(), 2, False, greedy, 4, 9.0, 0.0)
    report.print_conclusion(progress, result)
    assert sentence in capsys.readouterr().out


def test_ticks_are_plain_numbers_that_do_not_touch():
    assert plain_ticks(4, 72) == [4, 6, 10, 20, 40, 60]
    assert plain_ticks(36, 3042)[:3] == [36, 60, 100]


def test_resume_goes_on_to_what_the_uninterrupted_run_reaches(tmp_path, capsys):
    common = ["--size", "4x3", "--seed", "2"]
    assert main([*common, "--out", str(tmp_path / "a"), "--max-episodes", "120"]) == 0
    assert "--resume" in capsys.readouterr().out
    assert main(["--resume", "--out", str(tmp_path / "a"), "--max-episodes", "240"]) == 0
    assert main([*common, "--out", str(tmp_path / "b"), "--max-episodes", "240"]) == 0
    resumed, straight = run_folder_in(tmp_path / "a"), run_folder_in(tmp_path / "b")
    for name in ("progress.csv", "policy.png", "steps.png", "replay.gif", "replay.html"):
        assert (resumed / name).read_bytes() == (straight / name).read_bytes(), name


def test_play_writes_an_episode_where_there_is_no_screen(tmp_path, capsys, monkeypatch):
    main(["--out", str(tmp_path)])
    monkeypatch.delenv("SDL_VIDEODRIVER")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    folder = run_folder_in(tmp_path)
    (folder / "replay.gif").unlink()
    assert main(["--play", "--out", str(tmp_path)]) == 0
    assert "an episode of" in capsys.readouterr().out and (folder / "replay.gif").exists()


def walk_of(steps):
    """Moments of the article's maze: a step back and forth, then the way to the goal."""
    layout = article_maze()
    way = [(0, 1), (1, 3)] * ((steps - 4) // 2) + [(0, 1), (1, 2), (4, 1), (5, 2)]
    return replay.moments_of(layout, way, np.full((9, 4), 0.25))


@pytest.mark.thorough
def test_the_window_stays_until_it_is_closed(monkeypatch):
    from rl.envs.window import pygame
    from rl.watch import play_window

    shown, keys = [], {6: "r", 9: " ", 11: " ", 12: "1", 400: "q"}
    show = play_window.PlayWindow.show

    def show_and_press(self, moment, picture=None):
        assert len(shown) <= 400
        show(self, moment, picture)
        shown.append(moment.step)
        if key := keys.get(len(shown)):
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=ord(key), unicode=key))

    monkeypatch.setattr(play_window.PlayWindow, "show", show_and_press)
    monkeypatch.setattr(play_window, "SPEEDS", (100.0,) * 7)
    monkeypatch.setattr(replay, "WINDOW_FPS", 2)
    try:
        assert replay.show_in_window(walk_of(4), "a walk")
    finally:
        pygame.display.quit()
    assert shown[:12] == [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 1, 1]  # r begins again, space waits
    assert len(shown) == 400 and shown[-300:] == [4] * 300  # the end is held


def test_a_short_walk_takes_a_second_a_step_and_a_long_one_is_cut():
    assert milliseconds(len(walk_of(4))) == 1000 and milliseconds(500) == 40
    long = walk_of(2000)
    assert len(long) == 600 and (long[0].step, long[-1].step, long[-1].action) == (1401, 2000, -1)


def test_a_maze_of_ones_own_and_many_runs(tmp_path, capsys):
    drawing = tmp_path / "my.txt"
    drawing.write_text("S...\n.##.\n...G\n", encoding="utf-8")
    assert main(["--maze", str(drawing), "--out", str(tmp_path)]) == 0
    assert "shortest, by search  5 steps" in capsys.readouterr().out
    assert shortest_path(read_maze(run_folder_in(tmp_path) / "maze.txt")) is not None
    assert main(["--num-runs", "50", "--update", "article"]) == 0
    printed = capsys.readouterr().out
    assert "50 runs" in printed and re.search(r"settled by themselves +100.0%", printed)


REFUSED = rows("""
    --size 20               --size
    --size 1x1              --size
    --size 2x2 --maze x     choose one
    --maze nowhere.txt      nowhere.txt
    --maze closed.txt       no path leads from the start
    --update magic          choice
    --eta -1                --eta
    --play                  no unfinished run|no .* of rl.maze
    --resume                no run of rl.maze
""")


@pytest.mark.parametrize("flags, what", REFUSED)
def test_what_cannot_work_is_refused_in_two_lines(flags, what, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "closed.txt").write_text("S.#G\n", encoding="utf-8")
    assert main([*flags.split(), "--out", "new"]) == 2
    assert re.search(what, " ".join(two_lines(capsys)))
    assert not (tmp_path / "new").exists()
