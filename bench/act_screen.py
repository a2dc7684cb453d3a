"""How long does acting take on a screen?

Workload: one game of Catcher that is watched or evaluated. The input is one stack of four 80x80 frames of
bytes; every side takes and returns NumPy arrays. A call reads the 6.5 MB of the dense layer's weights, which
one thread does about as fast as two.
"""

from __future__ import annotations

from bench import workloads as w
from bench.harness import compare
from bench.questions import Options, Question, Row, Side, Work


def ours(threads: int) -> Work:
    """Call model.predict of one stack."""
    from bench.ours import q_agent, use_threads

    use_threads(threads)
    model, x = q_agent(w.SCREEN, w.SCREEN_ACTIONS).model, w.states(w.SCREEN, 1)
    return Work(lambda: model.predict(x), 1, model.params.size)


def torch_side(name: str, form: str, last: bool) -> Side:
    return Side(
        f"torch {name}", "bench.peers_torch:act", (w.SCREEN, w.SCREEN_ACTIONS, form, last, False), ("torch",)
    )


QUESTION = Question(
    "W3",
    "act_screen",
    "model.predict of one stack 80x80x4",
    "states/s",
    (
        Side("nnlite", "bench.act_screen:ours"),
        torch_side("eager", "eager", False),
        torch_side("eager, channels last", "eager", True),
        torch_side("frozen", "frozen", False),
        torch_side("compiled", "compiled", False),
        Side("jax jit", "bench.peers_jax:act", (w.SCREEN, w.SCREEN_ACTIONS, False), ("jax",)),
    ),
    target={1: 1.25, 2: 1.4},
)


def run(options: Options) -> list[Row]:
    return compare(QUESTION, options)
