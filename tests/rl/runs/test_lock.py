"""Two processes cannot go on with one run at the same time; what a dead one left behind is in nobody's
way.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from rl.command.errors import UsageError
from rl.runs import lock

HOLD = """
import sys, time
from pathlib import Path
from rl.runs.lock import hold_lock
with hold_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""
STRIVE = """
import sys, time
from pathlib import Path
from rl.command.errors import UsageError
from rl.runs.lock import hold_lock
folder, until, held = Path(sys.argv[1]), time.time() + 1.5, 0
while time.time() < until:
    try:
        with hold_lock(folder):
            with open(folder / "inside", "x"):
                pass
            (folder / "inside").unlink()
            held += 1
    except UsageError:
        pass
print(held)
"""


def process(code: str, folder) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_the_second_process_is_told_who_has_the_run(tmp_path):
    with process(HOLD, tmp_path) as holder:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(UsageError, match=rf"is going on in process {holder.pid} on .*\n  wait"),
            lock.hold_lock(tmp_path),
        ):
            pass
        holder.communicate("\n")
    assert not list(tmp_path.iterdir())
    with lock.hold_lock(tmp_path):
        assert str(os.getpid()) in (tmp_path / lock.NAME).read_text(encoding="utf-8")


def test_a_killed_process_holds_nothing(tmp_path):
    with process(HOLD, tmp_path) as holder:
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    assert (tmp_path / lock.NAME).exists()
    with lock.hold_lock(tmp_path):
        pass
    assert not (tmp_path / lock.NAME).exists()


def test_of_many_that_strive_one_is_inside(tmp_path):
    striving = [process(STRIVE, tmp_path) for _ in range(3)]
    told = [each.communicate(timeout=60)[0] for each in striving]
    assert [each.returncode for each in striving] == [0, 0, 0] and sum(map(int, told)) > 10


def test_a_running_run_cannot_be_resumed_as_well(tmp_path):
    argv = [*"--env-id CartPole-v0 --keep-going --eval-freq 0 --save-freq 200 --out".split(), str(tmp_path)]
    run = [sys.executable, "-m", "rl.policy_gradient"]
    with subprocess.Popen(
        [*run, *argv, "--total-timesteps", "100000000"], stdout=subprocess.DEVNULL
    ) as first:
        try:
            until = time.time() + 60
            while not list(tmp_path.glob("*/checkpoint.safetensors")) and time.time() < until:
                time.sleep(0.05)
            second = subprocess.run(
                [*run, "--resume", "--out", str(tmp_path)], capture_output=True, text=True
            )
        finally:
            first.terminate()
        assert second.returncode == 2 and f"is going on in process {first.pid}" in second.stderr
        assert len(second.stderr.strip().splitlines()) == 2
        assert first.wait(30) == 143
