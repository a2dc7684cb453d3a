"""The process of one run: `python -m bench.elsewhere.one SIDE AGENT ENV SEED` prints its line of JSON."""

from __future__ import annotations

import importlib
import json
import sys

from bench.elsewhere.task import Task


def main(side: str, agent: str, env: str, seed: str) -> None:
    """Make the run. Only the package of its side is imported."""
    task = Task(side, agent, env, int(seed))
    record = importlib.import_module(f"bench.elsewhere.{side}").run(task)
    print(json.dumps(record.line(task)))


if __name__ == "__main__":
    main(*sys.argv[1:])
