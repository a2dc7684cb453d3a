"""Damaged model files under a memory limit: a ValueError, or the model it describes."""

import json

import pytest

from nnlite import strict_json
from tests.processes import run_at_once, run_python


@pytest.mark.parametrize("files", [2_000, pytest.param(50_000, marks=pytest.mark.thorough)])
def test_mutated_model_files(files):
    """Two processes with half of the files each."""
    number = files // 2
    jobs = [
        lambda seed=seed: run_python("-W", "ignore", "-m", "tests.tools.fuzz", number, seed) for seed in "12"
    ]
    for done in run_at_once(*jobs):
        counts = json.loads(done.stdout)
        assert counts["refused"] > 0.9 * number and counts["same"] > 0 and counts["slowest"] < 5, counts


ONLY_PYTHON: dict[str, str | bytes] = {
    "NaN": '{"a": NaN}',
    "-Infinity": '{"a": -Infinity}',
    "two values": '{"a": 1, "a": 2}',
}
ONLY_PYTHON |= {"too large": '{"a": 1e999}', "nested": "[" * 100_000, "nested deeper": "[" * 200 + "]" * 200}
ONLY_PYTHON |= {"Expecting": "{", "utf-8": b"\xff", ".": "1" * 5000}


@pytest.mark.parametrize("reason, text", ONLY_PYTHON.items(), ids=ONLY_PYTHON)
def test_json_that_only_python_would_read_is_refused(reason, text):
    with pytest.raises(ValueError, match=reason):
        strict_json.loads(text)


def test_json_comes_back_as_it_was():
    value = {"text": "é\ud800", "numbers": [0, -1, 2**128, 0.1, 1e-320], "rest": [True, None, {}]}
    assert strict_json.loads(strict_json.dumps(value)) == value
    with pytest.raises(ValueError):
        strict_json.dumps(float("nan"))
