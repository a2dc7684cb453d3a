"""`python -m rl sweep` as a whole: its folders and table, and runs that fail, are missing or are killed."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rl.sweeps import plan as plans
from rl.sweeps import record, table
from rl.sweeps.claim import claim
from rl.sweeps.conductor import Conductor
from rl.sweeps.display import Display
from rl.sweeps.plan import Job, Plan
from rl.sweeps.record import Record
from tests.processes import ROOT, run_at_once, run_python, start_python, wait_until
from tests.rl.helpers import read_csv, read_json, run_folder_in

HOUSING = ["housing", "--set", "data=synthetic"]
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")


def sweep(out, *words, code=0):
    """Run it; what it printed and its folder."""
    done = run_python("-m", "rl", "sweep", *words, "--jobs", "2", "--out", out, code=code)
    return done.stdout + done.stderr, run_folder_in(Path(out), "sweep__*")


def rows_of(folder):
    return read_csv(folder / table.CSV)


def without_times(folder):
    return [{name: row[name] for name in row if name not in table.TIMES} for row in rows_of(folder)]


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep of which half the runs diverge."""
    words = "--seeds 0:2 --set learning-rate=0.003,1e6".split()
    return sweep(tmp_path_factory.mktemp("runs"), *HOUSING, *words, code=1)


def test_each_run_has_its_row_in_the_order_of_the_plan(swept):
    rows = rows_of(swept[1])
    ended = [("0.003", "done")] * 2 + [("1000000.0", "failed")] * 2
    assert [(row["learning_rate"], row["state"]) for row in rows] == ended
    assert [row["seed"] for row in rows] == ["0", "1"] * 2
    assert all(float(row["score"]) > 0 and float(row["seconds"]) > 0 for row in rows[:2])
    assert all(row["error"].startswith("the loss is inf") and not row["score"] for row in rows[2:])


def test_a_run_that_fails_is_told_and_stops_no_other(swept):
    output, _ = swept
    assert "2 of 4 runs done" in output and "2 failed" in output and "Traceback" not in output
    assert output.count("the loss is inf") == 2


@pytest.mark.thorough
def test_a_run_of_a_sweep_is_the_run_of_its_own_command(swept, tmp_path):
    words = ["--data", "synthetic", "--seed", "1", "--num-threads", "1", "--out", tmp_path]
    run_python("-m", "rl.housing", *words)
    alone, here = run_folder_in(tmp_path), run_folder_in(swept[1], "1__*__seed-1/housing__*")
    assert read_json(alone / "result.json") == read_json(here / "result.json")


@pytest.mark.thorough
def test_resume_does_what_is_missing_and_nothing_else(swept, tmp_path):
    before = without_times(swept[1])
    copy = tmp_path / swept[1].name
    shutil.copytree(swept[1], copy)
    gone, kept = (copy / f"1__data-synthetic__learning-rate-0.003__seed-{seed}" for seed in (0, 1))
    shutil.rmtree(gone)
    stamp = (kept / record.NAME).stat().st_mtime_ns
    output, folder = sweep(tmp_path, "--resume", code=1)
    assert "1 of them done before" in output and folder == copy
    assert without_times(folder) == before
    assert (kept / record.NAME).stat().st_mtime_ns == stamp


def test_parquet_says_the_same(swept):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow: pip install -e '.[dev]'")
    stored = parquet.read_table(swept[1] / table.PARQUET).to_pylist()
    assert [str(row["seed"]) for row in stored] == [row["seed"] for row in rows_of(swept[1])]
    assert stored[0]["score"] == float(rows_of(swept[1])[0]["score"]) and stored[2]["score"] is None


@pytest.mark.thorough
@pytest.mark.parametrize("backend", ["dask", pytest.param("ray", marks=pytest.mark.slow)])
def test_a_cluster_gives_the_same_table(tmp_path, backend):
    pytest.importorskip(
        {"dask": "distributed", "ray": "ray"}[backend], reason=f"needs {backend}: pip install -e '.[dev]'"
    )
    _, here = sweep(tmp_path / "here", *HOUSING, "--seeds", "0:3")
    _, there = sweep(tmp_path / "there", *HOUSING, "--seeds", "0:3", "--backend", backend)
    assert without_times(here) == without_times(there)


