"""Articles that run in new processes and are stopped there; see tests/tools/segments.py."""

import json
from pathlib import Path
from typing import Any

from tests.processes import run_python
from tests.tools import segments


def run(*jobs: dict[str, Any]) -> tuple[list[int], str]:
    """The exit codes of these jobs, and all that they printed."""
    done = run_python(segments.__file__, json.dumps(jobs))
    return json.loads(done.stdout.splitlines()[-1]), done.stdout + done.stderr


def job(article: str, argv: list[str], out: Path, stop_at: int | None = None, **more: Any) -> dict[str, Any]:
    return {"article": article, "argv": [*argv, "--out", str(out)], "stop_at": stop_at, **more}
