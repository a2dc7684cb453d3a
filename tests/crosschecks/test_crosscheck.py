"""Random networks agree with PyTorch; the long version is python -m tests.crosschecks.crosscheck --networks
500.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


HAS_TORCH = importlib.util.find_spec("torch") is not None
needs_torch = pytest.mark.skipif(not HAS_TORCH, reason="needs PyTorch: pip install -e '.[bench]'")


def python(*words: str) -> "subprocess.CompletedProcess[str]":
    """A process of its own: PyTorch brings threads and a memory of its own."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@needs_torch
def test_twenty_random_networks_agree_with_pytorch():
    done = python("-m", "tests.crosschecks.crosscheck", "--networks", "20", "--seed", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 networks" in done.stdout and ": 0 differ by more than 1e-10" in done.stdout


PLANTED = """
import sys
from nnlite import convolution, optimizers
{fault}
from tests.crosschecks import crosscheck
sys.argv = ["crosscheck", "--networks", "20", "--seed", "1"]
sys.exit(crosscheck.main())
"""


@needs_torch
@pytest.mark.parametrize(
    "fault",
    [
        "right = convolution.same_padding; convolution.same_padding = lambda *sizes: right(*sizes)[::-1]",
        "optimizers.SGD._update = lambda self, scale: self.params.__isub__(self.grads * 0.01)",
    ],
)
def test_a_planted_fault_is_found(fault):
    done = python("-c", PLANTED.format(fault=fault))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "differs" in done.stdout
