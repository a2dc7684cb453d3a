"""The harness measures, interleaves, tabulates and keeps; no figure decides a test."""

import importlib
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
if not (ROOT / "bench" / "harness.py").is_file():
    pytest.skip("the benchmarks are not here", allow_module_level=True)
sys.path.insert(0, str(ROOT))

from bench import __main__ as command  # noqa: E402
from bench import compare, harness, report, worker  # noqa: E402
from bench.questions import Options, Question, Row, Side  # noqa: E402

pytestmark = pytest.mark.thorough
TINY = Options(threads=(1,), rounds=2, seconds=0.01)
SIDES = """
import time
from bench.questions import Work
calls = 0
def sleeping(threads, seconds, amount=1.0, parameters=0):
    return Work(lambda: time.sleep(seconds), amount, parameters)
def failing(threads):
    raise RuntimeError("cannot\\nstart")
def talking(threads):
    print("a library's greeting")
    return Work(lambda: print("and more"))
def dying(threads):
    import os
    os._exit(3)
"""


@pytest.fixture
def sides(tmp_path, monkeypatch):
    """Workers find the module `sides` with the functions above."""
    (tmp_path / "sides.py").write_text(SIDES, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path


def question(*others: Side, **more) -> Question:
    ours = Side("ours", "sides:sleeping", (0.002,))
    return Question("T", "test", "a test", "things/s", (ours, *others), **more)


def by_name(rows):
    return {row.side: row for row in rows}


def test_our_ratio_is_against_the_fastest_peer(sides):
    slow, fast = Side("slow", "sides:sleeping", (0.2,)), Side("fast", "sides:sleeping", (0.008,))
    landmark = Side("landmark", "sides:sleeping", (0.0,), peer=False)
    rows = by_name(harness.compare(question(slow, fast, landmark, target={1: 2.0}), TINY))
    ours = rows["ours"]
    assert ours.against == "fast" and ours.target == 2.0
    assert ours.ratio == pytest.approx(rows["fast"].seconds / ours.seconds)
    assert ours.ratio_least <= ours.ratio_most and ours.samples >= 2
    assert ours.fastest <= ours.seconds <= ours.slowest
    assert rows["fast"].ratio is None
    assert 0.007 < rows["fast"].seconds < 1


def test_a_peer_that_does_more_in_a_call_is_judged_by_its_rate(sides):
    rows = by_name(harness.compare(question(Side("more", "sides:sleeping", (0.02, 1000.0))), TINY))
    assert rows["ours"].ratio < 1 < rows["more"].seconds / rows["ours"].seconds
    assert rows["more"].rate == pytest.approx(1000 / rows["more"].seconds)


def test_absent_failing_dying_and_talking_sides_cost_only_themselves(sides):
    absent = Side("absent", "sides:sleeping", (0.1,), ("no_such_package",))
    failing, dying = Side("failing", "sides:failing"), Side("dying", "sides:dying", packages=("json",))
    talking = Side("talking", "sides:talking", packages=("csv",))
    rows = by_name(harness.compare(question(absent, failing, dying, talking), TINY))
    assert "no_such_package not installed" in rows["absent"].note
    assert "RuntimeError: cannot start" in rows["failing"].note
    assert "ended" in rows["dying"].note
    assert rows["talking"].seconds and rows["ours"].against == "talking"


def test_networks_of_different_sizes_are_refused(sides):
    mine, theirs = Side("a", "sides:sleeping", (0.0, 1.0, 5)), Side("b", "sides:sleeping", (0.0, 1.0, 6))
    with pytest.raises(ValueError, match="different sizes.*5.*6"):
        harness.compare(Question("T", "test", "a test", "things/s", (mine, theirs)), TINY)


def test_workers_take_turns(monkeypatch):
    asked = []

    class Recorder:
        def __init__(self, threads):
            pass

        def ask(self, **request):
            if "make" in request:
                return {"ready": request["make"][3][0], "parameters": 0, "amount": 1.0}
            asked.append(request["time"])
            return {"seconds": [1.0]}

        def close(self):
            asked.append("closed")

    monkeypatch.setattr(harness, "Worker", Recorder)
    sides = Side("a", "m:f", ("A",)), Side("b", "m:f", ("B",), ("json",))
    harness.compare(Question("T", "test", "a test", "x/s", sides), TINY)
    assert asked == ["A", "B", "A", "B", "closed", "closed"]


@pytest.fixture
def make_step(monkeypatch):
    """Make a step that takes the given seconds of a clock of its own, and counts its calls."""
    now = [0.0]
    monkeypatch.setattr(worker, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    class Step:
        def __init__(self, seconds):
            self.seconds, self.calls = seconds, 0

        def __call__(self):
            now[0] += self.seconds
            self.calls += 1

    return Step


@pytest.mark.parametrize(("seconds", "warm_calls", "calls"), [(2**-13, 1639, 8), (0.5, 5, 1)])
def test_a_warm_up_comes_first_and_short_calls_are_timed_together(make_step, seconds, warm_calls, calls):
    step = make_step(seconds)
    assert worker.warm_up(step) == calls and step.calls == warm_calls


def test_the_first_sample_counts_only_if_it_takes_all_the_time(make_step):
    step = make_step(2**-13)
    assert worker.samples_of(step, 128, 0.05) == [2**-13] * 3 and step.calls == 4 * 128
    assert len(worker.samples_of(make_step(0.002), 1, 0.001)) == 1


def test_workers_do_not_see_what_slows_blas(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert "OPENBLAS_CORETYPE" not in harness.environment(1)
    assert harness.environment(2)["OMP_NUM_THREADS"] == "2"


def test_table_and_file_hold_the_same_figures(tmp_path):
    times, ratios = (1e-6, 0.9e-6, 2e-6, 7, 1e6, "states/s"), (5.0, 4.0, 6.0, "torch", 15.0)
    rows = [
        Row("W1", "act", "acting", "ours", 1, *times, *ratios),
        Row("W1", "act", "acting", "torch", 1, note="absent: torch not installed"),
    ]
    text = report.table(rows)
    for words in ("1 us", "5.00x (4.00 .. 6.00) torch", "15x MISSED", "absent: torch"):
        assert words in text
    path = tmp_path / "new" / "a.jsonl"
    report.write(path, report.facts(TINY), rows)
    facts, read = report.read(path)
    assert read == rows and facts["versions"]["numpy"] != "absent" and facts["threads"] == [1]


def test_compare_puts_two_files_side_by_side(tmp_path, capsys):
    for name, seconds in (("a", 1e-3), ("b", 2e-3)):
        times = seconds, 0.9 * seconds, 1.1 * seconds, 5, 1 / seconds, "updates/s"
        rows = [Row("W2", "update", "updating", "ours", 2, *times)]
        rows += [Row("W2", "update", "updating", name, 2, note="absent")]
        report.write(tmp_path / name, report.facts(TINY), rows)
    assert compare.main([str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    text = capsys.readouterr().out
    assert "0.50x" in text and "SLOWER" in text and text.count("absent") == 2
    assert compare.main(["only one"]) == 2
    (tmp_path / "c").write_text("no json", encoding="utf-8")
    assert compare.main([str(tmp_path / "a"), str(tmp_path / "c")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 4


def test_command_prints_a_table_and_writes_json_lines(tmp_path, capsys):
    out = tmp_path / "figures.jsonl"
    tiny = "--only act_dense --rounds 1 --seconds 0.001 --no-peers --threads 1 --out".split()
    assert command.main([*tiny, str(out)]) == 0
    assert "agent.act" in capsys.readouterr().out
    first, *rest = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert first["facts"]["cores"] and {row["id"] for row in rest} == {"W1", "W1a"}
    assert all(row["seconds"] > 0 for row in rest)


@pytest.mark.parametrize("threads", [(1,), (2,), (1, 2)])
def test_growth_draws_every_curve(threads, tmp_path, monkeypatch):
    from bench import growth

    def measured(question, options):
        held = [count for count in question.threads if count in options.threads]
        sides = [(side.name, count) for count in held for side in question.sides]
        common = {"rate": 1e3, "unit": question.unit}
        return [Row("G", "growth", question.work, *side, 1e-3, **common) for side in sides]

    monkeypatch.setattr(growth, "compare", measured)
    monkeypatch.setattr(growth, "REPLAY_SIZES", (1_000, 2_000))
    rows = growth.run(Options(threads=threads, plots=tmp_path))
    drawn = {name for name, _, _ in growth.CURVES} | {"replay.png"}
    assert {path.name for path in tmp_path.iterdir()} == drawn
    held = [row.bytes for row in rows if row.bytes]
    assert held[1] == pytest.approx(2 * held[0], rel=0.01)


def test_a_question_that_fails_does_not_take_the_others_with_it(tmp_path, monkeypatch, capsys):
    from bench import maze, memory

    monkeypatch.setattr(maze, "run", lambda options: 1 / 0)
    monkeypatch.setattr(memory, "run", lambda options: [Row("M", "memory", "held", "ours", 1, bytes=5)])
    assert command.main(["--only", "maze,memory", "--out", str(tmp_path / "a")]) == 1
    shown = capsys.readouterr()
    assert "5 bytes" in shown.out and "ZeroDivisionError" in shown.err and "maze failed" in shown.err


@pytest.mark.parametrize("wrong", ["--only nonsense", "--threads 0", "--threads x", "--rounds 0"])
def test_wrong_flags_are_answered_in_two_lines(wrong, capsys):
    assert command.main(wrong.split()) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 2


@pytest.mark.parametrize("name", command.QUESTIONS)
def test_every_question_says_what_it_stands_for_and_names_functions_that_exist(name):
    module = importlib.import_module(f"bench.{name}")
    assert len(module.__doc__.strip().splitlines()) > 2 and callable(module.run)
    found = [getattr(module, "QUESTION", None), *getattr(module, "QUESTIONS", ())]
    found += [curve[2] for curve in getattr(module, "CURVES", ())]
    for one in filter(None, found):
        for side in one.sides:
            where, function = side.make.split(":")
            if all(harness.installed(package) for package in side.packages):
                assert callable(getattr(importlib.import_module(where), function)), side


def test_steady_state_of_a_small_agent_holds_nothing_more():
    from bench import memory

    assert memory.measure_apart("dqn, 4-64-2", 50)["held"] <= memory.HELD_LIMIT
