"""`python -m rl all`: articles that run, articles that fail, and the page, which needs nothing but itself."""

import base64
import dataclasses
import io
import json
import re
import shutil
import subprocess
import sys
from html import escape
from html.parser import HTMLParser

import pytest
from PIL import Image

from rl.articles import ARTICLES
from rl.tools import all as tool
from rl.tools import page as page_module
from rl.tools.exhibits import EXHIBITS
from rl.tools.page import Report, duration, page
from rl.tools.runner import Outcome, execute, judged

VOID = {"meta", "link", "img", "br", "input", "source", "hr"}
BROWSER = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome", "chrome")
        if (found := shutil.which(name))
    ),
    None,
)
AGENT = {
    "steps": 15000,
    "episodes": 56,
    "solved_at": 15000,
    "best_score": 1.0,
    "best_mean_return": 29.2,
    "seconds": 20.5,
}
CARTPOLE = {
    "steps": 9000,
    "episodes": 210,
    "solved_at": 9000,
    "best_score": 199.1,
    "best_mean_return": 199.1,
    "seconds": 2.5,
}
GOOD = {
    "one_layer": {"equal": True, "x": [[1.0, 2]], "W": [[1.0] * 4] * 2, "b": [0.0] * 4, "y": [[1.0] * 4]},
    "two_layer": {"equal": True, "batch": [[1.0, 2]] * 3, "y": [[1.0] * 4] * 3},
    "housing": {"source": "Data: a file.", "losses": [180.0, 20.0], "test_error": 18.0, "linear_error": 25.0},
    "digits": {"accuracy": 0.93, "train_seconds": 0.4},
    "value_function": CARTPOLE,
    "dqn": AGENT,
    "policy_gradient": CARTPOLE,
    "a2c": AGENT,
    "bandit": {
        "algorithms": {
            "greedy": {"mean_reward": 0.8, "last_play": 0.86},
            "ucb1": {"mean_reward": 0.815, "last_play": 0.86},
        }
    },
    "maze": {"greedy_steps": 4, "shortest_steps": 4, "episodes": 420, "settled": True, "sampled_steps": 4.1},
}
POOR = {
    "one_layer": {"equal": False},
    "two_layer": {"equal": False},
    "housing": {"losses": [180.0, 120.0]},
    "digits": {"accuracy": 0.5},
    "value_function": {"solved_at": None},
    "dqn": {"solved_at": None},
    "policy_gradient": {"solved_at": None},
    "a2c": {"solved_at": None},
    "bandit": {
        "algorithms": {
            "greedy": {"mean_reward": 0.5, "last_play": 0.5},
            "ucb1": {"mean_reward": 0.815, "last_play": 0.86},
        }
    },
    "maze": {"greedy_steps": None},
}
PLAYER = "<!doctype html><title>game</title><script>document.title = 'a < b & \"c\"'</script><p>player</p>"


