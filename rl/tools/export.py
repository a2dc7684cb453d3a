"""`python -m rl export RUN model.onnx`: the best network of a run as an ONNX file, compared with ours in
onnxruntime.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from tyro.conf import Positional, arg

from nnlite import Sequential, load_model
from nnlite.arrays import Array
from rl.command.config import read_config
from rl.command.errors import require
from rl.command.settings import NEWEST
from rl.runs.run_folder import BEST, find
from rl.tools.command import tool

STATES, GAMES = 1_000, 8
TOLERANCE = 1e-5  # of the largest output, or of 1 where that is smaller
GIVES = {
    "value_function": "the value of each action",
    "dqn": "the value of each action",
    "policy_gradient": "the logits of the actions; softmax makes probabilities of them",
    "a2c": "the logits of the actions, then the value of the state",
    "digits": "the probabilities of the digits 0 to 9",
}
EXAMPLES = (
    "python -m rl export dqn catcher.onnx      the newest run of rl.dqn in runs/",
    "python -m rl export runs/RUN model.onnx   that run",
)


@dataclass
class Settings:
    """Which run, and where the file goes."""

    run: Annotated[Positional[str], arg(metavar="RUN")] = ""
    """folder of a run of value_function, dqn, policy_gradient, a2c or digits; or the article's name: its
    newest run in runs/
    """
    path: Annotated[Positional[str], arg(metavar="MODEL.onnx")] = "model.onnx"
    """the file to write"""


def main(argv: list[str]) -> int:
    """Run the tool; returns its exit code."""
    summary = (
        f"Writes the best network of a run as an ONNX file and compares both on {STATES:,} states "
        "in onnxruntime."
    )
    return tool("export", Settings, run, argv, summary, EXAMPLES)


def run(settings: Settings) -> int:
    """Write, compare, say what the file reads and gives; 1 when it computes something else than our
    network.
    """
    path = Path(settings.path)
    for package in ("onnx", "onnxruntime"):
        require(
            importlib.util.find_spec(package) is not None,
            f"the package {package} is missing",
            "pip install onnx onnxruntime",
        )
    require(path.suffix == ".onnx", f"the file is called {path}", "give it a name that ends in .onnx")
    require(path.parent.is_dir(), f"there is no folder {path.parent}", "make it, or write somewhere else")
    folder = folder_of(settings.run)
    from nnlite.onnx_export import save_onnx, worst_difference

    config = read_config(folder)
    article, env_id = str(config.get("article")), config["settings"].get("env_id")
    model = load_model(folder / BEST)
    notes = {"article": f"rl.{article}", "output": GIVES.get(article, "")} | (
        {"environment": str(env_id)} if env_id else {}
    )
    states = (
        played(model, str(env_id), int(config["settings"].get("max_episode_steps", 0)))
        if env_id
        else drawn(model)
    )
    save_onnx(model, path, notes)
    worst, largest = worst_difference(model, path, states)
    print(f"{path}, {path.stat().st_size / 1e3:,.0f} kB")
    print(
        f"  input   (N, {', '.join(map(str, model.input_shape))}) "
        f"{'uint8' if states.dtype == np.uint8 else 'float32'}"
    )
    print(
        f"  output  (N, {', '.join(map(str, model.output_shape))}) float32: "
        f"{GIVES.get(article, 'what the network gives')}"
    )
    kind = "states of played games" if env_id else "random inputs"
    print(
        f"onnxruntime on {len(states):,} {kind}: the worst difference is {worst:.1e}, the largest output "
        f"{largest:.3g}"
    )
    good = worst <= TOLERANCE * max(1.0, largest)
    print(f"equal within {TOLERANCE:g}" if good else f"NOT equal within {TOLERANCE:g}: do not use the file")
    return 0 if good else 1


def folder_of(wanted: str) -> Path:
    """A run's folder, or the newest one of the article that is named."""
    require(wanted != "", "no run is named", "give the folder of a run, or the name of an article: dqn")
    if wanted in GIVES and not Path(wanted).exists():
        return find(wanted, "runs", NEWEST, BEST)
    require(
        (Path(wanted) / BEST).is_file(), f"no {BEST} in {wanted}", "give the folder of a run that has one"
    )
    return Path(wanted)


def played(model: Sequential, env_id: str, max_episode_steps: int) -> Array:
    """STATES observations of games whose moves are, each as likely, the network's first choice or random."""
    from rl.core.observer import make_observed

    envs, rng = make_observed(env_id, GAMES, max_episode_steps), np.random.default_rng(0)
    observations, _ = envs.reset(seed=0)
    actions, seen = int(envs.single_action_space.n), [observations]  # type: ignore[attr-defined]
    while len(seen) * GAMES < STATES:
        best = model.predict(observations)[:, :actions].argmax(axis=1)
        chosen = np.where(rng.random(GAMES) < 0.5, best, rng.integers(actions, size=GAMES))
        observations = envs.step(chosen)[0]
        seen.append(observations.copy())
    envs.close()
    return np.concatenate(seen)[:STATES]


def drawn(model: Sequential) -> Array:
    """STATES random inputs: bytes for a network that reads bytes, else numbers of mean 0 and deviation 1."""
    rng, shape = np.random.default_rng(0), (STATES, *model.input_shape)
    if getattr(model.layers[0], "accepts_bytes", False):
        return rng.integers(0, 256, shape, np.uint8)
    return rng.standard_normal(shape, np.float32)
