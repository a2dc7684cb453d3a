"""Does learning allocate?

Stands for a run of days. A thousand updates after the first hundred, each on a batch freshly drawn from the
replay or from a refilled rollout: tracemalloc says how many bytes more are held afterwards, and how far above
that the highest moment was (the small arrays and numbers that a call returns and gives back at once, and
Python's own lists of free objects, which it fills up to some 100 KB until its collector empties them); the
system says how much larger the process became. A process of its own for each agent.
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
HELD_LIMIT = 1024  # bytes: a counter that outgrew the small integers, a last loss; an array would be more


def replaying(shape: tuple[int, ...], actions: int) -> Callable[[], object]:
    """An update of rl.dqn on a batch drawn from the replay."""
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
    """A rollout stored and an update of rl.a2c."""
    from bench.ours import actor_critic, experiences

    agent, steps = actor_critic(shape, actions), experiences(w.play(shape, actions))

    def step() -> None:
        for experience in steps:
            agent.observe(experience)

    return step


def measure(case: str, updates: int) -> dict[str, int]:
    """Bytes held more after the updates, the highest moment above them, and by how much the process grew."""
    from bench.ours import use_threads

    tracemalloc.start()  # first: an array that replaces an uncounted one would look like growth
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
    return {"held": after - before, "moment": peak - before, "process": grown}


def resident() -> int:
    """Bytes of this process in memory; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="utf-8") as file:
            return int(file.read().split()[1]) * 4096
    except OSError:
        return 0


def measured_apart(case: str, updates: int) -> dict[str, int]:
    """`measure` in a process of its own."""
    command = [sys.executable, "-m", "bench.memory", case, str(updates)]
    answer = subprocess.run(
        command, cwd=ROOT, env=environment(2), stdout=subprocess.PIPE, text=True, check=True, encoding="utf-8"
    )
    return dict(json.loads(answer.stdout))


def run(options: Options) -> list[Row]:
    updates = UPDATES if options.rounds > 1 else UPDATES // 50
    rows = []
    for case in CASES:
        found = measured_apart(case, updates)
        verdict = "steady" if found["held"] <= HELD_LIMIT else "GROWS"
        note = (
            f"{verdict}; highest moment {found['moment']:,} bytes above, process "
            f"{found['process'] / 1e3:+,.0f} KB"
        )
        rows.append(
            Row(
                "M",
                "memory",
                f"held after {updates:,} updates more than before",
                case,
                2,
                bytes=found["held"],
                note=note,
            )
        )
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
