"""`python -m rl export RUN model.onnx`: write the best network of a run as ONNX, check it in onnxruntime."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from tyro.conf import Positional, arg

from nnlite import Sequential, load_model, onnx_export
from nnlite.arrays import Array
from rl.command.config import read_config
from rl.command.errors import require
from rl.command.settings import NEWEST
from rl.core.observer import make_observed
from rl.runs.run_folder import BEST, find
from rl.tools.command import run_tool

STATES, GAMES = 1_000, 8
TOLERANCE = 1e-5  # of the largest output, or of 1 if that is smaller
OUTPUTS = {
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


@dataclass(frozen=True)
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
    summary = f"Writes the best network of a run as ONNX and checks it on {STATES:,} states in onnxruntime."
    return run_tool("export", Settings, run, argv, summary, EXAMPLES)


def run(settings: Settings) -> int:
    """Write the file, run it, print its input and output; 1 when its outputs differ from our network's."""
    path = Path(settings.path)
    require_onnx()
    require(path.suffix == ".onnx", f"the file is called {path}", "give it a name that ends in .onnx")
    require(path.parent.is_dir(), f"there is no folder {path.parent}", "make it, or write somewhere else")
    folder = find_folder(settings.run)
    config = read_config(folder)
    article, env_id = str(config.get("article")), config["settings"].get("env_id")
    model = load_model(folder / BEST)
    if env_id:
        names = ("max_episode_steps", "frame_stack", "action_repeat")
        games = {name: config["settings"][name] for name in names if name in config["settings"]}
        states = play_states(model, str(env_id), **games)
    else:
        states = draw_states(model)
    output = OUTPUTS.get(article, "")
    notes = {"article": f"rl.{article}", "output": output}
    onnx_export.save_onnx(model, path, notes | ({"environment": str(env_id)} if env_id else {}))
    print(f"{path}, {path.stat().st_size / 1e3:,.0f} kB")
    print(f"  input   {axes(model.input_shape)} {'uint8' if states.dtype == np.uint8 else 'float32'}")
    print(f"  output  {axes(model.output_shape)} float32: {output or 'the output of the network'}")
    return check(model, path, states, "states of played games" if env_id else "random inputs")


def check(model: Sequential, path: Path, states: Array, kind: str) -> int:
    """Compare the file in onnxruntime with the network, print the difference; 1 if it is too large."""
    worst, largest = onnx_export.worst_difference(model, path, states)
    print(
        f"onnxruntime on {len(states):,} {kind}: the worst difference is {worst:.1e}, the largest output "
        f"{largest:.3g}"
    )
    if worst <= TOLERANCE * max(1.0, largest):
        print(f"equal within {TOLERANCE:g}")
        return 0
    print(f"NOT equal within {TOLERANCE:g}: do not use the file")
    return 1


def axes(shape: tuple[int, ...]) -> str:
    """Format a shape with its batch axis: (N, 4)."""
    return f"(N, {', '.join(map(str, shape))})"


def require_onnx() -> None:
    """Raise UsageError unless both packages are installed."""
    for package in ("onnx", "onnxruntime"):
        found = importlib.util.find_spec(package) is not None
        require(found, f"the package {package} is missing", "pip install onnx onnxruntime")


def find_folder(wanted: str) -> Path:
    """Find a run's folder, or the newest run of an article."""
    require(wanted != "", "no run is named", "give the folder of a run, or the name of an article: dqn")
    if wanted in OUTPUTS and not Path(wanted).exists():
        return find(wanted, "runs", NEWEST, BEST)
    found = (Path(wanted) / BEST).is_file()
    require(found, f"no {BEST} in {wanted}", "give the folder of a run that has one")
    return Path(wanted)


def play_states(model: Sequential, env_id: str, **games: Any) -> Array:
    """Play games for STATES observations; every second action is random, on average, the others greedy.

    games  arguments of make_observed
    """
    envs, rng = make_observed(env_id, GAMES, **games), np.random.default_rng(0)
    observations, _ = envs.reset(seed=0)
    actions, seen = int(envs.single_action_space.n), [observations]  # type: ignore[attr-defined]
    while len(seen) * GAMES < STATES:
        best = model.predict(observations)[:, :actions].argmax(axis=1)
        chosen = np.where(rng.random(GAMES) < 0.5, best, rng.integers(actions, size=GAMES))
        observations = envs.step(chosen)[0]
        seen.append(observations.copy())
    envs.close()
    return np.concatenate(seen)[:STATES]


def draw_states(model: Sequential) -> Array:
    """Draw STATES random inputs: bytes for a network that reads bytes, else standard normal numbers."""
    rng, shape = np.random.default_rng(0), (STATES, *model.input_shape)
    if getattr(model.layers[0], "accepts_bytes", False):
        return rng.integers(0, 256, shape, np.uint8)
    return rng.standard_normal(shape, np.float32)
