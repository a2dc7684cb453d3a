"""`python -m bench`: run the benchmarks, print one table, write the figures as JSON lines."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from bench import report
from bench.questions import Options, Row

QUESTIONS = (
    "act_dense",
    "update_dense",
    "act_screen",
    "update_screen",
    "update_screen_a2c",
    "digits",
    "bandit",
    "maze",
    "cartpole_loop",
    "start",
    "environments",
    "growth",
    "memory",
)


def main(argv: list[str] | None = None) -> int:
    """Run the chosen questions; returns the exit code."""
    parser = arguments()
    chosen = parser.parse_args(argv)
    names = [name for name in chosen.only.split(",") if name] or list(QUESTIONS)
    unknown = [name for name in names if name not in QUESTIONS]
    if unknown:
        return report.complain(f"there is no question {unknown[0]!r}", f"choose among {', '.join(QUESTIONS)}")
    try:
        threads = tuple(int(count) for count in chosen.threads.split(","))
    except ValueError:
        threads = (0,)
    if min(threads) < 1 or chosen.rounds < 1 or chosen.seconds <= 0:
        return report.complain(
            "--threads, --rounds and --seconds must be greater than 0", "see python -m bench --help"
        )
    options = Options(threads, chosen.rounds, chosen.seconds, not chosen.no_peers, chosen.long, chosen.plots)
    out = Path(chosen.out) if chosen.out else report.default_path()
    found = report.facts(options)
    print(report.header(found), flush=True)
    rows, failed = ask(names, options, lambda rows: report.write(out, found, rows))
    print(report.table(rows))
    print(f"\nwritten to {out}; python -m bench.compare compares two such files")
    if failed:
        print(f"error: {', '.join(failed)} failed\n  the traceback stands above", file=sys.stderr)
    return 1 if failed else 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    parser.add_argument("--only", default="", metavar="A,B", help=f"some of: {', '.join(QUESTIONS)}")
    parser.add_argument("--threads", default="1,2", metavar="1,2", help="numbers of threads to measure (1,2)")
    parser.add_argument(
        "--rounds",
        type=int,
        default=Options.rounds,
        help=f"rounds in which every side takes one turn ({Options.rounds})",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=Options.seconds,
        help=f"measured time of each turn ({Options.seconds})",
    )
    parser.add_argument("--no-peers", action="store_true", help="measure only our side")
    parser.add_argument(
        "--long", action="store_true", help="also train Catcher to the end, ten seeds each: an hour"
    )
    parser.add_argument(
        "--plots", type=Path, default=Options.plots, help="folder of the growth plots (bench/plots)"
    )
    parser.add_argument("--out", default="", help="file of the figures (bench/results/DATE.jsonl)")
    return parser


def ask(names: list[str], options: Options, keep: Callable[[list[Row]], None]) -> tuple[list[Row], list[str]]:
    """Measure the questions; returns their rows and the names of those that failed.

    keep  called with the rows so far after each question, so that an interruption loses none
    """
    rows: list[Row] = []
    failed = []
    for number, name in enumerate(names, 1):
        start = time.perf_counter()
        print(f"[{number}/{len(names)}] {name} ...", end="", file=sys.stderr, flush=True)
        try:
            rows += importlib.import_module(f"bench.{name}").run(options)
        except Exception:  # the other questions are still worth measuring
            traceback.print_exc()
            failed.append(name)
        print(f" {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        keep(rows)
    return rows, failed


if __name__ == "__main__":
    sys.exit(main())
