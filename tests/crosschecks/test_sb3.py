"""Stable-Baselines3 trains on our environments and reads our logs; the long version is python -m
tests.crosschecks.sb3 20000.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

needs_sb3 = pytest.mark.skipif(
    importlib.util.find_spec("stable_baselines3") is None,
    reason="needs Stable-Baselines3: pip install -e '.[bench]'",
)


@pytest.mark.slow
@needs_sb3
def test_stable_baselines3_trains_on_our_environments_and_reads_our_logs():
    done = subprocess.run(
        [sys.executable, "-m", "tests.crosschecks.sb3", "1000"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("check_env passes") == 3 and "load_results" in done.stdout
