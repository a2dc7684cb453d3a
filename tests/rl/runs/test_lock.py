"""Two processes cannot continue one run at the same time; a dead one holds nothing."""

import os

import pytest

from rl.command.errors import UsageError
from rl.runs import lock
from tests.processes import run_python, start_python, wait_until

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


def test_the_second_process_is_told_who_has_the_run(tmp_path):
    with start_python("-c", HOLD, tmp_path) as holder:
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
    with start_python("-c", HOLD, tmp_path) as holder:
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    assert (tmp_path / lock.NAME).exists()
    with lock.hold_lock(tmp_path):
        pass
    assert not (tmp_path / lock.NAME).exists()


@pytest.mark.thorough
def test_of_many_that_strive_one_is_inside(tmp_path):
    striving = [start_python("-c", STRIVE, tmp_path) for _ in range(3)]
    told = [each.communicate(timeout=60)[0] for each in striving]
    assert [each.returncode for each in striving] == [0, 0, 0] and sum(map(int, told)) > 10


def test_a_running_run_cannot_be_resumed_as_well(tmp_path):
    run, out = ["-m", "rl.policy_gradient"], ["--out", str(tmp_path)]
    argv = "--env-id CartPole-v0 --keep-going --eval-freq 0 --save-freq 200 --total-timesteps 100000000"
    with start_python(*run, *argv.split(), *out) as first:
        try:
            wait_until(lambda: list(tmp_path.glob("*/checkpoint.safetensors")))
            second = run_python(*run, "--resume", *out, code=2)
        finally:
            first.terminate()
            first.communicate()
        assert f"is going on in process {first.pid}" in second.stderr
        assert len(second.stderr.strip().splitlines()) == 2 and first.returncode == 143
