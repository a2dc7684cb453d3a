"""The site: guide and API are built without a warning; columns and formulas of docstrings stay as typed."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.processes import run_python

search = pytest.importorskip("sphinx.search.en", reason="needs Sphinx: pip install -e '.[dev]'")
ROOT = Path(__file__).parents[1]
PACKAGES = [path.parent for top in ("nnlite", "rl") for path in (ROOT / top).rglob("__init__.py")]
MODULES = [path for package in PACKAGES for path in package.glob("[!_]*.py")]


def build(builder, out):
    words = ["-W", "--keep-going", "-q", "-d", out / "tree", "-b", builder, ROOT / "docs", out / builder]
    run_python("-m", "sphinx", *words)


@pytest.mark.thorough
def test_every_module_is_read_without_a_warning(tmp_path):
    build("dummy", tmp_path)
    assert len(list((ROOT / "docs" / "api").glob("*.md"))) == len(MODULES) + len(PACKAGES)


@pytest.mark.slow
def test_the_pages_need_no_network(tmp_path):
    build("html", tmp_path)
    pages = [path.read_text(encoding="utf-8") for path in (tmp_path / "html").rglob("*.html")]
    assert len(pages) > 2 * len(MODULES)  # with their sources
    for page in pages:
        assert 'src="http' not in page and 'rel="stylesheet" href="http' not in page


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """The site's search index of the guide, without the API's pages, which take a minute."""
    out = tmp_path_factory.mktemp("site")
    words = ["-D", "extensions=myst_parser", "-D", "exclude_patterns=api", "-b", "html"]
    run_python("-m", "sphinx", "-C", "-Q", *words, ROOT / "docs", out)
    text = (out / "searchindex.js").read_text(encoding="utf-8")
    return json.loads(text[text.index("{") : text.rindex("}") + 1])


def found(index, query):
    """The pages with all words of the query in their headings or text; search drops the same stopwords."""
    language = search.SearchEnglish({})
    words = [language.stem(word) for word in query.split() if word not in language.stopwords]
    tables = index["titleterms"], index["terms"]
    pages = [[table.get(word, []) for table in tables] for word in words]
    each = [{n for one in both for n in (one if isinstance(one, list) else [one])} for both in pages]
    return {index["docnames"][page] for page in set.intersection(*each)}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("query", "page"),
    [("own layer", "own/layer"), ("early stopping", "own/loss"), ("custom environment", "own/environment")],
)
def test_a_search_leads_to_a_page_of_the_guide(index, query, page):
    assert page in found(index, query)
    assert not found(index, "unheard")


@pytest.fixture(scope="module")
def conf():
    return SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "conf.py")))


def shown(conf, text):
    lines = text.splitlines()
    conf.process_docstring(None, "function", "f", None, None, lines)
    return "\n".join(lines).strip()


def test_columns_and_formulas_stay_as_they_are_typed(conf):
    columns = "x       (N,) float  what it is\nmake_y  (N,) bool   what else, *starred* and `quoted`"
    for typed in (columns, "    y = a*b + |c|", "a, b  two at once\n      and more of them"):
        indented = "\n".join("    " + line for line in typed.splitlines())
        text = shown(conf, f"One sentence.\n\n{typed}\n\nAnother.")
        assert text == f"One sentence.\n\n::\n\n{indented}\n\nAnother."


def test_a_table_below_its_sentence(conf):
    assert shown(conf, "It gives:\n    1  2\nand more.") == "It gives:\n\n::\n\n        1  2\n\nand more."


def test_prose_has_no_markup_but_code(conf):
    text = shown(conf, "Raises *x_ for `a * b`.  Source: Mnih et al.")
    assert text == r"Raises \*x\_ for \ ``a * b``\ .  Source: Mnih et al."
    assert shown(conf, "`say: `s") == r"\ ``say:``\ s"
    assert shown(conf, "Because\n- one\n  and on\n- two") == "Because\n\n- one\n  and on\n- two"
