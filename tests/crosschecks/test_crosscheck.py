"""Random networks agree with PyTorch; Stable-Baselines3 trains on our environments and reads our logs.

The long versions are `python -m tests.crosschecks.crosscheck --networks 500` and `... .sb3 20000`. Both
packages get a process of their own: PyTorch brings threads and a memory of its own.
"""

import importlib.util

import pytest

from tests.processes import run_python

pytestmark = pytest.mark.thorough


def needs(module):
    there = importlib.util.find_spec(module) is not None
    return pytest.mark.skipif(not there, reason=f"needs {module}: pip install -e '.[bench]'")


@needs("torch")
def test_twenty_random_networks_agree_with_pytorch():
    done = run_python("-m", "tests.crosschecks.crosscheck", "--networks", "20", "--seed", "1")
    assert "20 networks" in done.stdout and ": 0 differ by more than 1e-10" in done.stdout


PLANTED = """
import sys
from nnlite import convolution, optimizers
{fault}
from tests.crosschecks import crosscheck
sys.argv = ["crosscheck", "--networks", "20", "--seed", "1"]
sys.exit(crosscheck.main())
"""


@needs("torch")
@pytest.mark.parametrize(
    "fault",
    [
        "right = convolution.same_padding; convolution.same_padding = lambda *sizes: right(*sizes)[::-1]",
        "optimizers.SGD._step = lambda self: self.params.__isub__(self.grads * 0.01)",
    ],
)
def test_a_planted_fault_is_found(fault):
    assert "differs" in run_python("-c", PLANTED.format(fault=fault), code=1).stdout


@pytest.mark.slow
@needs("stable_baselines3")
def test_stable_baselines3_trains_on_our_environments_and_reads_our_logs():
    done = run_python("-m", "tests.crosschecks.sb3", "1000")
    assert done.stdout.count("check_env passes") == 3 and "load_results" in done.stdout
