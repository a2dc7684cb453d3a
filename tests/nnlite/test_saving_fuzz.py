"""Fifty thousand damaged model files under a memory limit: a ValueError, or the model it describes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nnlite import strict_json

ROOT = Path(__file__).parents[2]


def test_mutated_model_files():
    """Two processes with half of the files each; FUZZ=2000 in the environment makes it quick."""
    number = int(os.environ.get("FUZZ", "50000"))
    command = [sys.executable, "-W", "ignore", "-m", "tests.tools.fuzz", str(number // 2)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    both = [
        subprocess.Popen(
            [*command, seed],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for seed in "12"
    ]
    for process in both:
        output, complaint = process.communicate(timeout=1200)
        assert process.returncode == 0, complaint[-3000:]
        counts = json.loads(output)
        assert (
            counts["refused"] > 0.9 * counts["mutations"] and counts["same"] > 0 and counts["slowest"] < 5
        ), counts


@pytest.mark.parametrize(
    "text, reason",
    [
        ('{"a": NaN}', "NaN"),
        ('{"a": -Infinity}', "-Infinity"),
        ('{"a": 1, "a": 2}', "two values"),
        ('{"a": 1e999}', "too large"),
        ("[" * 100_000, "nested"),
        ("[" * 200 + "]" * 200, "nested deeper"),
        ("{", "Expecting"),
        (b"\xff", "utf-8"),
        ("1" * 5000, "."),
    ],
)
def test_json_that_only_python_would_read_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        strict_json.loads(text)


def test_json_comes_back_as_it_was():
    value = {"text": "é\ud800", "numbers": [0, -1, 2**128, 0.1, 1e-320], "rest": [True, None, {}]}
    assert strict_json.loads(strict_json.dumps(value)) == value
    with pytest.raises(ValueError):
        strict_json.dumps(float("nan"))
