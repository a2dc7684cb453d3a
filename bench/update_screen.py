"""How long does one DQN update take on screens?

Workload: `python -m rl.dqn`, which spends most of its time here: 1,717,411 parameters, a batch of 32 stacks
of four 80x80 frames of bytes, target forward, forward, Huber loss, backward, Adam: 2.83 GFLOP. Our side is
the agent's `update`. All sides also clip the gradient by its norm, as users of the peers do; rl.dqn itself
does not.
"""

from __future__ import annotations

from bench import workloads as w
from bench.harness import compare
from bench.questions import Options, Question, Row, Side, Work


def ours(threads: int) -> Work:
    """Call agent.update of a batch."""
    from bench.ours import q_agent, use_threads
    from rl.core.replay import Batch

    use_threads(threads)
    agent = q_agent(w.SCREEN, w.SCREEN_ACTIONS)
    batch = Batch(*w.transitions(w.SCREEN, w.SCREEN_ACTIONS))
    return Work(lambda: agent.update(batch), 1, agent.model.params.size)


def peers(work: str) -> tuple[Side, ...]:
    """Make the sides of every form of a peer's "dqn_update" or "a2c_update" on screens."""
    sizes = (w.SCREEN, w.SCREEN_ACTIONS)
    forms = (("eager", False), ("eager", True), ("compiled", True), ("graph", True))
    return (
        *(
            Side(
                f"torch {form}{', channels last' if last else ''}",
                f"bench.peers_torch:{work}",
                (*sizes, form, last),
                ("torch",),
            )
            for form, last in forms
        ),
        Side("jax jit", f"bench.peers_jax:{work}", (*sizes, "tree"), ("jax",)),
    )


QUESTION = Question(
    "W4",
    "update_screen",
    "DQN update, CNN 80x80x4, batch 32",
    "updates/s",
    (Side("nnlite", "bench.update_screen:ours"), *peers("dqn_update")),
    target={1: 1.3, 2: 1.4},
)


def run(options: Options) -> list[Row]:
    return compare(QUESTION, options)
