"""The registration of this package's environments with Gymnasium.

Entry points are strings, so that registering imports neither numba nor pygame.

`order_enforce` and `disable_env_checker` switch off Gymnasium's per-step wrappers: our environments raise the
same errors themselves, and `check_env` runs in the tests.
"""

from gymnasium import register


def register_environments() -> None:
    """Register every environment of `rl.envs`; called once, when `rl` is imported."""
    register(
        id="rl/Catcher-v0",
        entry_point="rl.envs.catcher:CatcherEnv",
        vector_entry_point="rl.envs.catcher:CatcherVectorEnv",
        max_episode_steps=10_000,  # the original's limit
        order_enforce=False,
        disable_env_checker=True,
    )
    register(
        id="rl/Bandit-v0",
        entry_point="rl.envs.bandit:BanditEnv",
        vector_entry_point="rl.envs.bandit:BanditVectorEnv",
        max_episode_steps=250,  # the article's number of plays
        order_enforce=False,
        disable_env_checker=True,
    )
    register(
        id="rl/Maze-v0",
        entry_point="rl.envs.maze:MazeEnv",
        vector_entry_point="rl.envs.maze:MazeVectorEnv",
        max_episode_steps=1_000,
        order_enforce=False,
        disable_env_checker=True,
    )
