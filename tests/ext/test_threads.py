"""The choice of the instruction set and the thread pool: errors, several Python threads, fork."""

import os

import numpy as np
import pytest
from nnlite_ext import _adam, _threads

from tests.processes import run_at_once, run_python


@pytest.mark.parametrize("target", ["", *_threads.targets()])
def test_the_environment_forces_a_target_and_the_best_is_the_default(target):
    code = "from nnlite_ext import _threads; print(_threads.target())"
    result = run_python("-c", code, NNLITE_TARGET=target)
    assert result.stdout.strip() == (target or _threads.targets()[-1])


def test_an_unknown_target_is_a_clear_error():
    result = run_python("-c", "import nnlite_ext._threads", code=1, NNLITE_TARGET="pentium")
    assert "ValueError: NNLITE_TARGET='pentium' is not available here" in result.stderr
    with pytest.raises(ValueError, match=f"choose one of {_threads.targets()[0]}"):
        _threads.set_target("pentium")


def test_lanes_follow_the_target():
    for target in _threads.targets():
        _threads.set_target(target)
        lanes = _threads.lanes(4)
        assert lanes == 1 if target == "plain" else lanes & (lanes - 1) == 0
        assert _threads.lanes(8) == max(_threads.lanes(4) // 2, 1)


@pytest.mark.parametrize("count", [0, -1, 257])
def test_an_impossible_number_of_threads_is_refused(count):
    before = _threads.get_num_threads()
    with pytest.raises(ValueError, match=f"not {count}"):
        _threads.set_num_threads(count)
    assert _threads.get_num_threads() == before


def test_every_part_is_done_exactly_once():
    """Many short jobs in a row: a part lost or done twice would show as a wrong step count in `params`."""
    _threads.set_num_threads(3)
    params = np.zeros(50000)
    adam = _adam.BoundAdam(params, np.ones(50000), np.zeros(50000), np.ones(50000), np.array([0, 50000]))
    for _ in range(2000):
        assert adam.step(-1.0, 0.0, 0.0, 0.0, 0, 0, 0, 1)  # without memory, a step of length 1
    assert (params == 2000).all()


def test_python_threads_may_call_at_once():
    _threads.set_num_threads(2)
    x = np.random.default_rng(0).standard_normal(200000)
    expected = _adam.sum_of_squares(x)
    results = run_at_once(*[lambda: {_adam.sum_of_squares(x) for _ in range(200)}] * 4)
    assert results == [{expected}] * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_can_compute():
    code = """
import os, warnings
import numpy as np
from nnlite_ext import _adam, _threads
warnings.simplefilter("ignore")
_threads.set_num_threads(2)
x = np.arange(100000.0)
total = _adam.sum_of_squares(x)
child = os.fork()
if child == 0:
    os._exit(0 if _adam.sum_of_squares(x) == total else 1)
status = os.waitpid(child, 0)[1]
assert status == 0, status
assert _adam.sum_of_squares(x) == total
print("both")
"""
    assert run_python("-c", code).stdout.strip() == "both"
