"""How long does acting take with a tiny network?

Workload: the CartPole agents, which evaluate a 4-64-2 network on one state at a time, a few hundred thousand
times in a run. W1 is the network alone (`model.predict`), W1a the agent's greedy `act` with the choice of the
action. Every side takes and returns NumPy arrays, because the environment does.
"""

from __future__ import annotations

from bench import workloads as w
from bench.harness import compare
from bench.questions import Options, Question, Row, Side, Work

SHAPE, ACTIONS = w.DENSE[:1], w.DENSE[-1]


def ours(threads: int, choose: bool) -> Work:
    """Call model.predict of one state, or the agent's act."""
    from bench.ours import q_agent, use_threads

    use_threads(threads)
    agent, x = q_agent(SHAPE, ACTIONS, w.DENSE[1:-1]), w.states(SHAPE, 1)
    model = agent.model
    return Work((lambda: agent.act(x)) if choose else (lambda: model.predict(x)), 1, model.params.size)


def numpy(threads: int, choose: bool) -> Work:
    """Compute the network with NumPy calls into preallocated buffers: a landmark, not a peer."""
    import numpy as np

    rng, x = np.random.default_rng(0), w.states(SHAPE, 1)
    W1, b1, W2, b2 = (rng.standard_normal(s).astype(np.float32) for s in ((4, 64), (64,), (64, 2), (2,)))
    hidden, out = np.empty((1, 64), np.float32), np.empty((1, 2), np.float32)

    def step() -> object:
        np.matmul(x, W1, out=hidden)
        np.add(hidden, b1, out=hidden)
        np.maximum(hidden, 0, out=hidden)
        np.matmul(hidden, W2, out=out)
        np.add(out, b2, out=out)
        return out.argmax() if choose else out

    return Work(step, 1, sum(a.size for a in (W1, b1, W2, b2)))


def question(id: str, work: str, choose: bool) -> Question:
    forms = ("eager", "bare", "frozen")  # not "compiled": on one state its guards cost more than the work
    return Question(
        id,
        "act_dense",
        work,
        "states/s",
        (
            Side("nnlite", "bench.act_dense:ours", (choose,)),
            *(
                Side(
                    f"torch {form}",
                    "bench.peers_torch:act",
                    (SHAPE, ACTIONS, form, False, choose),
                    ("torch",),
                )
                for form in forms
            ),
            Side("jax jit", "bench.peers_jax:act", (SHAPE, ACTIONS, choose), ("jax",)),
            Side("(numpy by hand)", "bench.act_dense:numpy", (choose,), peer=False),
        ),
        target={1: 15.0},
        threads=(1,),  # one state is too little work for several threads
    )


QUESTIONS = (
    question("W1", "model.predict of one state, 4-64-2", False),
    question("W1a", "agent.act on one state, 4-64-2", True),
)


def run(options: Options) -> list[Row]:
    return [row for one in QUESTIONS for row in compare(one, options)]
