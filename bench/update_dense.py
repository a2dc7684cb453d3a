"""How long does one DQN update take with a tiny network?

Workload: `python -m rl.dqn --test`, which updates a 4-64-2 network in every step of CartPole: target forward,
forward, Huber loss, backward, Adam, on a batch of 32. Our side is the agent's `update`. All sides also clip
the gradient by its norm, as users of the peers do; rl.dqn itself does not.
"""

from __future__ import annotations

from bench import workloads as w
from bench.harness import compare
from bench.questions import Options, Question, Row, Side, Work

SHAPE, ACTIONS = w.DENSE[:1], w.DENSE[-1]


def ours(threads: int) -> Work:
    """Call agent.update of a batch."""
    from bench.ours import q_agent, use_threads
    from rl.core.replay import Batch

    use_threads(threads)
    agent = q_agent(SHAPE, ACTIONS, w.DENSE[1:-1])
    batch = Batch(*w.transitions(SHAPE, ACTIONS))
    return Work(lambda: agent.update(batch), 1, agent.model.params.size)


QUESTION = Question(
    "W2",
    "update_dense",
    "DQN update, 4-64-2, batch 32",
    "updates/s",
    (
        Side("nnlite", "bench.update_dense:ours"),
        *(
            Side(f"torch {form}", "bench.peers_torch:dqn_update", (SHAPE, ACTIONS, form, False), ("torch",))
            for form in ("eager", "graph")
        ),  # not "compiled": slower than eager here, because autograd's part is not compiled
        *(
            Side(f"jax jit, {form}", "bench.peers_jax:dqn_update", (SHAPE, ACTIONS, form), ("jax",))
            for form in ("tree", "flat")
        ),
    ),
    target={1: 8.0},
    threads=(1,),
)


def run(options: Options) -> list[Row]:
    return compare(QUESTION, options)
