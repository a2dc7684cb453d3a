"""`python -m rl.housing`: load the table, train, print, draw."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import numpy as np

from rl.command.cli import exit_codes, parse
from rl.command.notes import extra
from rl.command.threads import use_threads
from rl.housing import Result, Settings, learn
from rl.housing.data import Table, load
from rl.housing.plots import draw_scatter
from rl.runs.run_folder import create, write_json

SUMMARY = "Neural networks 3: house prices from thirteen numbers."
EXAMPLES = (
    "python -m rl.housing",
    "python -m rl.housing --data boston.csv --exclude B",
    "python -m rl.housing --data synthetic --epochs 20",
)


@exit_codes
def main(argv: list[str] | None = None) -> None:
    settings = parse(Settings, "python -m rl.housing", SUMMARY, EXAMPLES, argv=argv)
    settings.validate()
    use_threads(settings.num_threads)
    run(settings)


def run(settings: Settings) -> Result:
    """Load the table, learn, print, draw; return the result."""
    begin = time.perf_counter()
    table = load(settings.data, np.random.default_rng([settings.seed, 1])).without(settings.exclude)
    print(table.source)
    print(f"Columns: {' '.join(table.columns)}; price: thousands of dollars.\n")
    folder = create(settings.out, "housing", "table", settings.seed, asdict(settings))
    result = learn(table, settings)
    first, last = result.losses[0], result.losses[-1]
    print(
        f"\nThe loss went from {first:.4f} to {last:.4f} in {settings.epochs} epochs (article: 165.8451 "
        "to 18.0005)."
    )
    print(f"\nOn the {len(result.actual)} districts held out, mean squared error, and its root in dollars:")
    for name, error in (
        ("this network", result.test_error),
        ("linear regression", result.linear_error),
        ("always the mean price", result.mean_error),
    ):
        print(f"  {name:<22}{error:8.2f}   {1000 * error**0.5:6,.0f} $")
    write_json(folder / "result.json", as_plain(result, table))
    with extra("no prices.png"):
        draw_scatter(folder / "prices.png", result.actual, result.predicted)
    print(f"\n{time.perf_counter() - begin:.1f} s; plot and figures in {folder}")
    return result


def as_plain(result: Result, table: Table) -> dict[str, Any]:
    """Return the content of result.json."""
    return {
        "source": table.source,
        "columns": list(table.columns),
        "losses": result.losses,
        "test_error": result.test_error,
        "linear_error": result.linear_error,
        "mean_error": result.mean_error,
        "actual": result.actual.tolist(),
        "predicted": result.predicted.tolist(),
    }
