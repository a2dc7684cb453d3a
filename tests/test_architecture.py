"""The plan of the source: which folder may import which, no circles, short files, a docstring everywhere.

Every check takes the root of a tree and returns its faults as `file:line: fault`.
"""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from rl.articles import ARTICLES

pytestmark = pytest.mark.thorough  # checks of the source, for those who change it

ROOT = Path(__file__).parents[1]
LOW, HIGH = "articles command envs core runs actors watch training", "fn_framework loading pages sweeps tools"
FLOORS = [  # of rl, from the ground; a module imports from its own floor and the floors below
    *({room} for room in LOW.split()),
    {article.module for article in ARTICLES},
    *({room} for room in HIGH.split()),
    {"__main__", "rl"},  # rl/__init__.py is the face of all
]
IN_FUNCTIONS = {  # modules that a function may import, and the heavy package that comes with them
    "rl.actors.fleet": "Ray",
    "rl.envs.bandit_sim": "numba",
    "rl.envs.cartpole": "numba",
    "rl.envs.random_stream": "numba",
    "rl.envs.window": "pygame",
    "rl.watch.play": "matplotlib",
    "rl.watch.play_window": "pygame",
    "rl.watch.plots": "matplotlib",
}
STARTS_ANYWHERE = "rl.tools.doctor"  # reports a broken installation, so it imports nothing at its top
MOST_LINES = 250
LONGER = {  # files that may be longer, and how long; shorten them, do not add any
    "ext/_conv.pyx": 270,
    "ext/_network.pyx": 351,
    "ext/_replay.pyx": 254,
    "ext/conv/winograd-inl.h": 259,
    "ext/linear/linear-inl.h": 281,
    "rl/a2c.py": 258,
    "rl/dqn.py": 279,
}


class Import(NamedTuple):
    """One imported module of our own."""

    place: str  # file:line
    importer: str
    target: str
    in_function: bool


def modules(root: Path) -> dict[str, Path]:
    """Every module of nnlite and rl by its dotted name."""
    files = sorted([*root.glob("nnlite/**/*.py"), *root.glob("rl/**/*.py")])
    return {".".join(f.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): f for f in files}


def imports(root: Path) -> Iterator[Import]:
    """Every import of an own module, at the top, in a function, or under TYPE_CHECKING."""
    known = modules(root)
    for name, path in known.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
        inside = {node for function in functions for node in ast.walk(function)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}:{node.lineno}: a relative import"
                longer = [f"{node.module}.{alias.name}" for alias in node.names]
                targets = [full if full in known else str(node.module) for full in longer]
            else:
                continue
            place = f"{path.relative_to(root).as_posix()}:{node.lineno}"
            for target in sorted(set(targets)):
                if target.split(".")[0] in ("nnlite", "rl"):
                    yield Import(place, name, target, node in inside)


def floor(module: str) -> int:
    """The number of a module's floor: -1 for nnlite, under all of rl; above all for a room without one."""
    if module.split(".")[0] == "nnlite":
        return -1
    room = module.split(".")[1] if "." in module else module
    return next((number for number, rooms in enumerate(FLOORS) if room in rooms), len(FLOORS))


def upward_imports(root: Path) -> list[str]:
    """Imports from a floor above; nnlite imports nothing of rl."""
    return [
        f"{place}: {importer} imports {target}, which stands above it"
        for place, importer, target, _ in imports(root)
        if floor(target) > floor(importer)
    ]


def circles(root: Path) -> list[str]:
    """A circle of imports, wherever they stand."""
    graph: dict[str, set[str]] = {}
    for _, importer, target, _ in imports(root):
        graph.setdefault(importer, set()).add(target)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


def imports_in_functions(root: Path) -> list[str]:
    """Imports of own modules inside functions, other than those that spare a heavy package."""
    return [
        f"{place}: a function imports {target}"
        for place, importer, target, in_function in imports(root)
        if in_function and target not in IN_FUNCTIONS and importer != STARTS_ANYWHERE
    ]


def source_files(root: Path) -> dict[str, Path]:
    """Python, Cython and C of the three packages by their path."""
    files = [path for room in ("nnlite", "rl", "ext") for path in (root / room).rglob("*.*")]
    kinds = (".py", ".pyx", ".pxi", ".h")
    return {f.relative_to(root).as_posix(): f for f in sorted(files) if f.suffix in kinds}


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def long_files(root: Path) -> list[str]:
    """Files that are longer than they may be."""
    return [
        f"{name}:{lines_of(path)}: longer than {LONGER.get(name, MOST_LINES)} lines"
        for name, path in source_files(root).items()
        if lines_of(path) > LONGER.get(name, MOST_LINES)
    ]


def undocumented(root: Path) -> list[str]:
    """Modules, headers included, that do not begin with what they are."""
    return [
        f"{name}:1: begins without a docstring or a comment"
        for name, path in source_files(root).items()
        if not path.read_text(encoding="utf-8").startswith(('"""', 'r"""', "/*", "//", "# "))
    ]


CHECKS = (upward_imports, circles, imports_in_functions, long_files, undocumented)


@pytest.mark.parametrize("check", CHECKS)
def test_the_source_follows_the_plan(check):
    assert not check(ROOT), "\n".join(check(ROOT))


def test_no_exception_outlives_its_reason():
    used = {target for _, _, target, in_function in imports(ROOT) if in_function}
    assert not set(IN_FUNCTIONS) - used
    assert not [name for name in LONGER if lines_of(ROOT / name) <= MOST_LINES]


OF_TWO = {"nnlite/a.py": "def f():\n    from nnlite.b import g", "nnlite/b.py": "from nnlite.a import f"}
OF_THREE = {"rl/envs/a.py": "from rl.envs import b", "rl/envs/b.py": "import rl.envs.c"}
OF_THREE["rl/envs/c.py"] = "if TYPE_CHECKING:\n    from rl.envs.a import A"


@pytest.mark.parametrize(
    ("check", "files", "fault"),
    [
        (upward_imports, {"rl/core/a.py": "\n\nfrom rl.runs import b", "rl/runs/b.py": ""}, "rl/core/a.py:3"),
        (upward_imports, {"nnlite/a.py": "import rl.envs.b", "rl/envs/b.py": ""}, "nnlite/a.py:1"),
        (upward_imports, {"rl/envs/a.py": "def f():\n    import rl"}, "rl/envs/a.py:2"),
        (circles, OF_TWO, "nnlite.a imports nnlite.b imports nnlite.a"),
        (circles, OF_THREE, "rl.envs.a imports rl.envs.b imports rl.envs.c"),
        (imports_in_functions, {"rl/core/a.py": "class A:\n  def f():\n    from rl.core import b"}, ":3: a"),
        (long_files, {"ext/conv/a.h": "\n" * 251}, "ext/conv/a.h:251"),
        (undocumented, {"rl/core/a.py": "import os"}, "rl/core/a.py:1"),
    ],
)
def test_a_planted_fault_is_named(check, files, fault, tmp_path):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    faults = check(tmp_path)
    assert len(faults) == 1 and fault in faults[0], faults
