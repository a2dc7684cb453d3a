"""Kills, full disks and vanished folders cost at most what was done since the last finished checkpoint."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rl.runs.checkpoint import Checkpoints

ROOT = Path(__file__).parents[3]
SEGMENTS = Path(__file__).parents[2] / "tools" / "segments.py"
RUN = "--env-id CartPole-v0 --total-timesteps 1500 --num-threads 1 --keep-going".split()
RUN += "--eval-freq 400 --eval-episodes 1 --save-freq 200".split()
unix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def kills(*words) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.tools.kills", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@unix
def test_sixty_kills_at_random_moments():
    counts = kills("random", "60")
    assert counts["trials"] == 60 and counts["as told"] + counts.get("newer than told", 0) > 40


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


def run(*jobs) -> tuple[list[int], str]:
    done = subprocess.run(
        [sys.executable, str(SEGMENTS), json.dumps(jobs)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return json.loads(done.stdout.splitlines()[-1]), done.stdout + done.stderr


def test_a_run_whose_folder_vanishes_makes_it_again_and_can_be_resumed(tmp_path):
    argv = [*RUN, "--out", str(tmp_path)]
    (code,), output = run({"article": "a2c", "argv": argv, "stop_at": 700, "remove": True})
    assert code == 0 and output.count("is gone: it is made again") == 1 and "Traceback" not in output, output
    (folder,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert Checkpoints(folder).load()["agent"]["steps"] == 1504  # 16 games a step
    assert (folder / "config.json").is_file() and (folder / "best.safetensors").is_file()


@unix
def test_a_run_on_a_disk_that_becomes_full_says_so_and_keeps_its_checkpoint(tmp_path):
    argv = [*RUN, "--out", str(tmp_path)]
    (code,), output = run({"article": "a2c", "argv": argv, "stop_at": 900, "limit": 45_000})
    assert code in (0, 1) and "Traceback" not in output, output
    assert "could not be written" in output and "the last one before it is kept" in output
    (folder,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert 200 <= Checkpoints(folder).load()["agent"]["steps"] < 1000  # a slow disk leaves checkpoints out
    (code,), output = run({"article": "a2c", "argv": ["--resume", str(folder), "--out", str(tmp_path)]})
    assert code == 0, output


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the super-user may write anywhere"
)
def test_a_folder_that_cannot_be_written_is_told_in_two_lines(tmp_path):
    tmp_path.chmod(0o555)
    (code,), output = run({"article": "a2c", "argv": [*RUN, "--out", str(tmp_path)]})
    tmp_path.chmod(0o755)
    assert code == 2 and "cannot write into" in output and "Traceback" not in output
