"""The content of the packages: every module and header that is needed, and nothing else."""

import ast
import fnmatch
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nnlite

pytestmark = pytest.mark.thorough  # checks of the source, for those who change it

ROOT = Path(__file__).parents[1]
OWN = {"nnlite", "nnlite_ext", "rl"}
THERE_WHERE_IT_IS_ASKED_FOR = {"IPython"}  # imported only when a notebook runs us
DISTRIBUTIONS = {"PIL": "pillow", "sklearn": "scikit-learn", "ale_py": "ale-py"}
DISTRIBUTIONS["cv2"] = "opencv-python-headless"


@pytest.fixture(scope="module")
def project():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no tomllib")
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def modules(*folders):
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def test_every_folder_with_modules_is_a_package_and_is_packed(project):
    folders = {path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in modules("nnlite", "rl")}
    assert set(project["tool"]["setuptools"]["packages"]) == folders | {"nnlite_ext"}
    assert all((ROOT / folder.replace(".", "/") / "__init__.py").exists() for folder in folders | {"ext"})


def templates():
    """The HTML, CSS and JavaScript files that modules of rl read."""
    files = [path for ending in ("*.html", "*.css", "*.js") for path in (ROOT / "rl").rglob(ending)]
    return [path.relative_to(ROOT).as_posix() for path in files]


def test_the_wheel_holds_modules_and_their_templates_and_nothing_else(monkeypatch):
    setuptools = pytest.importorskip("setuptools", reason="needs setuptools: pip install -e '.[dev]'")
    if int(setuptools.__version__.partition(".")[0]) < 77:  # where `license` became a plain text
        pytest.skip("needs setuptools 77: pip install -e '.[dev]'")
    from setuptools import Distribution

    monkeypatch.chdir(ROOT)
    distribution = Distribution({"script_name": "setup.py"})
    distribution.parse_config_files()
    build = distribution.get_command_obj("build_py")
    build.build_lib = "to"
    build.ensure_finalized()
    packed = {Path(name).relative_to("to").as_posix() for name in build.get_outputs(include_bytecode=False)}
    expected = {path.relative_to(ROOT).as_posix() for path in modules("nnlite", "rl")} | set(templates())
    assert packed == expected | {"nnlite_ext/__init__.py", "nnlite/py.typed", "rl/py.typed"}


def manifest():
    """[(command, words)] of MANIFEST.in."""
    lines = (ROOT / "MANIFEST.in").read_text(encoding="utf-8").splitlines()
    return [(line.split()[0], line.split()[1:]) for line in lines if line.strip()]


def in_manifest(path):
    for command, words in manifest():
        if command == "include" and any(fnmatch.fnmatch(path, word) for word in words):
            return True
        if command == "recursive-include" and path.startswith(words[0] + "/"):
            if any(fnmatch.fnmatch(Path(path).name, word) for word in words[1:]):
                return True
    return False


def test_the_source_distribution_holds_what_builds_and_tests_it():
    wanted = [path for ending in ("*.pyx", "*.pxd", "*.h") for path in (ROOT / "ext").glob(ending)]
    wanted += [path for ending in ("*.py", "*.json", "*.sh") for path in (ROOT / "tests").rglob(ending)]
    wanted += (ROOT / "bench").rglob("*.py")
    names = [path.relative_to(ROOT).as_posix() for path in wanted] + templates()
    assert len(names) > 50
    assert [name for name in names if not in_manifest(name)] == []


def test_every_header_that_is_included_is_there():
    sources = [path for ending in ("*.pyx", "*.h") for path in (ROOT / "ext").glob(ending)]
    for path in sources:
        for name in re.findall(r'(?:from|#include) "(\w+\.h)"', path.read_text(encoding="utf-8")):
            assert (ROOT / "ext" / name).exists(), f"{path.name} includes {name}"


def imported(path):
    """The top-level names that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


def test_every_import_is_declared(project):
    """A package that only a developer happens to have would be missing at a user's."""
    extras = project["project"]["optional-dependencies"].values()
    told = [*project["project"]["dependencies"], *(line for extra in extras for line in extra)]
    declared = {re.match(r"[\w-]+", line).group().lower() for line in told}
    known = OWN | THERE_WHERE_IT_IS_ASKED_FOR | set(sys.stdlib_module_names)
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules("nnlite", "rl")
        for name in set(imported(path)) - known
        if DISTRIBUTIONS.get(name, name).lower() not in declared
    }
    assert not missing


def test_nnlite_needs_numpy_and_safetensors_only():
    ours = OWN | set(sys.stdlib_module_names)
    names = {path.stem: set(imported(path)) - ours for path in modules("nnlite")}
    # onnx and onnxruntime only while a file is written
    assert names.pop("onnx_export") | names.pop("onnx_graph") == {"numpy", "onnx", "onnxruntime"}
    assert set().union(*names.values()) == {"numpy", "safetensors"}


def test_the_version_is_said_once(project):
    assert nnlite.__version__ == project["project"]["version"]
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {nnlite.__version__}" in changes or "Unreleased" in changes


def test_every_python_from_the_first_on_is_tested_and_gets_wheels(project):
    first = int(re.fullmatch(r">=3\.(\d+)", project["project"]["requires-python"])[1])
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    tested = [int(minor) for minor in re.findall(r'"3\.(\d+)"', re.search(r"python: \[(.+)\]", workflow)[1])]
    assert tested == list(range(first, tested[-1] + 1))
    assert project["tool"]["cibuildwheel"]["build"].split() == [f"cp3{minor}-*" for minor in tested]
    assert f"Python 3.{first} to 3.{tested[-1]}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_a_newcomer_gets_three_packages_and_a_developer_every_extra_that_the_tests_use(project):
    extras = project["project"]["optional-dependencies"]
    assert len(extras["test"]) == 3
    (named,) = [found for line in extras["dev"] if (found := re.match(r"nnlite-rl\[(.+)\]", line))]
    assert set(named[1].split(",")) == set(extras) - {"dev", "bench", "atari", "box2d", "ray"}
    assert any(line.startswith("ray;") for line in extras["dev"])  # where it has wheels


@pytest.mark.skipif(os.name != "posix", reason="needs sh")
def test_the_script_of_the_checked_builds_says_what_it_takes():
    script = ROOT / "tests" / "tools" / "sanitize.sh"
    done = subprocess.run(["sh", str(script), "everything"], capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 2
    assert "bounds or address" in done.stderr
