"""How many environment steps a second does a whole training loop make on CartPole?

Workload: `python -m rl.dqn --test` and `python -m rl.a2c --test`: act, step, store, learn, log. DQN (W10)
makes one update in each step, with batch 32, 64 hidden units and one game. A2C (W10b) plays 8 games with two
hidden layers of 64 units and updates every 5 steps of each, the default of Stable-Baselines3.

Our side trains with logger, progress and last checkpoint. Each of our runs ends with one greedy game
and writes a hundred log rows, whatever its length; 30,000 steps make this fixed cost small. CleanRL's loop is
in bench/cleanrl_style.py; Stable-Baselines3 runs with its defaults and without logging. Every side plays a
short run as warm-up, and every measured run starts from nothing. One thread is the fastest for all sides.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import replace
from typing import Any

from bench.harness import compare
from bench.questions import Options, Question, Row, Side, Work

OUR_STEPS, PEER_STEPS = 30_000, 2_000  # of a run, the first STARTS of them random
OUR_A2C_STEPS, PEER_A2C_STEPS = 80_000, 4_000
STARTS, HIDDEN, GAMES, A2C_STEPS = 100, 64, 8, 5


def ours(threads: int, algorithm: str) -> Work:
    """Run rl.dqn or rl.a2c with their CartPole settings."""
    from rl import a2c, dqn

    shared = {"eval_freq": 0, "eval_episodes": 1, "save_freq": 0, "keep_going": True, "num_threads": threads}
    if algorithm == "dqn":
        own = {"total_timesteps": OUR_STEPS, "learning_starts": STARTS, "hidden": (HIDDEN,)}
        settings = dqn.Settings(**(dqn.TEST | shared | own))
        return Work(lambda: train(dqn.DQN, settings), OUR_STEPS)
    games = {"total_timesteps": OUR_A2C_STEPS, "n_steps": A2C_STEPS, "num_envs": GAMES}
    other = a2c.Settings(**(a2c.TEST | shared | games | {"hidden": (HIDDEN, HIDDEN)}))
    return Work(lambda: train(a2c.A2C, other), OUR_A2C_STEPS)


def train(algorithm: Any, settings: Any) -> None:
    """Train like the article's command, without the pictures at its end."""
    from rl.command.threads import use_threads
    from rl.runs.run import open_run

    with (
        tempfile.TemporaryDirectory() as folder,
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
    ):
        use_threads(settings.num_threads)
        learner = algorithm(settings.env_id, settings=replace(settings, out=folder))
        with open_run(learner.article, learner.settings, learner.columns) as run:
            learner.train_in(run, progress=True)


def stable_baselines(threads: int, algorithm: str) -> Work:
    """Run Stable-Baselines3's DQN or A2C."""
    import torch
    from stable_baselines3 import A2C, DQN
    from stable_baselines3.common.env_util import make_vec_env

    torch.set_num_threads(threads)
    if algorithm == "dqn":

        def run_dqn() -> object:
            settings: dict[str, Any] = {
                "learning_starts": STARTS,
                "train_freq": 1,
                "gradient_steps": 1,
                "batch_size": 32,
                "buffer_size": 50_000,
            }
            return DQN(
                "MlpPolicy",
                "CartPole-v0",
                policy_kwargs={"net_arch": [HIDDEN]},
                device="cpu",
                seed=0,
                **settings,
            ).learn(PEER_STEPS)

        return Work(run_dqn, PEER_STEPS)

    def run_a2c() -> object:
        games = make_vec_env("CartPole-v0", GAMES, seed=0)
        return A2C("MlpPolicy", games, n_steps=A2C_STEPS, device="cpu", seed=0).learn(PEER_A2C_STEPS)

    return Work(run_a2c, PEER_A2C_STEPS)


def question(id: str, algorithm: str, work: str, target: float, cleanrl: bool) -> Question:
    others = (Side("CleanRL-style torch", "bench.cleanrl_style:dqn", packages=("torch",)),) if cleanrl else ()
    return Question(
        id,
        "cartpole_loop",
        work,
        "steps/s",
        (
            Side("nnlite", "bench.cartpole_loop:ours", (algorithm,)),
            *others,
            Side(
                "stable-baselines3",
                "bench.cartpole_loop:stable_baselines",
                (algorithm,),
                ("stable_baselines3",),
            ),
        ),
        target={1: target},
        threads=(1,),
    )


QUESTIONS = (
    question("W10", "dqn", "DQN on CartPole, whole loop, an update in each step", 12.0, True),
    question("W10b", "a2c", "A2C on CartPole, whole loop, 8 games", 15.0, False),
)


def run(options: Options) -> list[Row]:
    return [row for one in QUESTIONS for row in compare(one, options)]
