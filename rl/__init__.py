"""Ten articles on reinforcement learning, one runnable module each: `python -m rl` lists them.

Importing this package registers its environments with Gymnasium, so `gymnasium.make("rl:rl/Catcher-v0")`
works. Nothing heavy is imported here: numba and pygame come with the first environment that needs them.
"""

from rl.envs.registration import register_environments

__version__ = "0.1.0"

register_environments()
