"""The progress of a run on standard output: a bar on a terminal, a plain line every ten seconds elsewhere.

The articles' own line, `At episode 310, reward is 18.4 (+/-6.1)`, comes every ten episodes. After the first
twenty lines there are not more than ten a second.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnlite.terminal import is_terminal, say
from rl.command.text import terminal_width
from rl.core.evaluation import Evaluation

REPORT_INTERVAL = 10  # episodes
FIRST_REPORTS = 20  # lines that come at once: a run that takes a second shows how it learns too
PLAIN_SECONDS = 10.0
FASTEST = 0.1  # seconds between two updates of what is shown
BAR = "{percentage:3.0f}%|{bar}| {desc}"
SHORTEST_BAR = 10  # columns


def beside_bar(numbers: Sequence[str]) -> str:
    """Join the numbers that leave room for the bar; the last ones are left out first."""
    room = terminal_width() - len("100%|| ") - SHORTEST_BAR
    while len(numbers) > 1 and len(", ".join(numbers)) > room:
        numbers = numbers[:-1]
    return ", ".join(numbers)


class Progress:
    """The progress of one run; leave it with `with`.

    total  environment steps at the end
    quiet  print nothing
    """

    def __init__(self, total: int, quiet: bool = False) -> None:
        self.total, self.quiet = total, quiet
        self.bar: Any = None
        self.first = self.steps = 0
        self.started = self.shown = self.last_report = time.perf_counter()

    def start(self, done: int) -> None:
        """Begin to count, at `done` environment steps."""
        self.first = self.steps = done
        self.started = self.shown = self.last_report = time.perf_counter()
        if not self.quiet and is_terminal():
            from tqdm import tqdm

            ascii_only = "utf" not in (sys.stdout.encoding or "").lower()
            self.bar = tqdm(
                total=self.total,
                initial=done,
                bar_format=BAR,
                file=sys.stdout,
                ascii=ascii_only,
                dynamic_ncols=True,
                mininterval=FASTEST,
            )

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        if self.bar is not None:
            self.bar.write(line, file=sys.stdout)
        elif not self.quiet:
            say(line)

    def episode(self, returns: Sequence[float]) -> None:
        """Print the articles' line when it is due."""
        if len(returns) % REPORT_INTERVAL:
            return
        now, is_early = time.perf_counter(), len(returns) <= FIRST_REPORTS * REPORT_INTERVAL
        if is_early or now - self.last_report > FASTEST:
            self.last_report = now
            last = returns[-REPORT_INTERVAL:]
            self.say(f"At episode {len(returns)}, reward is {np.mean(last):.1f} (+/-{np.std(last):.1f})")

    def step(self, steps: int, recent: Sequence[float], status: Callable[[], dict[str, float]]) -> None:
        """Move the bar, or print the plain line when it is due."""
        self.steps = steps
        if self.quiet:
            return
        now = time.perf_counter()
        if now - self.shown < (FASTEST if self.bar is not None else PLAIN_SECONDS):
            return
        self.shown = now
        epsilon = status().get("rollout/exploration_rate")
        numbers = [f"mean return {np.mean(recent):.2f}" if recent else "mean return -"]
        numbers += [] if epsilon is None else [f"epsilon {epsilon:.3f}"]
        speed = f"{self.rate():,.0f} steps/s"
        left = (self.total - steps) / self.rate() if steps > self.first else None
        if self.bar is None:
            time_left = [] if left is None else [f"at most {left:,.0f} s left"]
            self.say(", ".join([f"step {steps:,} of {self.total:,}", speed, *time_left, *numbers]))
        else:
            time_left = [] if left is None else [f"at most {self.bar.format_interval(left)} left"]
            count = f"{steps:,}/{self.total:,}"
            self.bar.set_description_str(beside_bar([count, *time_left, *numbers, speed]), refresh=False)
            self.bar.update(steps - self.bar.n)

    def evaluation(self, step: int, result: Evaluation, best: bool, solved: bool) -> None:
        """Print a line about an evaluation."""
        mean = f"mean return {result.mean:.2f}, " if len(result.returns) else ""
        marks = (
            (", goal out of reach" if not result.complete else "")
            + (", best so far" if best else "")
            + (", SOLVED" if solved else "")
        )
        self.say(f"Evaluation at step {step:,}: {mean}{result.text}{marks}")

    def rate(self) -> float:
        """Environment steps a second since the start."""
        return (self.steps - self.first) / max(time.perf_counter() - self.started, 1e-9)

    def seconds(self) -> float:
        """Seconds since the start of training."""
        return time.perf_counter() - self.started

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *problem: object) -> None:
        """Leave the bar as it stands."""
        if self.bar is not None:
            self.bar.update(self.steps - self.bar.n)
            self.bar.close()
