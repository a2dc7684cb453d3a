"""How long does one A2C update take on screens?

Workload: `python -m rl.a2c`: 4 steps of 8 games, a batch of 32 stacks of four 80x80 frames of bytes. An
update is forward, values of the next 8 stacks, advantages, policy, value and entropy losses, backward,
clipping, Adam. Our side is the agent's `update`. It clips each weight array by its norm, as the article does;
the peers clip the whole gradient, as their users do.
"""

from __future__ import annotations

from bench import workloads as w
from bench.harness import compare
from bench.questions import Options, Question, Row, Side, Work
from bench.update_screen import peers


def ours(threads: int) -> Work:
    """Call agent.update of a full rollout."""
    from bench.ours import actor_critic, fill_rollout, use_threads

    use_threads(threads)
    agent = actor_critic(w.SCREEN, w.SCREEN_ACTIONS)
    rollout = fill_rollout(agent, w.play(w.SCREEN, w.SCREEN_ACTIONS))
    return Work(lambda: agent.update(rollout), 1, agent.model.params.size)


QUESTION = Question(
    "W5",
    "update_screen_a2c",
    "A2C update, CNN 80x80x4, 4 steps of 8 games",
    "updates/s",
    (Side("nnlite", "bench.update_screen_a2c:ours"), *peers("a2c_update")),
    target={1: 1.3, 2: 1.4},
)


def run(options: Options) -> list[Row]:
    return compare(QUESTION, options)
