"""READMEs and guide: every command, flag, link, file and name exists, the code runs, both languages agree."""

import contextlib
import importlib
import io
import pkgutil
import re
import runpy
import shlex
import sys
import warnings
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.processes import run_python

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.ja.md")
GUIDE = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("docs/*.md", "docs/own/*.md", "docs/ja/*.md", "docs/ja/own/*.md", "docs/results/*.md")
    for path in ROOT.glob(pattern)
)
PAGES = (*READMES, "CONTRIBUTING.md", "SECURITY.md", *GUIDE)
FIRST_STEPS = ["start", "library", "why", "from-keras", "from-sb3", "migration"]
FIRST_STEPS += [f"own/{name}" for name in ("environment", "layer", "loss", "network", "agent")]
PAIRS = [READMES, *((f"docs/{name}.md", f"docs/ja/{name}.md") for name in FIRST_STEPS)]
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"python3? -m ([\w.]+)((?: +[^`&|;\n]+)?)")
NAME = re.compile(r"`((?:rl|nnlite)(?:\.[a-zA-Z_]\w*)+)(?:\([^`]*\))?`")
FILE = re.compile(r"`((?:docs|nnlite|ext|bench|rl|notebooks|tests)/[\w./-]*|LICENSE|CITATION.cff)`")
OTHERS = ("venv", "build", "sphinx")  # commands of other packages
TOOLS = ("all", "sweep", "compare", "plot", "export")
JAPANESE = {"戦略": "方策", "サーバ(?!ー)": "サーバー", "解けた": "攻略", "なぞる": "走査"}  # avoid: use


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name):
    """(language, content) of every fenced block."""
    return FENCE.findall(text(name))


def prose(name):
    return FENCE.sub("", text(name))


def without_comments(name):
    return re.sub(r"<!--.*?-->", "", text(name), flags=re.DOTALL)


def commands(name):
    """(module, words) of every `python -m` in blocks and in prose."""
    found = COMMAND.findall(without_comments(name).replace("\\|", "|"))
    return sorted({(module, tuple(shlex.split(rest, comments=True))) for module, rest in found})


