"""The folder of the simulators' machine code: numba's own, else a private one, else none, said once."""

import os
import stat
import warnings

import numba
import numpy as np
import pytest
from numba.core import caching

from rl.envs import compiled
from rl.tools import doctor
from tests.processes import run_python

NOWHERE = """
import os, sys, tempfile
from numba.core import caching
keep = getattr(caching, "CacheImpl", None) or caching._CacheImpl
keep._locator_classes = [kind for kind in keep._locator_classes if "UserProvided" in kind.__name__]
tempfile.tempdir = sys.argv[1]
"""
USES = {
    "the library": "import gymnasium; gymnasium.make('rl:rl/Catcher-v0').reset(seed=0)",
    "a command": "from rl.__main__ import main; sys.exit(main(['doctor']))",
}


@pytest.fixture
def read_only(monkeypatch, tmp_path):
    """An installation that cannot be written, and a user without a home; gives the temporary folder."""
    keep = getattr(caching, "CacheImpl", None) or caching._CacheImpl  # numba's, by its newer or older name
    given = [kind for kind in keep._locator_classes if "UserProvided" in kind.__name__]
    monkeypatch.setattr(keep, "_locator_classes", given)
    monkeypatch.setattr(compiled.tempfile, "tempdir", str(tmp_path))
    compiled.find_folder.cache_clear()
    yield tmp_path
    compiled.find_folder.cache_clear()


def add(a, b):
    return a + b


def test_numba_chooses_where_it_can():
    own, kept = compiled.find_folder()
    assert own == "" and kept


def test_code_goes_into_a_private_folder_that_later_processes_find(read_only):
    with pytest.warns(UserWarning, match="machine code .* is kept in .*NUMBA_CACHE_DIR"):
        function = compiled.njit(nogil=True)(add)
    assert function(1, 2) == 3
    (folder,) = read_only.iterdir()
    assert list(folder.rglob("*.nbc")), "the code was kept"
    if os.name != "nt":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    compiled.find_folder.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # said once
        again = compiled.njit()(add)
    assert again(1, 2) == 3 and again.stats.cache_hits
    assert numba.config.CACHE_DIR in ("", os.environ.get("NUMBA_CACHE_DIR")), "other functions keep theirs"


def open_to_others(folder, tmp_path):
    folder.mkdir()
    folder.chmod(0o777)


def a_link(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")


def a_file(folder, tmp_path):
    folder.write_text("")


@pytest.mark.skipif(os.name == "nt", reason="the temporary folder is the user's own there")
@pytest.mark.parametrize("plant", [open_to_others, a_link, a_file])
def test_a_planted_folder_is_not_used(plant, read_only):
    plant(read_only / f"nnlite-rl-{os.getuid()}", read_only)
    with pytest.warns(UserWarning, match="every process compiles"):
        function = compiled.njit()(add)
    assert function(1, 2) == 3 and not list(read_only.rglob("*.nb?"))


@pytest.mark.skipif(os.name == "nt", reason="the temporary folder is the user's own there")
def test_a_folder_of_another_user_is_not_used(read_only, monkeypatch):
    uid = os.getuid()
    (read_only / f"nnlite-rl-{uid + 1}").mkdir(mode=0o700)
    monkeypatch.setattr(compiled.os, "getuid", lambda: uid + 1)
    assert compiled.private_folder() == ""


def test_without_any_folder_code_is_compiled_again(read_only, monkeypatch):
    monkeypatch.setattr(compiled.tempfile, "tempdir", str(read_only / "missing"))
    with pytest.warns(UserWarning, match="every process compiles .*NUMBA_CACHE_DIR"):
        function = compiled.njit()(lambda values: values.sum())
    assert function(np.ones(3)) == 3


def test_the_doctor_knows_the_folder(read_only, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert doctor.check_simulators() == [
            f"machine code in {compiled.find_folder()[1]}, which is writable"
        ]
        compiled.find_folder.cache_clear()
        monkeypatch.setattr(compiled.tempfile, "tempdir", str(read_only / "missing"))
        (line,) = doctor.check_simulators()
    assert line.startswith("WARNING: ") and "NUMBA_CACHE_DIR" in line


@pytest.mark.parametrize("use", USES)
def test_a_process_works_in_a_read_only_installation(use, tmp_path):
    done = run_python("-c", NOWHERE + USES[use], tmp_path, NUMBA_CACHE_DIR="")
    assert "Traceback" not in done.stderr
    if use == "the library":
        assert done.stderr.count("is kept in") == 1 and list(tmp_path.rglob("*.nbc"))
    else:
        assert done.stderr == "" and str(tmp_path) in done.stdout
