"""Settings of the whole test run: no screen, no deadlines, threads and target restored after each test."""

import os

import pytest
from hypothesis import settings
from nnlite_ext import _threads

os.environ.update(SDL_VIDEODRIVER="dummy", SDL_AUDIODRIVER="dummy", MPLBACKEND="Agg")
settings.register_profile("nnlite-rl", deadline=None)  # the first call of a kernel may compile or load
settings.load_profile("nnlite-rl")


@pytest.fixture(autouse=True)
def restore_threads_and_target():
    """Put back the instruction set and the number of kernel threads after each test."""
    target, threads = _threads.target(), _threads.get_num_threads()
    yield
    _threads.set_target(target)
    _threads.set_num_threads(threads)


@pytest.fixture
def one_thread():
    """Give kernels and BLAS one thread each."""
    from threadpoolctl import threadpool_limits

    _threads.set_num_threads(1)
    with threadpool_limits(1, user_api="blas"):
        yield


@pytest.fixture(params=_threads.targets())
def each_target(request):
    """Run the test on every instruction set of this machine; gives its name."""
    _threads.set_target(request.param)
    return request.param