@cache
def help_of(module, *words):
    """The text of `python -m MODULE WORDS --help`; in this process, which has imported most of it already."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr(sys, "argv", [module, *words, "--help"])
        with warnings.catch_warnings(), pytest.raises(SystemExit) as end:
            warnings.simplefilter("ignore", RuntimeWarning)  # runpy: what was imported runs once more
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    assert not end.value.code, printed.getvalue()
    return printed.getvalue()


def has_flag(shown, flag):
    return re.search(rf"{re.escape(flag)}\b", shown)


def headings(name):
    return [len(marks) for marks in re.findall(r"^(#+) ", prose(name), re.MULTILINE)]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_names_a_module_and_flags_that_exist(page):
    for module, words in commands(page):
        if module in OTHERS:
            continue
        if module == "pytest":
            assert all((ROOT / word).exists() for word in words if word.startswith("tests/")), words
        elif module.split(".")[0] in ("tests", "bench"):
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
        else:
            tool = words[:1] if module == "rl" and words and not words[0].startswith("-") else ()
            shown = help_of(module, *tool)
            missing = [word for word in words if word.startswith("--") and not has_flag(shown, word)]
            assert not missing, f"python -m {module} {' '.join(words)}: there is no {missing}"


@pytest.mark.parametrize("page", PAGES)
def test_flags_that_stand_alone_exist_somewhere(page):
    flags = set(re.findall(r"`(--[\w-]+)", without_comments(page)))
    for words in [("rl.dqn",), ("rl.housing",), ("rl.digits",), ("rl.bandit",), ("rl.maze",)] * bool(flags):
        flags = {flag for flag in flags if not has_flag(help_of(*words), flag)}
    for tool in TOOLS if flags else ():
        flags = {flag for flag in flags if not has_flag(help_of("rl", tool), flag)}
    assert not flags


@pytest.mark.parametrize("page", PAGES)
def test_the_articles_commands_are_understood(page):
    """Values too: each command's flags go through the article's own parser and checks."""
    from rl.articles import ARTICLES
    from rl.command.cli import parse

    articles = {f"rl.{article.module}" for article in ARTICLES}
    seen = set()
    for module, words in commands(page):
        if module not in articles:
            continue
        seen.add(module)
        if {"...", "FILE", "FOLDER", "N", "--help", "--resume"} & set(words) or "mygames:" in " ".join(words):
            continue
        article = importlib.import_module(module)
        presets = {"test": article.TEST} if hasattr(article, "TEST") else {}
        with contextlib.redirect_stdout(io.StringIO()):
            parse(article.Settings, module, "", presets=presets, argv=list(words)).validate()
    assert seen == articles or page not in READMES


LONG = [
    pytest.param(f"docs/{name}.md", marks=pytest.mark.thorough) for name in FIRST_STEPS if name != "start"
]


@pytest.mark.parametrize("page", ["README.md", *LONG])
def test_the_blocks_of_python_run(page, tmp_path):
    written = [content for language, content in blocks(page) if language == "python"]
    code = "\n".join(content for content in written if "gym.register" not in content)  # names a reader's file
    assert "import" in code
    done = run_python("-c", code, cwd=tmp_path)
    if "evaluate(100)" in code:  # the first example prints a mean return: the pole stands
        assert float(done.stdout.split()[0]) > 195


def test_an_own_agent_is_at_most_forty_lines():
    first = next(content for language, content in blocks("docs/own/agent.md") if language == "python")
    assert len([line for line in first.splitlines() if line.strip()]) <= 40
    assert "class OneStep(Algorithm)" in first


@pytest.mark.thorough
def test_the_own_agent_of_the_guide_is_a_command_and_a_sweep(tmp_path):
    first = next(content for language, content in blocks("docs/own/agent.md") if language == "python")
    end = next(content for language, content in blocks("docs/own/agent.md") if "exit_codes(run)" in content)
    (tmp_path / "onestep.py").write_text(first + end, encoding="utf-8")
    short = ["--env-id", "CartPole-v1", "--total-timesteps", "2000", "--eval-episodes", "2"]
    done = run_python("onestep.py", *short, cwd=tmp_path)
    assert "watch it:  python -m onestep --play runs/onestep__CartPole-v1__0__" in done.stdout.replace(
        "\\", "/"
    )
    assert list(tmp_path.glob("runs/onestep__*/replay.html"))
    settings = ["--set", "env_id=CartPole-v1", "--set", "total_timesteps=1000", "--set", "eval_episodes=2"]
    swept = run_python("-m", "rl", "sweep", "onestep:OneStep", "--seeds", "0:2", *settings, cwd=tmp_path)
    assert "2 of 2 runs done" in swept.stdout
    wrong = run_python("-m", "rl", "sweep", "onestep:Settings", "--seeds", "0:2", cwd=tmp_path, code=2)
    assert "onestep:Settings is no algorithm" in wrong.stderr


@pytest.mark.parametrize("page", PAGES)
def test_extras_that_are_installed_exist(page):
    declared = text("pyproject.toml").partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    extras = re.findall(r"^(\w+) = \[", declared, re.MULTILINE)
    assert set(re.findall(r"pip install (?:-e )?'\.\[(\w+)\]'", text(page))) <= set(extras)


@pytest.mark.parametrize("page", PAGES)
def test_files_and_links_exist(page):
    folder = (ROOT / page).parent
    for link in re.findall(r"\]\(([^)]+)\)", prose(page)):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (folder / path if path else ROOT / page).resolve()
        made = target.is_relative_to(ROOT / "docs" / "api")  # by Sphinx, from this module
        source = ROOT / target.stem.replace(".", "/")
        assert source.is_dir() or source.with_suffix(".py").is_file() if made else target.is_file(), link
        assert not anchor or anchor in anchors(target), link
    for path in FILE.findall(prose(page)):
        assert (ROOT / path).exists() or "NAME" in path or "_name" in path, path


def anchors(page):
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_names_of_modules_and_functions_exist(page):
    for name in NAME.findall(prose(page)):
        pkgutil.resolve_name(name)


@pytest.mark.parametrize("english, japanese", PAIRS)
def test_both_languages_are_built_alike(english, japanese):
    assert headings(english) == headings(japanese)
    assert blocks(english) == blocks(japanese)
    assert commands(english) == commands(japanese)
    for marker in (r"<!-- .*? -->", r"^\| ", r"^- ", r"^\d\. ", r"!\["):
        found = [re.findall(marker, prose(page), re.MULTILINE) for page in (english, japanese)]
        assert len(found[0]) == len(found[1]), marker


def test_the_index_names_every_page():
    for folder, pages in (("docs", GUIDE), ("docs/results", [p for p in GUIDE if "results" in p])):
        index = text(f"{folder}/index.md")
        for page in pages:
            name = Path(page).relative_to(folder).with_suffix("").as_posix()
            if folder == "docs/results" or not name.startswith("results/"):
                assert name == "index" or re.search(rf"^{re.escape(name)}$", index, re.MULTILINE), page


@pytest.mark.parametrize("page", [page for page in PAGES if ".ja." in page or "/ja/" in page])
def test_each_japanese_term_has_one_word(page):
    allowed = text(page).replace("「戦略」", "")
    assert not [f"{word}: {use}" for word, use in JAPANESE.items() if re.search(word, allowed)]


@pytest.fixture(scope="module")
def figures():
    return SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "figures.py")))


def test_figures_are_up_to_date(figures):
    for page in figures.PAGES:
        assert figures.PLACE.search(text(page)) and figures.updated(page, text(page)) == text(page), (
            f"{page}: run python docs/figures.py"
        )


def test_a_figure_that_changed_by_hand_is_found(figures):
    changed = text("README.md").replace("0.56 µs", "0.55 µs")
    assert changed != text("README.md") and figures.updated("README.md", changed) == text("README.md")


def test_the_two_main_commands_can_be_found_by_their_markers():
    for marker in ("main job", "tests"):
        (command,) = re.findall(rf"<!-- {marker} -->\n```\n(python3 [^\n]+)\n```", text("README.md"))
        assert command.startswith("python3 -m venv .venv && . .venv/bin/activate && pip install ")


def test_the_books_are_cited_alike():
    cited = re.findall(r"family-names: (\S+)\n +given-names: (\S+)", text("CITATION.cff"))
    for page in (*READMES, "docs/data-and-licences.md"):
        assert all(family + given in text(page) for family, given in cited[:2])
    version = re.search(r'^version = "(.+)"$', text("pyproject.toml"), re.MULTILINE)[1]
    assert f"version: {version}" in text("CITATION.cff")
