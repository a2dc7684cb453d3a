"""The site: guide and API are built without a warning; columns and formulas of docstrings stay as typed."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="needs Sphinx: pip install -e '.[docs]'")
ROOT = Path(__file__).parents[1]
PACKAGES = [path.parent for top in ("nnlite", "rl") for path in (ROOT / top).rglob("__init__.py")]
MODULES = [path for package in PACKAGES for path in package.glob("[!_]*.py")]


def build(builder, out):
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", out / "tree", "-b", builder]
    return subprocess.run(
        [*map(str, command), str(ROOT / "docs"), str(out / builder)],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        timeout=600,
    )


def test_every_module_is_read_without_a_warning(tmp_path):
    done = build("dummy", tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((ROOT / "docs" / "api").glob("*.md"))) == len(MODULES) + len(PACKAGES)


@pytest.mark.slow
def test_the_pages_need_no_network(tmp_path):
    done = build("html", tmp_path)
    assert done.returncode == 0, done.stderr
    pages = [path.read_text(encoding="utf-8") for path in (tmp_path / "html").rglob("*.html")]
    assert len(pages) > 2 * len(MODULES)  # with their sources
    for page in pages:
        assert 'src="http' not in page and 'rel="stylesheet" href="http' not in page


@pytest.fixture(scope="module")
def conf():
    spec = importlib.util.spec_from_file_location("docs_conf", ROOT / "docs" / "conf.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shown(conf, text):
    lines = text.splitlines()
    conf.process_docstring(None, "function", "f", None, None, lines)
    return "\n".join(lines).strip()


def test_columns_and_formulas_stay_as_they_are_typed(conf):
    columns = "x       (N,) float  what it is\nmake_y  (N,) bool   what else, *starred* and `quoted`"
    for typed in (columns, "    y = a*b + |c|", "a, b  two at once\n      and more of them"):
        indented = "\n".join("    " + line for line in typed.splitlines())
        assert (
            shown(conf, f"One sentence.\n\n{typed}\n\nAnother.")
            == f"One sentence.\n\n::\n\n{indented}\n\nAnother."
        )


def test_a_table_below_its_sentence(conf):
    assert shown(conf, "It gives:\n    1  2\nand more.") == "It gives:\n\n::\n\n        1  2\n\nand more."


def test_prose_has_no_markup_but_code(conf):
    assert (
        shown(conf, "Raises *x_ for `a * b`.  Source: Mnih et al.")
        == r"Raises \*x\_ for \ ``a * b``\ .  Source: Mnih et al."
    )
    assert shown(conf, "`say: `s") == r"\ ``say:``\ s"
    assert shown(conf, "Because\n- one\n  and on\n- two") == "Because\n\n- one\n  and on\n- two"
