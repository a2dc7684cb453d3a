"""The choice of the instruction set and the thread pool: errors, several Python threads, fork."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from nnlite_ext import _adam, _threads


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )


def test_the_best_target_is_the_default():
    environment = {"NNLITE_TARGET": ""}
    result = python(
        "from nnlite_ext import _threads as t; print(t.target() == t.targets()[-1])", **environment
    )
    assert result.stdout.strip() == "True", result.stderr


@pytest.mark.parametrize("target", _threads.targets())
def test_the_environment_forces_a_target(target):
    result = python("from nnlite_ext import _threads; print(_threads.target())", NNLITE_TARGET=target)
    assert result.stdout.strip() == target, result.stderr


def test_an_unknown_target_is_a_clear_error():
    result = python("import nnlite_ext._threads", NNLITE_TARGET="pentium")
    assert result.returncode == 1
    assert "ValueError: NNLITE_TARGET='pentium' is not available here" in result.stderr
    with pytest.raises(ValueError, match="choose one of plain"):
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
    expected, results = _adam.sum_of_squares(x), []

    def work():
        results.append({_adam.sum_of_squares(x) for _ in range(200)})

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
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
    result = python(code)
    assert result.stdout.strip() == "both", result.stderr
