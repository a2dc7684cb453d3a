"""The framework of articles 5 to 8: FNAgent, Trainer, Observer, Logger, Experience, by the articles' names.

A listing runs with `from rl.fn_framework import ...` for `from fn_framework import ...`, once its other lines
are repaired by docs/migration.md. This is a reader's bench: one game, one Python step at a time, as printed.
The fast and corrected agents are rl.value_function, rl.dqn, rl.policy_gradient and rl.a2c.

    state = observer.reset()
    state, reward, done, info = observer.step(action)

    done             the episode has ended: the game is over, or its time is up
    Experience.d     the game is over; False where only its time is up, because the game could go on
    info["TimeLimit.truncated"]   whether only the time was up, in the last step; the old gym's name

The listings took a time limit for an end, and learned that a standing pole is worth nothing more. Their line
`if not e.d:` is right with this d. Agents also play in environments without an Observer, Gymnasium's or with
the old gym's four values.

Trainer(seed=...) seeds random actions and the environment. The listing's own draws, from `random` and for
its network, need seeds of their own.
"""

from rl.fn_framework.agent import FNAgent
from rl.fn_framework.logger import Logger
from rl.fn_framework.observer import Observer
from rl.fn_framework.trainer import Experience, Trainer

__all__ = ["Experience", "FNAgent", "Logger", "Observer", "Trainer"]
