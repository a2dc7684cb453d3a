"""The whole test run: tiers, no screen, no deadlines, threads and target put back after each test."""

import os
import re

import pytest
from hypothesis import settings
from nnlite_ext import _threads

os.environ.update(SDL_VIDEODRIVER="dummy", SDL_AUDIODRIVER="dummy", MPLBACKEND="Agg")
TIERS = ("slow", "thorough")  # a test of both belongs to the first
# no deadline: the first call of a kernel may compile or load
settings.register_profile("quick", deadline=None, max_examples=33)
settings.register_profile("thorough", deadline=None, max_examples=100)


def pytest_configure(config):
    """Draw all examples where the thorough tests run."""
    settings.load_profile("thorough" if "thorough" in config.option.markexpr else "quick")


def pytest_collection_modifyitems(config, items):
    """Leave out every tier that `-m` does not name; an `-m` in addopts would give way to a user's own."""
    named = set(re.findall(r"\w+", config.option.markexpr))
    tiers = [next(filter(item.get_closest_marker, TIERS), None) for item in items]
    left_out = [item for item, tier in zip(items, tiers) if tier and tier not in named]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item, tier in zip(items, tiers) if not tier or tier in named]


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
