"""The table of docs/migration.md, row by row: a line that replaces an old one runs where a listing has it."""

import re
from pathlib import Path

import gymnasium
import matplotlib.pyplot as plt
import numpy as np
import pytest

import nnlite as K
import rl
from rl.fn_framework import FNAgent
from rl.housing import data as housing_data

ROOT = Path(__file__).parents[1]
OLD = re.compile(r"`([^`]+)`")
BOTH = ("docs/migration.md", "docs/ja/migration.md")
NOTHING = ("nothing", "不要")  # opens the last column of a row that needs no line


def rows(page):
    """(old lines, new lines, whether nothing is needed) of each row of the first table."""
    table = (ROOT / page).read_text(encoding="utf-8").split("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    assert len(cells) >= 25 and all(len(row) == 3 for row in cells)
    return [(OLD.findall(row[0]), OLD.findall(row[2]), row[2].startswith(NOTHING)) for row in cells]


MODEL = """
model = K.Sequential([K.layers.Dense(3, input_shape=(4,))], seed=0)
x, dy, values, rewards = np.ones((2, 4)), np.ones((2, 3)), np.ones((5, 1)), np.zeros((5, 1))
agent = FNAgent(0.1, [0, 1, 2])
agent.model = model
"""
GAME = """
env = gymnasium.make("CartPole-v1")
env.reset(seed=0)
a = 1
"""
PICTURE = """
plt.figure()
circle, = plt.plot([0.5], [2.5], marker="o")
x, y = 1.5, 0.5
"""
WRITER = """
from tensorboardX import SummaryWriter
writer, value, index, image = SummaryWriter("logs"), 1.0, 3, np.zeros((8, 8), np.uint8)
"""
RUNS = {  # first old line: (what a listing has before the new ones, what must hold after them)
    "from tensorflow.python import keras as K": ("", "K.Sequential([K.layers.Dense(1, input_shape=(2,))])"),
    "K.backend.function(inputs, outputs, updates=...)": (
        MODEL + "optimizer, before = K.optimizers.SGD(), model.get_weights()[0]",
        "assert y.shape == (2, 3) and (model.get_weights()[0] != before).all()",
    ),
    "tf.losses.mean_squared_error(rewards, values)": (
        MODEL,
        "with pytest.raises(ValueError): K.losses.mean_squared_error(values, rewards[:, 0])",
    ),
    "K.Model(inputs=model.input, outputs=[actions, action_evals, values])": ("actions = 2", ""),
    "tf.one_hot": ("", "policy_loss(np.zeros((2, 3)), np.array([0, 2]), np.ones(2))"),
    "class SampleLayer(K.layers.Layer)": ("", "sample_actions(np.zeros((5, 3)), np.random.default_rng())"),
    "K.optimizers.Adam(lr=1e-4, clipvalue=1.0)": (
        "",
        "assert K.optimizers.Adam(lr=0.1).lr == 0.1",
    ),
    'agent.model.save("dqn_agent.h5")': (
        MODEL,
        "agent.model.save('dqn_agent.h5')\n"
        "assert open('dqn_agent.h5', 'rb').read() == open('dqn_agent.safetensors', 'rb').read()",
    ),
    "K.models.load_model(path, custom_objects=...)": (MODEL + "path = 'agent'; model.save(path)", ""),
    "K.callbacks.TensorBoard(log_dir).writer": ("log_dir = 'logs'", "writer.close()"),
    "summary.value.add()": (WRITER, "writer.close()"),
    "tf.Summary.Image(...)": (WRITER, "writer.close()"),
    "from fn_framework import FNAgent, Trainer, Observer, Experience": (
        "",
        "Experience(0, 1, 1.0, 0, False), FNAgent(0.1, [0, 1]), Observer(None), Trainer().logger.describe",
    ),
    "import gym": ("", "gym.make('CartPole-v1')"),
    "import gym_ple": ("", "gymnasium.make('rl/Catcher-v0').reset()"),
    'gym.make("Catcher-v0")': ("import gymnasium as gym", ""),
    'gym.make("CartPole-v0")': ("import gymnasium as gym", ""),
    "s = env.reset()": (GAME, "assert s.shape == (4,) and not info"),
    "n_state, reward, done, info = env.step(a)": (GAME, "assert n_state.shape == (4,) and reward == 1"),
    "while not done:": ("terminated, truncated = False, True", "assert done"),
    "env.render()": ("import gymnasium as gym", "gym.make('CartPole-v1', render_mode='human').reset()"),
    "from sklearn.externals import joblib": (
        "",
        "joblib.dump([1], 'file'); joblib.load('file')",
    ),
    "from sklearn.datasets import load_boston": ("", "assert X.shape == (506, 13) and y.shape == (506,)"),
    "circle.set_data(x, y)": (PICTURE, "plt.gcf().canvas.draw(); assert circle.get_xdata() == [1.5]"),
    "plt.tick_params(bottom='off', left='off')": (PICTURE, "assert not plt.gca().get_frame_on()"),
    "import pandas as pd": (
        "rewards = np.tile(np.arange(250), 1000); y_test, predicts = np.zeros(5), np.zeros((5, 1))",
        "assert np.array_equal(mean, np.arange(250))",
    ),
}


@pytest.fixture
def listing(tmp_path, monkeypatch):
    """The names of a listing's module, in a folder of its own, without a network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(housing_data, "from_openml", lambda: housing_data.synthetic(np.random.default_rng(0)))
    yield {
        "np": np,
        "plt": plt,
        "K": K,
        "gymnasium": gymnasium,
        "rl": rl,
        "FNAgent": FNAgent,
        "pytest": pytest,
    }
    plt.close("all")


@pytest.mark.filterwarnings("ignore:.*The environment CartPole-v0 is out of date")
@pytest.mark.parametrize(("old", "new", "nothing"), rows(BOTH[0]), ids=lambda cell: str(cell)[:40])
def test_lines_that_replace_old_ones_run(old, new, nothing, listing):
    assert new or nothing
    before, after = RUNS[old[0]] if new else ("", "")
    for line in (before, *new, after):
        exec(line, listing)


def test_both_languages_replace_the_same_lines():
    assert rows(BOTH[0]) == rows(BOTH[1])


def test_no_place_is_left_over():
    assert set(RUNS) == {old[0] for old, new, _ in rows(BOTH[0]) if new}
