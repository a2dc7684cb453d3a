"""`python -m rl bench`: the benchmarks, which stand in the repository and not in the installed package."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import rl


def main(argv: list[str]) -> int:
    """Hand over to `python -m bench`; 2 when the folder is not there."""
    root = Path(rl.__file__).resolve().parents[1]
    if not (root / "bench" / "harness.py").is_file():
        print(
            "error: the benchmarks are not part of the installed package\n"
            "  run them from a clone of the repository: pip install '.[bench]', then python -m bench",
            file=sys.stderr,
        )
        return 2
    sys.path.insert(0, str(root))
    return int(importlib.import_module("bench.__main__").main(argv))
