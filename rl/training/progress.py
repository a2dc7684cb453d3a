"""What a user sees while a run goes on: a bar on a terminal, a plain line every ten seconds elsewhere.

The articles' own line, `At episode 310, reward is 18.4 (+/-6.1)`, comes every ten episodes, but not more than
ten a second.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from rl.core.evaluation import Evaluation

REPORT_INTERVAL = 10  # episodes
PLAIN_SECONDS = 10.0
FASTEST = 0.1  # seconds between two updates of what is shown


class Progress:
    """The progress of one run on standard output."""

    def __init__(self, total: int, done: int = 0) -> None:
        self.total, self.first = total, done
        self.terminal = sys.stdout.isatty()
        self.started = self.shown = self.told = time.perf_counter()
        self.steps = done
        self.bar = None
        if self.terminal:
            from tqdm import tqdm

            ascii_only = "utf" not in (sys.stdout.encoding or "").lower()
            self.bar = tqdm(
                total=total,
                initial=done,
                unit="step",
                file=sys.stdout,
                ascii=ascii_only,
                dynamic_ncols=True,
                mininterval=FASTEST,
            )

    def say(self, line: str) -> None:
        """One line above the bar."""
        if self.bar is not None:
            self.bar.write(line, file=sys.stdout)
        else:
            print(line, flush=True)

    def episode(self, returns: Sequence[float]) -> None:
        """The articles' line."""
        now = time.perf_counter()
        if len(returns) % REPORT_INTERVAL == 0 and now - self.told > FASTEST:
            self.told = now
            last = returns[-REPORT_INTERVAL:]
            self.say(f"At episode {len(returns)}, reward is {np.mean(last):.1f} (+/-{np.std(last):.1f})")

    def step(self, steps: int, recent: Sequence[float], status: Callable[[], dict[str, float]]) -> None:
        """Move the bar, or print the plain line when it is due."""
        self.steps = steps
        now = time.perf_counter()
        if now - self.shown < (FASTEST if self.bar is not None else PLAIN_SECONDS):
            return
        self.shown = now
        numbers = f"mean return {np.mean(recent):.2f}" if recent else "mean return -"
        epsilon = status().get("rollout/exploration_rate")
        if epsilon is not None:
            numbers += f", epsilon {epsilon:.3f}"
        if self.bar is not None:
            self.bar.set_postfix_str(numbers, refresh=False)
            self.bar.update(steps - self.bar.n)
        else:
            left = f", at most {(self.total - steps) / self.rate():,.0f} s left" if steps > self.first else ""
            self.say(f"step {steps:,} of {self.total:,}, {self.rate():,.0f} steps/s{left}, {numbers}")

    def evaluation(self, step: int, result: Evaluation, best: bool, solved: bool) -> None:
        """One line an evaluation."""
        mean = f"mean return {result.mean:.2f}, " if len(result.returns) else ""
        caught = (
            f"{result.catches} caught, {result.misses} missed"
            if result.by_misses
            else f"{len(result.returns)} games"
        )
        marks = (
            (", stopped early" if not result.complete else "")
            + (", best so far" if best else "")
            + (", SOLVED" if solved else "")
        )
        self.say(f"Evaluation at step {step:,}: {mean}{caught}{marks}")

    def rate(self) -> float:
        """Environment steps a second since the start."""
        return (self.steps - self.first) / max(time.perf_counter() - self.started, 1e-9)

    def seconds(self) -> float:
        """Since the start of training."""
        return time.perf_counter() - self.started

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self.bar is not None:
            self.bar.update(self.steps - self.bar.n)
            self.bar.close()
