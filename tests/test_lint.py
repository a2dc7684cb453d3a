"""The whole tree stays free of what ruff and mypy find; pyproject.toml says what they look for."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough
ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("tool, arguments", [("ruff", ["check", "."]), ("mypy", [])])
def test_nothing_is_found(tool, arguments):
    pytest.importorskip(tool, reason=f"needs {tool}: pip install -e '.[dev]'")
    done = subprocess.run([sys.executable, "-m", tool, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