@pytest.mark.thorough
@linux
def test_killed_workers_and_runs_change_nothing():
    done = run_python("-m", "tests.tools.sweep_kills", "2", "4", "20000")
    assert json.loads(done.stdout)["killed"] == {"runs": 1, "workers": 1}


@pytest.mark.thorough
def test_seeds_at_once_give_the_row_of_each_alone(tmp_path):
    _, together = sweep(tmp_path / "together", "maze", "--seeds", "0:3")
    _, alone = sweep(tmp_path / "alone", "maze", "--seeds", "2")
    assert without_times(together)[2] == without_times(alone)[0]
    assert not list(together.glob("*/maze__*")) and list(alone.glob("*/maze__*/result.json"))


# --- pieces


def plan_of(count):
    return Plan("digits", (), tuple(Job(f"seed-{seed}", {"epochs": 1}, (seed,)) for seed in range(count)))


def done(seed):
    return Record(record.DONE, ({"seed": seed, "score": 0.5, "solved_at": None},), 1.0)


def write(folder, key, ended):
    (folder / key).mkdir(exist_ok=True)
    ended.write(folder / key)


class Stop:
    received = None


def conduct(folder, plan, perform_all, capsys=None):
    conductor = Conductor(folder, plan)
    conductor.run(perform_all, Display(plan, 0), Stop())
    return conductor


def test_a_claim_is_one_process_at_a_time_and_ends_with_it(tmp_path):
    code = (
        "import sys, pathlib; from rl.sweeps.claim import claim\n"
        "with claim(pathlib.Path(sys.argv[1])) as mine: print(mine, flush=True); sys.stdin.read()"
    )
    with start_python("-c", code, tmp_path) as other:
        assert other.stdout.readline() == "True\n"
        with claim(tmp_path) as mine:
            assert not mine
        other.kill()
        other.wait()
        with claim(tmp_path, patience=5) as mine:
            assert mine
    with claim(tmp_path) as mine:
        assert mine


def test_a_pool_that_breaks_costs_what_was_under_way_only(tmp_path, capsys):
    asked = []

    def perform_all(jobs):
        asked.append([job["key"] for job in jobs])
        write(tmp_path, jobs[0]["key"], done(len(asked) - 1))
        if len(jobs) > 1:
            raise RuntimeError("a worker is gone")
        return [{"key": jobs[0]["key"], "state": "done"}]

    conductor = conduct(tmp_path, plan_of(3), perform_all)
    assert asked == [["seed-0", "seed-1", "seed-2"], ["seed-1", "seed-2"], ["seed-2"]]
    assert [row["state"] for row in table.rows_of(conductor.plan, conductor.records)] == ["done"] * 3
    assert capsys.readouterr().out.count("a worker is gone") == 2


def test_a_pool_that_only_breaks_is_given_up(tmp_path):
    def perform_all(jobs):
        raise OSError("no")

    with pytest.raises(RuntimeError, match="no run done"):
        conduct(tmp_path, plan_of(1), perform_all)


def test_a_run_that_kills_its_process_fails_after_three_times(tmp_path, capsys):
    calls = []

    def perform_all(jobs):
        calls.append(1)
        (tmp_path / jobs[0]["key"]).mkdir(exist_ok=True)
        return [{"key": job["key"], "state": "died", "code": -9} for job in jobs]

    conductor = conduct(tmp_path, plan_of(1), perform_all)
    assert len(calls) == 3 and "killed 3 times (signal 9)" in conductor.records["seed-0"].error


