"""Reinforcement learning, from a one-layer net to deep Q-learning on a game's screen.

    from rl import DQN, load
    agent = DQN("CartPole-v1", seed=0).learn(20_000)

Each of the ten articles is a command: `python -m rl` lists them. Importing this package registers its
environments with Gymnasium, so `gymnasium.make("rl:rl/Catcher-v0")` works. The import is light: numba, pygame
and the algorithms are imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rl.envs.registration import register_environments

if TYPE_CHECKING:
    from rl.a2c import A2C as A2C
    from rl.dqn import DQN as DQN
    from rl.loading import load as load
    from rl.policy_gradient import PolicyGradient as PolicyGradient
    from rl.value_function import ValueFunction as ValueFunction

__version__ = "0.1.0"
__all__ = ["A2C", "DQN", "PolicyGradient", "ValueFunction", "load"]

MODULES = {
    "A2C": "rl.a2c",
    "DQN": "rl.dqn",
    "PolicyGradient": "rl.policy_gradient",
    "ValueFunction": "rl.value_function",
    "load": "rl.loading",
}

register_environments()


def __getattr__(name: str) -> Any:
    """Import a name of the library on first use."""
    if name not in MODULES:
        raise AttributeError(f"module 'rl' has no attribute {name!r}; there are {', '.join(__all__)}")
    return getattr(import_module(MODULES[name]), name)
