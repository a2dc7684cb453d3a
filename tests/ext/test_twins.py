"""Every compiled module names its NumPy twin and the test that keeps the two equal."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(path.stem for path in (ROOT / "ext").glob("*.pyx") if path.stem != "_threads")


@pytest.mark.parametrize("module", MODULES)
def test_the_twin_and_its_test_exist(module):
    text = (ROOT / "ext" / f"{module}.pyx").read_text(encoding="utf-8")
    twin, test = re.search(r"\nTwin: .*?(nnlite/\S+\.py); (tests/\S+\.py) keeps the two equal", text).groups()
    assert (ROOT / twin).is_file() and (ROOT / test).is_file()
    assert module in (ROOT / test).read_text(encoding="utf-8")
    assert twin == f"nnlite/reference/{module[1:]}.py" or module == "_network"


def test_every_twin_has_its_module():
    twins = {path.stem for path in (ROOT / "nnlite" / "reference").glob("*.py")} - {"__init__"}
    assert twins == {module[1:] for module in MODULES} - {"network"}


def test_the_guide_names_files_that_exist():
    text = (ROOT / "docs" / "kernels.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:ext|nnlite|rl|tests)/[\w./-]+)`", text)
    headers = re.findall(r"`([\w-]+\.h)`", text)
    assert len(paths) > 10 and len(headers) > 3
    assert [path for path in paths if "NAME" not in path and not (ROOT / path).exists()] == []
    assert [name for name in headers if not list((ROOT / "ext").rglob(name))] == []
