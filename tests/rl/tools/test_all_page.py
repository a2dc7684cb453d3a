"""`python -m rl all`: articles that run, articles that fail, and the page, which needs nothing but itself."""

import dataclasses
import json
import re
from html import unescape

import pytest
from PIL import Image

from rl.articles import ARTICLES
from rl.tools import all as tool
from rl.tools.exhibits import EXHIBITS
from rl.tools.report import Report, render
from rl.tools.runner import judge
from tests.processes import run_python
from tests.rl.helpers import two_lines

SOLVED = {"steps": 9000, "episodes": 210, "solved_at": 9000, "best_score": 199.1, "best_mean_return": 199.1}
SOLVED["seconds"] = 2.5
MATRIX = [[1.0] * 4] * 2
ARMS = {name: {"mean_reward": 0.815, "last_play": 0.86} for name in ("greedy", "ucb1")}
GOOD = {
    "one_layer": {"equal": True, "x": [[1.0, 2]], "W": MATRIX, "b": [0.0] * 4, "y": MATRIX},
    "two_layer": {"equal": True, "batch": [[1.0, 2]] * 3, "y": [[1.0] * 4] * 3},
    "housing": {"source": "Data: a file.", "losses": [180.0, 20.0], "test_error": 18.0, "linear_error": 25.0},
    "digits": {"accuracy": 0.93, "train_seconds": 0.4},
    **dict.fromkeys(("value_function", "dqn", "policy_gradient", "a2c"), SOLVED),
    "bandit": {"algorithms": ARMS},
    "maze": {"greedy_steps": 4, "shortest_steps": 4, "episodes": 420, "settled": True, "sampled_steps": 4.1},
}
POOR = {
    **dict.fromkeys(("one_layer", "two_layer"), {"equal": False}),
    "housing": {"losses": [180.0, 120.0]},
    "digits": {"accuracy": 0.5},
    **dict.fromkeys(("value_function", "dqn", "policy_gradient", "a2c"), {"solved_at": None}),
    "bandit": {"algorithms": {**ARMS, "greedy": {"mean_reward": 0.5, "last_play": 0.5}}},
    "maze": {"greedy_steps": None},
}
PLAYER = "<!doctype html><title>game</title><script>document.title = 'a < b & \"c\"'</script><p>player</p>"


def make_outcome(root, module, figures=None, quick=False, printed="it went well\n"):
    """A run as its article leaves it, with a picture, an animation and a player."""
    folder = root / f"{module}__x__0__now"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(figures or GOOD[module]), encoding="utf-8")
    for picture in EXHIBITS[module].pictures:
        Image.new("RGB", (96, 54), "white").save(folder / picture.file)
    if EXHIBITS[module].animation:
        Image.new("L", (25, 25)).save(folder / "replay.gif")
        (folder / "replay.html").write_text(PLAYER, encoding="utf-8")
    return judge(module, f"python -m rl.{module} --seed 0", 12.3, printed, folder, quick)


def make_page(outcomes):
    return render(Report(outcomes, False, 0, 95.0, {"cores": 2, "kernels": "avx2"}, {"python": "3.11.7"}))


@pytest.mark.parametrize("module", [article.module for article in ARTICLES])
def test_a_result_is_judged_by_what_the_article_promises(tmp_path, module):
    assert make_outcome(tmp_path, module).state == "reached"
    assert make_outcome(tmp_path, module, {**GOOD[module], **POOR[module]}).state == "missed"
    failed = make_outcome(tmp_path, module, {"something": "else"})
    assert failed.state == "failed" and "result.json" in failed.problem


@pytest.mark.parametrize(("score", "quick", "state"), [(0.93, True, "reached"), (0.3, True, "missed")])
def test_a_quick_run_promises_less(tmp_path, score, quick, state):
    unsolved = {**SOLVED, "solved_at": None, "best_score": score}
    assert make_outcome(tmp_path, "dqn", unsolved, quick).state == state


@pytest.mark.parametrize("module", [name for name, exhibit in EXHIBITS.items() if exhibit.quick])
def test_the_flags_of_a_quick_run_are_flags_of_its_article(module):
    shown = run_python("-m", f"rl.{module}", "--help").stdout
    assert all(word in shown for word in EXHIBITS[module].quick if word.startswith("--"))


def test_the_page_shows_every_article_and_asks_nobody_for_anything(tmp_path):
    text = make_page([make_outcome(tmp_path, article.module) for article in ARTICLES])
    assert re.findall('<section id="(.*?)"', text) == [article.module for article in ARTICLES]
    wanted = re.findall(r'\b(?:src|href|srcset|data|action|poster)="(.*?)"', text)
    assert wanted and all(value.startswith(("data:", "#")) for value in wanted)
    assert not re.search(r"@import|url\s*\(|https?://|__[A-Z]+__", text)
    assert "default-src 'none'" in text and "10 of 10" in text
    assert [unescape(inner) for inner in re.findall('srcdoc="(.*?)"', text)] == [PLAYER] * 5


def test_printed_lines_are_text_and_not_markup(tmp_path):
    printed = "\x1b[32mgreen\x1b[0m\n 10%\r 50%\r100%\n<script>alert(1)</script> __SECTIONS__\n"
    printed += 500 * "line\n"
    text = make_page([make_outcome(tmp_path, "digits", printed=printed)]).partition("<body>")[2]
    assert "<script>alert" not in text and "&lt;script&gt;alert(1)&lt;/script&gt; __SECTIONS__" in text
    assert "50%" not in text and "100%" in text and "\x1b" not in text
    assert "lines left out" in text and text.count("line\n") < 120


def test_an_article_that_fails_does_not_stop_the_others(tmp_path, capsys, monkeypatch):
    broken = dataclasses.replace(EXHIBITS["one_layer"], quick=("--no-such-flag",))
    monkeypatch.setitem(EXHIBITS, "one_layer", broken)
    words = ["--quick", "--only", "rl.two_layer,one_layer", "--out", str(tmp_path), "--seed", "4"]
    assert tool.main(words) == 1
    said = capsys.readouterr().out
    assert said.index("rl.one_layer") < said.index("FAILED") < said.index("rl.two_layer")
    assert "1 of 2 as expected" in said and "open it:" in said
    (written,) = tmp_path.glob("all__quick__4__*/report.html")
    text = written.read_text(encoding="utf-8")
    assert re.findall('<section id="(.*?)"', text) == ["one_layer", "two_layer"]
    assert "exit code 2" in text and "no-such-flag" in text and "rl.two_layer --seed 4" in text
    assert (written.parent / "two_layer.txt").stat().st_size > 0


@pytest.mark.parametrize("wrong", [["--only", "dqm"], ["--seed", "-1"], ["--num-threads", "-2"], ["--fast"]])
def test_a_wrong_request_gets_two_lines_and_exit_code_2(wrong, tmp_path, capsys):
    assert tool.main([*wrong, "--out", str(tmp_path / "none")]) == 2
    two_lines(capsys)
    assert not (tmp_path / "none").exists()