class Page(HTMLParser):
    """Every element is closed in its turn; what the page shows and asks for is kept."""

    def __init__(self, text):
        super().__init__()
        self.open, self.attributes, self.sections, self.words = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag == "section":
            self.sections.append(dict(attrs)["id"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        self.words.append(data)

    def values(self, *names):
        return [value for _, name, value in self.attributes if name in names]


def make_outcome(root, module, figures=None, quick=False, printed="it went well\n"):
    """A run as its article leaves it, with a picture, an animation and a player."""
    folder = root / f"{module}__x__0__now"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(figures or GOOD[module]), encoding="utf-8")
    for picture in EXHIBITS[module].pictures:
        Image.new("RGB", (960, 540), "white").save(folder / picture.file)
    if EXHIBITS[module].animation:
        frames = [Image.new("L", (256, 256), shade) for shade in (0, 120, 250)]
        frames[0].save(folder / "replay.gif", save_all=True, append_images=frames[1:], duration=40, loop=0)
        (folder / "replay.html").write_text(PLAYER, encoding="utf-8")
    return judged(module, f"python -m rl.{module} --seed 0", 12.3, printed, folder, quick)


def make_page(outcomes, quick=False):
    return page(
        Report(
            outcomes, quick, 0, 95.0, {"system": "Linux", "cores": 2, "kernels": "avx2"}, {"python": "3.11.7"}
        )
    )


@pytest.fixture
def full_page(tmp_path):
    outcomes = [make_outcome(tmp_path, article.module) for article in ARTICLES]
    outcomes[3] = Outcome(
        "digits",
        "python -m rl.digits",
        1.0,
        "x" * 300 + " <b>& no disk\n",
        problem="exit code 1: <b>& no disk",
    )
    return make_page(outcomes, quick=True)


def test_every_article_has_its_exhibit():
    assert list(EXHIBITS) == [article.module for article in ARTICLES]


@pytest.mark.parametrize("module", EXHIBITS)
def test_what_counts_as_reached(tmp_path, module):
    assert make_outcome(tmp_path, module).state == "reached"
    assert make_outcome(tmp_path, module, {**GOOD[module], **POOR[module]}).state == "missed"
    failed = make_outcome(tmp_path, module, {"something": "else"})
    assert failed.state == "failed" and "result.json" in failed.problem


def test_short_runs_are_held_to_less(tmp_path):
    unsolved = {**AGENT, "solved_at": None, "best_score": 0.93}
    assert make_outcome(tmp_path, "dqn", unsolved, quick=False).state == "missed"
    assert make_outcome(tmp_path, "dqn", unsolved, quick=True).state == "reached"
    assert make_outcome(tmp_path, "dqn", {**unsolved, "best_score": 0.3}, quick=True).state == "missed"


def test_the_flags_of_an_exhibit_are_flags_of_its_article():
    for module, exhibit in EXHIBITS.items():
        if exhibit.quick:
            text = subprocess.run(
                [sys.executable, "-m", f"rl.{module}", "--help"],
                capture_output=True,
                encoding="utf-8",
                check=True,
            ).stdout
            assert all(word in text for word in exhibit.quick if word.startswith("--"))


def test_the_page_is_well_formed_and_has_every_article(full_page):
    parsed = Page(full_page)
    assert parsed.sections == [article.module for article in ARTICLES]
    assert ("html", "lang", "en") in parsed.attributes
    assert sum(1 for tag, name, value in parsed.attributes if (name, value) == ("lang", "ja")) >= 3 * len(
        ARTICLES
    )
    words = " ".join(parsed.words)
    for article in ARTICLES:
        assert article.title in words and EXHIBITS[article.module].japanese in words
    assert "165.8451" in words and "180.0000" in words and "9 of 10" in words and "quick run" in words
    assert not re.search(r"__[A-Z]+__", words)


def test_the_page_asks_nobody_for_anything(full_page):
    parsed = Page(full_page)
    wanted = parsed.values("src", "href", "srcset", "data", "action", "poster")
    assert wanted and all(value.startswith(("data:", "#")) for value in wanted)
    assert not re.search(r"@import|url\s*\(|https?://", full_page)
    assert "default-src 'none'" in full_page


def test_the_pictures_in_the_page_decode(full_page):
    data = [value.partition(",")[2] for value in Page(full_page).values("src", "srcset")]
    pictures = [Image.open(io.BytesIO(base64.b64decode(content, validate=True))) for content in data]
    for picture in pictures:
        picture.load()
    assert {picture.format for picture in pictures} == {"PNG", "GIF"}
    assert [picture.n_frames for picture in pictures if picture.format == "GIF"] == [3] * 5


def test_the_player_comes_through_whole(full_page):
    assert Page(full_page).values("srcdoc") == [PLAYER] * 5


def test_what_an_article_printed_is_text_and_not_markup(tmp_path):
    printed = (
        "\x1b[32mgreen\x1b[0m\n 10%\r 50%\r100%\n<script>alert(1)</script> __SECTIONS__\n" + "line\n" * 500
    )
    text = make_page([make_outcome(tmp_path, "digits", printed=printed)])
    words = "".join(Page(text.partition("<body>")[2].partition("</body>")[0]).words)
    assert "<script>alert" not in text and "<script>alert(1)</script> __SECTIONS__" in words
    assert "50%" not in words and "100%" in words and "\x1b" not in text
    assert "lines left out" in words and words.count("line\n") < page_module.MOST_LINES


def test_a_run_without_pictures_is_still_told(tmp_path):
    outcome = dataclasses.replace(make_outcome(tmp_path, "maze"), folder=tmp_path)
    assert "<img" not in make_page([outcome]).partition('<section id="maze"')[2]


@pytest.mark.parametrize(
    "seconds, text", [(3.21, "3.2 s"), (48.4, "48 s"), (59.7, "1 min 0 s"), (125, "2 min 5 s")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_a_program_that_fails_leaves_its_code_and_all_it_said(tmp_path):
    code = "import sys; print('before'); print('grün ε', file=sys.stderr); sys.exit(3)"
    assert execute([sys.executable, "-c", code], tmp_path / "log.txt", print) == (3, "before\ngrün ε\n")
    assert (tmp_path / "log.txt").read_text(encoding="utf-8") == "before\ngrün ε\n"


def test_the_tool_runs_articles_and_writes_the_page(tmp_path, capsys):
    assert (
        tool.main(
            ["--only", "rl.two_layer,one_layer", "--out", str(tmp_path), "--seed", "4", "--num-threads", "1"]
        )
        == 0
    )
    said = capsys.readouterr().out
    assert (
        said.index("rl.one_layer") < said.index("rl.two_layer")
        and "2 of 2 as expected" in said
        and "open it:" in said
    )
    (written,) = tmp_path.glob("all__full__4__*/report.html")
    parsed = Page(written.read_text(encoding="utf-8"))
    assert parsed.sections == ["one_layer", "two_layer"]
    assert "rl.one_layer --seed 4 --num-threads 1" in " ".join(parsed.words)
    assert (written.parent / "one_layer.txt").read_text(encoding="utf-8").startswith("---")


def test_one_article_that_fails_does_not_stop_the_others(tmp_path, capsys, monkeypatch):
    broken = dataclasses.replace(EXHIBITS["one_layer"], quick=("--no-such-flag",))
    monkeypatch.setitem(EXHIBITS, "one_layer", broken)
    assert tool.main(["--quick", "--only", "one_layer,two_layer", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "FAILED" in said and "1 of 2 as expected" in said
    (written,) = tmp_path.glob("all__quick__0__*/report.html")
    words = " ".join(Page(written.read_text(encoding="utf-8")).words)
    assert "exit code 2" in words and "no-such-flag" in words


def test_wrong_requests_get_two_lines_and_exit_code_2(tmp_path, capsys):
    for argv in (["--only", "dqm"], ["--seed", "-1"], ["--num-threads", "-2"], ["--fast"]):
        assert tool.main([*argv, "--out", str(tmp_path / "none")]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 2 and lines[0].startswith("error: ") and lines[1].startswith("  ")
    assert not (tmp_path / "none").exists()


MEASURE = """<script>
addEventListener("load", () => {
  document.querySelectorAll("details").forEach((part) => { part.open = true; });
  const root = document.documentElement;
  const wide = [...document.querySelectorAll("main *")].filter((part) =>
    !part.closest("pre") && part.getBoundingClientRect().right > innerWidth + 1)
    .map((part) => part.outerHTML.slice(0, 80));
  const measured = { inner: innerWidth, scroll: root.scrollWidth, wide,
    images: [...document.images].filter((image) => image.naturalWidth > 0).length };
  parent.document.documentElement.dataset.measured = JSON.stringify(measured);
});
</script>"""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed")
@pytest.mark.parametrize("width", [375, 1200])
def test_in_a_browser_without_network(full_page, tmp_path, width):
    """The page in a frame, for windows have a least width: images decode, nothing is too wide, nothing
    complains.
    """
    inside = escape(full_page.replace("</body>", MEASURE + "</body>"))
    frame = f'<iframe style="width:{width}px;height:800px;border:0" srcdoc="{inside}"></iframe>'
    frame = f"<!doctype html><html><body>{frame}</body></html>"
    (tmp_path / "frame.html").write_text(frame, encoding="utf-8")
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        "--proxy-server=127.0.0.1:9",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=1300,900",
        "--virtual-time-budget=5000",
        "--dump-dom",
        (tmp_path / "frame.html").as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=120)
    assert not [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    found = {name: value for tag, name, value in Page(done.stdout).attributes if tag == "html"}
    measured = json.loads(found["data-measured"])
    assert measured["images"] == 14 and measured["wide"] == []
    assert measured["inner"] == width and measured["scroll"] <= width
