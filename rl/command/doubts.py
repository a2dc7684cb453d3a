"""Doubts: settings that are allowed and yet cannot do what their name promises in this run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rl.command.settings import AgentSettings


def find_doubts(settings: AgentSettings) -> Iterator[str]:
    """Yield a line for each doubt: what will happen, and what to do."""
    s: Any = settings
    total, games = s.total_timesteps, getattr(s, "games", s.num_envs)
    if s.gamma == 0:
        yield "gamma is 0, so only the next reward counts; a usual --gamma is 0.9 to 0.999"
    if s.max_episode_steps == 1:
        yield "every game is cut off after 1 step; give a larger --max-episode-steps, or 0"
    if hasattr(s, "n_steps") and s.n_steps * games > total:
        yield (
            f"an update takes {s.n_steps * games:,} steps and the run has {total:,}, so nothing is learned; "
            "give a larger --total-timesteps, or a smaller --n-steps"
        )
    if hasattr(s, "learning_starts"):
        yield from _replay_doubts(s, total)


def _replay_doubts(s: Any, total: int) -> Iterator[str]:
    """Yield the doubts about an algorithm with a replay."""
    left = total - s.learning_starts
    if left < s.train_freq:
        yield (
            f"learning begins after {s.learning_starts:,} steps and the run has {total:,}, so nothing is "
            "learned; give a larger --total-timesteps, or a smaller --learning-starts"
        )
        return
    if s.batch_size > s.buffer_size:
        yield (
            f"a batch takes {s.batch_size:,} steps and the replay stores {s.buffer_size:,}, so every batch "
            "repeats some; give a larger --buffer-size"
        )
    if getattr(s, "epsilon", 0) == 1:
        yield "epsilon is 1, so every action is random; a usual --epsilon is 0.05 to 0.3"
    if not hasattr(s, "target_update"):
        return
    if s.target_update > left // s.train_freq:
        yield (
            f"the target network is copied every {s.target_update:,} updates and the run makes "
            f"{left // s.train_freq:,}, so it never changes; give a smaller --target-update"
        )
    if s.final_epsilon == 1 or s.initial_epsilon > s.final_epsilon and s.exploration_steps > left:
        end = s.initial_epsilon + (s.final_epsilon - s.initial_epsilon) * min(1, left / s.exploration_steps)
        yield (
            f"{end:.0%} of the actions are still random at the end of the run; give a smaller "
            "--exploration-steps or --final-epsilon, or a larger --total-timesteps"
        )