@pytest.mark.thorough
@linux
def test_a_run_of_a_sweep_needs_no_stream_for_errors(tmp_path):
    plan = plans.make("value_function", "3", ["total-timesteps=100"])
    job = {"folder": str(tmp_path / "r\udcff"), "article": "value_function", "key": "one", "seeds": [3]}
    job |= {"settings": plan.jobs[0].settings, "cwd": str(tmp_path), "stop": str(tmp_path / "stop")}
    child = subprocess.Popen(
        [sys.executable, "-m", "rl.sweeps.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        preexec_fn=lambda: os.close(2),
    )
    child.stdin.write(json.dumps(job) + "\n")
    child.stdin.flush()
    assert child.stdout.readline() == '{"state": "done"}\n'
    child.communicate(timeout=60)
    assert child.returncode == 0


def test_a_reader_that_leaves_stops_the_runs(tmp_path, monkeypatch):
    rounds = []

    def perform_all(jobs):
        if rounds:
            raise AssertionError("the runs are started again")
        rounds.append(jobs)
        reader, writer = os.pipe()
        os.close(reader)
        monkeypatch.setattr(sys, "stdout", open(writer, "w"))
        write(tmp_path, jobs[0]["key"], done(0))
        stop = Path(jobs[0]["stop"])
        wait_until(stop.exists)
        assert stop.exists()
        return [{"key": job["key"], "state": "stopped"} for job in jobs]

    with pytest.raises(BrokenPipeError):
        conduct(tmp_path, plan_of(2), perform_all)
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.close()


@pytest.mark.thorough
def test_a_run_that_another_sweep_does_is_waited_for(tmp_path):
    rounds = []

    def perform_all(jobs):
        rounds.append([job["key"] for job in jobs])
        if len(rounds) == 2:
            write(tmp_path, "seed-1", done(1))  # the other sweep
        write(tmp_path, "seed-0", done(0))
        return [{"key": job["key"], "state": "taken" if job["key"] == "seed-1" else "done"} for job in jobs]

    conductor = conduct(tmp_path, plan_of(2), perform_all)
    assert rounds == [["seed-0", "seed-1"], ["seed-1"]] and len(conductor.records) == 2


def test_two_sweeps_in_one_folder_do_each_run_once(tmp_path):
    """Both do their jobs in threads of this process, with claims like those of the children."""
    plan, times, lock = plan_of(12), [], threading.Lock()

    def perform(job):
        folder = Path(job["folder"])
        folder.mkdir(exist_ok=True)
        with claim(folder, patience=5) as mine:
            if mine and record.read(folder) is None:
                with lock:
                    times.append(job["key"])
                done(0).write(folder)
        return {"key": job["key"], "state": "done" if mine else "taken"}

    run_at_once(*[lambda: conduct(tmp_path, plan, lambda jobs: [perform(job) for job in jobs])] * 2)
    assert sorted(times) == sorted(job.key for job in plan.jobs)


def test_what_is_missing_is_in_the_table_too(tmp_path):
    rows = table.rows_of(plan_of(2), {"seed-1": done(1)})
    assert table.write(tmp_path, rows)[0].read_text(encoding="utf-8").splitlines() == [
        "article,seed,state,score,solved_at,seconds,error",
        "digits,0,missing,,,,",
        "digits,1,done,0.5,,1.0,",
    ]


def trains(monitor):
    """An episode is over: from here on a signal leaves a checkpoint."""
    return len(monitor.read_text(encoding="utf-8").splitlines()) > 2


@pytest.mark.thorough
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_keeps_what_is_done_and_resume_goes_on(tmp_path):
    words = "value_function --seeds 0:2 --set total-timesteps=6000 --set keep-going=true".split()
    words += "--set eval-freq=0".split()
    with start_python("-m", "rl", "sweep", *words, "--jobs", "2", "--out", tmp_path) as process:
        wait_until(lambda: any(map(trains, tmp_path.glob("sweep__*/*/*/monitor.csv"))), 120)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "sweep --resume" in output, output
    assert list(tmp_path.glob("sweep__*/*/*/checkpoint.safetensors"))
    _, folder = sweep(tmp_path, "--resume")
    _, whole = sweep(tmp_path / "whole", *words)
    assert without_times(folder) == without_times(whole)
    assert any("resumed at step" in path.read_text(encoding="utf-8") for path in folder.glob("*/output.txt"))
