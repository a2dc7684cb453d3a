"""Does learning allocate memory?

Workload: a run of days. After a hundred updates come a thousand that are measured, each on a new batch of the
replay or a new rollout. tracemalloc counts the bytes held afterwards, and the peak in between. The peak
contains the small arrays and numbers that a call returns, and Python's lists of free objects, which grow to
about 100 KB until its collector runs. The system reports the growth of the process. Each agent has its own
process.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable

from bench import workloads as w
from bench.harness import ROOT, environment
from bench.questions import Options, Row

WARM, UPDATES = 100, 1000
CASES = {
    "dqn, 4-64-2": lambda: replaying(w.DENSE[:1], w.DENSE[-1]),
    "dqn, CNN 80x80x4": lambda: replaying(w.SCREEN, w.SCREEN_ACTIONS),
    "a2c, 4-64-64-2": lambda: rolling(w.DENSE[:1], w.DENSE[-1]),
    "a2c, CNN 80x80x4": lambda: rolling(w.SCREEN, w.SCREEN_ACTIONS),
}
HELD_LIMIT = 1024  # bytes: for a large counter and a last loss; an array would take more


def replaying(shape: tuple[int, ...], actions: int) -> Callable[[], object]:
    """Make an update of rl.dqn on a batch sampled from the replay."""
    import numpy as np

    from bench.ours import q_agent

    agent, steps = q_agent(shape, actions), w.transitions(shape, actions, 200)
    never = np.zeros(1, bool)
    for i in range(len(steps.actions)):
        agent.replay.add(
            steps.observations[i, None],
            steps.actions[i, None],
            steps.returns[i, None],
            never,
            never,
            steps.observations[i, None],
        )
    rng = np.random.default_rng(0)
    return lambda: agent.update(agent.replay.sample(w.BATCH, rng))


def rolling(shape: tuple[int, ...], actions: int) -> Callable[[], object]:
    """Make an update of rl.a2c on a new rollout."""
    from bench.ours import actor_critic, experiences

    agent, steps = actor_critic(shape, actions), experiences(w.play(shape, actions))

    def step() -> None:
        for experience in steps:
            agent.observe(experience)

    return step


def measure(case: str, updates: int) -> dict[str, int]:
    """Count the bytes held after the updates and at the peak, above the start, and the process's growth."""
    from bench.ours import use_threads

    tracemalloc.start()  # before all arrays: one that replaces an uncounted array would look like growth
    use_threads(2)
    step = CASES[case]()
    for _ in range(WARM):
        step()
    gc.collect()
    size = resident()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    for _ in range(updates):
        step()
    gc.collect()
    after, peak = tracemalloc.get_traced_memory()
    grown = resident() - size
    return {"held": after - before, "peak": peak - before, "process": grown}


def resident() -> int:
    """Return the bytes of this process in memory; 0 if the system does not report them."""
    try:
        with open("/proc/self/statm", encoding="utf-8") as file:
            return int(file.read().split()[1]) * 4096
    except OSError:
        return 0


def measure_apart(case: str, updates: int) -> dict[str, int]:
    """Call `measure` in its own process."""
    command = [sys.executable, "-m", "bench.memory", case, str(updates)]
    answer = subprocess.run(
        command, cwd=ROOT, env=environment(2), stdout=subprocess.PIPE, text=True, check=True, encoding="utf-8"
    )
    return dict(json.loads(answer.stdout))


def run(options: Options) -> list[Row]:
    updates = UPDATES if options.rounds > 1 else UPDATES // 50
    rows = []
    for case in CASES:
        found = measure_apart(case, updates)
        verdict = "steady" if found["held"] <= HELD_LIMIT else "GROWS"
        note = f"{verdict}; peak {found['peak']:,} bytes above, process {found['process'] / 1e3:+,.0f} KB"
        rows.append(
            Row(
                "M",
                "memory",
                f"bytes held after {updates:,} updates, above those before",
                case,
                2,
                bytes=found["held"],
                note=note,
            )
        )
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
