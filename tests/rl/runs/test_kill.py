"""Kills, full disks and vanished folders cost at most what was done since the last finished checkpoint."""

import json
import os
import sys

import pytest

from rl.runs.checkpoint import Checkpoints
from tests.processes import run_python
from tests.rl.helpers import run_folder_in
from tests.rl.runs.segments import job, run

RUN = "--env-id CartPole-v0 --total-timesteps 1500 --num-threads 1 --keep-going".split()
RUN += "--eval-freq 400 --eval-episodes 1 --save-freq 200".split()
unix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def kills(*words) -> dict[str, int]:
    return json.loads(run_python("-m", "tests.tools.kills", *words).stdout)


@unix
@pytest.mark.parametrize("trials", [12, pytest.param(60, marks=pytest.mark.thorough)])
def test_kills_at_random_moments(trials):
    counts = kills("random", trials)
    assert counts["trials"] == trials and counts["as told"] + counts.get("newer than told", 0) > trials // 3


@pytest.mark.thorough
@unix
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs strace")
def test_a_kill_and_an_error_at_every_system_call_that_touches_the_disk():
    counts = kills("calls", "quick")
    if "skipped" in counts:
        pytest.skip(counts["skipped"])
    assert counts["killed"] > 10 and counts["refused"] > 5


@unix
def test_a_full_disk_leaves_the_checkpoint_before():
    counts = kills("full")
    assert counts["refused"] > 10 and counts["accepted"] > 0


@pytest.mark.thorough
def test_a_run_whose_folder_vanishes_makes_it_again_and_can_be_resumed(tmp_path):
    codes, said = run(job("a2c", RUN, tmp_path, 700, remove=True))
    assert codes == [0] and said.count("is gone: it is made again") == 1 and "Traceback" not in said, said
    folder = run_folder_in(tmp_path)
    assert Checkpoints(folder).load()["agent"]["steps"] == 1504  # 16 games a step
    assert (folder / "config.json").is_file() and (folder / "best.safetensors").is_file()


@pytest.mark.thorough
@unix
def test_a_run_on_a_disk_that_becomes_full_says_so_and_keeps_its_checkpoint(tmp_path):
    (code,), said = run(job("a2c", RUN, tmp_path, 900, limit=45_000))
    assert code in (0, 1) and "Traceback" not in said, said
    assert "could not be written" in said and "the last one before it is kept" in said
    folder = run_folder_in(tmp_path)
    assert 200 <= Checkpoints(folder).load()["agent"]["steps"] < 1000  # a slow disk leaves checkpoints out
    codes, said = run(job("a2c", ["--resume", str(folder)], tmp_path))
    assert codes == [0], said


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the super-user may write anywhere"
)
def test_a_folder_that_cannot_be_written_is_shown_in_two_lines(tmp_path):
    tmp_path.chmod(0o555)
    codes, said = run(job("a2c", RUN, tmp_path))
    tmp_path.chmod(0o755)
    assert codes == [2] and "cannot write into" in said and "Traceback" not in said
