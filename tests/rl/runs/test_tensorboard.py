"""The TensorBoard files of a run, read back by TensorBoard itself."""

import io

import numpy as np
import pytest
from PIL import Image

from rl.runs.logger import Logger
from tests.processes import run_python
from tests.rl.helpers import ALGORITHMS, train

pytest.importorskip("tensorboard", reason="needs tensorboard: pip install -e '.[dev]'")
event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

COMMON = {"time/fps", "time/episodes", "rollout/ep_rew_mean", "rollout/ep_len_mean", "eval/score"}
SMALL = {"num_envs": 2, "eval_episodes": 2, "num_threads": 1, "keep_going": True}
CARTPOLE = {**SMALL, "max_episode_steps": 50, "total_timesteps": 400, "eval_freq": 200}
CATCHER = {**SMALL, "max_episode_steps": 30, "total_timesteps": 200, "eval_freq": 100}
LEARNS = {"learning_starts": 40, "buffer_size": 400}
Q, ENTROPY = "train/q_values", "train/policy_entropy"
RUNS = {
    "dqn": ({**CARTPOLE, **LEARNS, "env_id": "CartPole-v0"}, Q),
    "value_function": ({**CARTPOLE, **LEARNS}, Q),
    "a2c": (CATCHER, ENTROPY),
    "policy_gradient": (CARTPOLE, ENTROPY),
}


def read(folder):
    all_of_them = {"images": 0, "histograms": 0, "scalars": 0}
    return event_accumulator.EventAccumulator(str(folder), size_guidance=all_of_them).Reload()


@pytest.mark.parametrize("name", RUNS)
def test_tensorboard_finds_scalars_pictures_and_histograms(name, tmp_path, no_pictures):
    settings, histogram = RUNS[name]
    board = read(train(name, **settings, out=str(tmp_path)).folder)
    tags = board.Tags()
    assert set(tags["scalars"]) >= COMMON | set(ALGORITHMS[name].metrics)
    assert len(board.Scalars("eval/score")) >= 2  # of every evaluation
    assert ("eval/mean_reward" in tags["scalars"]) == (settings is not CATCHER)  # whose goal is no mean
    losses = board.Scalars("train/loss")
    assert len(losses) > 5 and all(np.isfinite(event.value) for event in losses)
    assert tags["histograms"] == [histogram]
    last = board.Histograms(histogram)[-1]
    assert last.step == settings["total_timesteps"] and last.histogram_value.num > 1
    if histogram == ENTROPY:
        assert 0 <= last.histogram_value.min <= last.histogram_value.max <= np.log(3) + 1e-6
    if settings is CATCHER:
        assert tags["images"] == ["rollout/observation"]
        strip = Image.open(io.BytesIO(board.Images("rollout/observation")[-1].encoded_image_string))
        assert strip.size == (4 * 80, 80) and np.asarray(strip).max() > 0
    else:
        assert not tags["images"]


def test_a_histogram_is_that_of_its_numbers(tmp_path):
    logger = Logger(tmp_path, "CartPole-v0", ("train/loss",))
    logger.write_histogram(7, "train/q_values", np.array([[1.0, 2.0], [3.0, 6.0]], np.float32))
    logger.close()
    (event,) = read(tmp_path).Histograms("train/q_values")
    told = event.histogram_value
    assert (event.step, told.num, told.min, told.max, told.sum, told.sum_squares) == (7, 4, 1, 6, 12, 50)


def test_logging_does_not_bring_pytorch_along(tmp_path):
    code = (
        "import sys; from pathlib import Path; from rl.runs.logger import Logger; "
        "Logger(Path(sys.argv[1]), 'CartPole-v0', ('train/loss',)).close(); "
        "assert 'tensorboardX' in sys.modules; print('torch' in sys.modules)"
    )
    assert run_python("-c", code, tmp_path).stdout == "False\n"
