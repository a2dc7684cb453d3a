"""Due: whether it is time for what happens at regular steps, or at regular seconds."""

from __future__ import annotations

import time

SAVE_SECONDS = 60.0  # at most, between two checkpoints: a slow environment loses no more


def crossed(before: int, after: int, every: int) -> bool:
    """Whether a multiple of `every` lies after step `before`, up to step `after`; never for 0."""
    return every > 0 and after // every > before // every


class SaveClock:
    """Says when a checkpoint is due: every `every` steps and every SAVE_SECONDS; never for 0."""

    def __init__(self, every: int) -> None:
        self.every, self.saved = every, time.monotonic()

    def is_due(self, before: int, after: int) -> bool:
        """Return whether one is due at step `after`; `before` is the step asked about last."""
        late = self.every > 0 and time.monotonic() - self.saved > SAVE_SECONDS
        return late or crossed(before, after, self.every)

    def restart(self) -> None:
        """Count the seconds from now."""
        self.saved = time.monotonic()
