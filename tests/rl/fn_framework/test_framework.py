"""The articles' framework: what an Observer shows, what an agent chooses, when a Trainer calls its hooks."""

from pathlib import Path

import gymnasium
import numpy as np
import pytest

import nnlite as K
from rl.command.errors import UsageError
from rl.command.notes import Note
from rl.fn_framework import Experience, FNAgent, Logger, Observer, Trainer
from tests.rl.games import Game


class Short(Game):
    """Three steps, each paid with its number."""

    length = 3

    def pay(self, action):
        return float(self.t)


class Cut(Short):
    """The same, ended by a time limit."""

    cut = True


class Old:
    """An environment of the old gym: a state alone, four values."""

    action_space = gymnasium.spaces.Discrete(2)
    rendered = 0

    def reset(self):
        self.t = 0
        return self.t

    def step(self, action):
        self.t += 1
        return self.t, 1.0, self.t == 3, {"t": self.t}

    def render(self):
        self.rendered += 1


class Tens(Observer):
    def transform(self, state):
        return 10 * np.asarray(state)


class Still(FNAgent):
    """Always action 0, without a model."""

    def initialize(self, experiences):
        self.initialized = True

    def estimate(self, s):
        return [1.0, 0.0]


class Diary(Trainer):
    """Writes down each call of a hook."""

    def __init__(self, **options):
        super().__init__(**options)
        self.calls = []

    def episode_begin(self, episode, agent):
        self.calls.append(f"begin {episode}")

    def begin_train(self, episode, agent):
        self.calls.append(f"train {episode}")

    def step(self, episode, step_count, agent, experience):
        assert self.experiences[-1] is experience
        self.calls.append(f"step {step_count}{'+' if self.training else ''}")

    def episode_end(self, episode, step_count, agent):
        self.calls.append(f"end {step_count}")


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# --- environments


@pytest.mark.parametrize("env", [Tens(Short()), Tens(Old()), Tens(Tens(Old()))])
def test_an_observer_shows_one_state_and_four_values(env):
    scale = 100 if isinstance(env._env, Tens) else 10
    assert env.reset() == 0
    for t in (1, 2, 3):
        state, reward, done, info = env.step(0)
        assert state == scale * t and done is (t == 3)
    assert env.action_space.n == 2


@pytest.mark.parametrize("game, only_time", [(Short, False), (Cut, True)])
def test_a_time_limit_ends_the_episode_and_is_no_end_of_the_game(game, only_time):
    for env in (game(), Tens(game())):
        trainer = Trainer()
        trainer.train_loop(env, Still(1.0, [0, 1]), episode=2)
        assert [e.d for e in trainer.experiences] == 2 * [False, False, not only_time]
    env.reset()
    infos = [env.step(0)[3] for _ in range(3)]
    assert infos == [{}, {}, {"TimeLimit.truncated": only_time}]


def test_an_observer_with_a_step_of_four_values_of_its_own():
    class Halved(Tens):
        def step(self, action):
            state, reward, done, info = super().step(action)
            return state, reward / 2, done, info

    trainer = Trainer()
    trainer.train_loop(Halved(Cut()), Still(0.0, [0, 1]), episode=1)
    assert [(e.r, e.d) for e in trainer.experiences] == [(0.5, False), (1.0, False), (1.5, False)]


def test_steps_of_other_lengths_are_refused():
    env = Short()
    env.step = lambda action: (0, 1.0, False)
    with pytest.raises(ValueError, match="3 values; give state, reward, done and info"):
        Still(0.0, [0, 1]).play(env, render=False)


@pytest.mark.parametrize("name", ["initialize", "estimate", "update", "transform"])
def test_what_a_subclass_leaves_out_is_named(name):
    thing = Observer(Old()) if name == "transform" else FNAgent(0.0, [0])
    with pytest.raises(NotImplementedError, match=f"{type(thing).__name__} has no {name}"):
        getattr(thing, name)(*[0] * (2 if name == "update" else 1))


# --- agents


def agent_of(estimates, epsilon=0.0, probabilities=False):
    agent = FNAgent(epsilon, list(range(len(estimates))))
    agent.estimate = lambda s: estimates
    agent.initialized, agent.estimate_probs = True, probabilities
    agent.rng = np.random.default_rng(0)
    return agent


def shares(agent, count=2000):
    return np.bincount([agent.policy(0) for _ in range(count)], minlength=len(agent.actions)) / count


@pytest.mark.parametrize(
    "agent, wanted",
    [
        (agent_of([0, 2, 1]), [0, 1, 0]),
        (agent_of([2, 0, 2]), [0.5, 0, 0.5]),
        (agent_of([0, 2, 1], epsilon=0.3), [0.1, 0.8, 0.1]),
        (agent_of([0.2, 0.5, 0.3], probabilities=True), [0.2, 0.5, 0.3]),
        (agent_of(np.float32([0.2, 0.5, 0.3]), epsilon=1.0, probabilities=True), [1 / 3] * 3),
    ],
)
def test_a_policy_draws_the_best_or_by_chance(agent, wanted):
    np.testing.assert_allclose(shares(agent), wanted, atol=0.04)


def test_before_initialize_every_action_is_random():
    agent = FNAgent(0.0, [0, 1])
    np.testing.assert_allclose(shares(agent), [0.5, 0.5], atol=0.04)


def test_estimates_that_cannot_be_compared_are_refused():
    agent = agent_of([1.0, 2.0])
    agent.estimate = lambda s: [[1.0, 2.0]]
    with pytest.raises(ValueError, match=r"\(1, 2\), not one number for each"):
        agent.policy(0)
    with pytest.raises(FloatingPointError, match="nan"):
        agent_of([1.0, np.nan]).policy(0)


def test_an_agent_is_saved_and_loaded():
    agent = FNAgent(0.5, [0, 1])
    with pytest.raises(UsageError, match="no model yet"):
        agent.save("agent.h5")
    agent.model = K.Sequential([K.layers.Dense(2, input_shape=(1,))], seed=0)
    agent.save("agent.h5")
    loaded = Still.load(Tens(Short()), "agent.h5")
    assert isinstance(loaded, Still) and loaded.initialized and loaded.actions == [0, 1]
    assert loaded.epsilon == 0.0001 and np.array_equal(loaded.model.params, agent.model.params)
    Path("text.h5").write_text("no model")
    with pytest.raises(ValueError):
        Still.load(Short(), "text.h5")
    with pytest.raises(UsageError, match="the actions are Box"):
        Still.load(gymnasium.make("Pendulum-v1"), "agent.h5")


def test_played_games_are_reported(capsys):
    assert Still(0.0, [0, 1]).play(Tens(Short()), episode_count=2, render=False) == [6.0, 6.0]
    assert capsys.readouterr().out == "Get reward 6.0.\nGet reward 6.0.\n"


def test_a_game_is_shown_where_it_can_be():
    old, agent = Old(), Still(0.0, [0, 1])
    agent.play(Tens(old), episode_count=2)
    assert old.rendered == 6
    Trainer().train_loop(old, agent, episode=1, render=True)
    assert old.rendered == 9
    for env in (Short(), Tens(Short())):
        with pytest.warns(Note, match='render_mode="human"') as notes:
            agent.play(env, episode_count=2)
        assert len(notes) == 1


@pytest.mark.filterwarnings("error::rl.command.notes.Note")
def test_a_window_is_not_drawn_twice():
    env, drawn = Short(), []
    env.render = lambda: drawn.append(env.render_mode)
    for env.render_mode in ("human", "rgb_array"):
        Still(0.0, [0, 1]).play(Tens(env), episode_count=1)
    assert drawn == ["rgb_array"] * 3


# --- trainers


def test_hooks_are_called_in_their_order():
    trainer = Diary(buffer_size=5)
    trainer.train_loop(Short(), Still(1.0, [0, 1]), episode=3)
    first = ["begin 0", "step 0", "step 1", "step 2", "end 3"]
    second = ["begin 1", "step 0", "train 1", "step 1+", "step 2+", "end 3"]
    assert trainer.calls == [*first, *second, "begin 2", "step 0+", "step 1+", "step 2+", "end 3"]
    assert trainer.training_count == 2 and len(trainer.experiences) == 5
    assert trainer.experiences[-1] == Experience([2], trainer.experiences[-1].a, 3.0, [3], True)


def test_training_begins_after_the_initial_episodes():
    trainer = Diary()
    trainer.train_loop(Short(), Still(1.0, [0, 1]), episode=4, initial_count=2)
    assert [call for call in trainer.calls if call[0] in "bt"] == ["begin 0", "begin 1", "begin 2"] + [
        "train 2",
        "begin 3",
    ]
    assert trainer.training_count == 2
    trainer.train_loop(Short(), Still(1.0, [0, 1]), episode=1)
    assert not trainer.training and len(trainer.experiences) == 3  # each loop begins anew


def test_a_trainer_may_keep_experiences_of_its_own():
    class OfEpisode(Trainer):
        def episode_begin(self, episode, agent):
            self.experiences = []

    trainer = OfEpisode()
    trainer.train_loop(Short(), Still(0.0, [0, 1]), episode=2)
    assert [e.r for e in trainer.experiences] == [1, 2, 3]
    assert [e.r for e in trainer.get_recent(2)] == [2, 3] and trainer.get_recent(0) == []


def test_recent_experiences_must_be_in_the_buffer():
    trainer = Trainer(buffer_size=4)
    trainer.train_loop(Short(), Still(0.0, [0, 1]), episode=2)
    assert [e.r for e in trainer.get_recent(4)] == [3, 1, 2, 3]
    with pytest.raises(UsageError, match="5 experiences wanted, 4 are held\n.*buffer_size"):
        trainer.get_recent(5)


def test_events():
    assert [count for count in range(10) if Trainer().is_event(count, 3)] == [3, 6, 9]


def test_a_trainer_is_called_by_its_class():
    for name, called in [("DeepQNetworkTrainer", "deep_q_network"), ("A2CTrainer", "a2_c"), ("Vf", "vf")]:
        trainer = type(name, (Trainer,), {})()
        assert trainer.trainer_name == called and Path("logs", called).is_dir()


@pytest.mark.parametrize(
    "argument", [{"buffer_size": 0}, {"batch_size": 1.5}, {"gamma": -1}, {"report_interval": 0}]
)
def test_arguments_that_make_no_sense_are_refused(argument):
    with pytest.raises(ValueError, match=next(iter(argument))):
        Trainer(**argument)
    assert not Path("logs").exists()


def test_screens_of_some_episodes_become_images():
    class Screens(Observer):
        def transform(self, state):
            return np.full((2, 2, 4), np.asarray(state).item())

    trainer, written = Trainer(buffer_size=3), []
    trainer.logger.write_image = lambda index, frames: written.append((index, [f[0, 0, 0] for f in frames]))
    trainer.train_loop(Screens(Short()), Still(0.0, [0, 1]), episode=8, observe_interval=3)
    assert written == [(1, [0, 1, 2]), (3, [0, 1, 2]), (6, [0, 1, 2])]


def test_one_seed_repeats_random_actions_and_games():
    def run(seed):
        trainer, agent = Trainer(seed=seed), FNAgent(0.0, [0, 1])
        trainer.train_loop(Tens(gymnasium.make("CartPole-v1")), agent, episode=3)
        played = agent.play(gymnasium.make("CartPole-v1"), 3, render=False, seed=seed)
        return [(*e.s, e.a) for e in trainer.experiences], played

    assert run(1) == run(1)
    assert run(1)[0][0] != run(2)[0][0] and run(1)[1] != run(2)[1]


# --- loggers


class Board:
    """In place of a SummaryWriter: keeps what it is given."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        return lambda *arguments, **options: self.calls.append((name, *arguments))


@pytest.fixture
def logger():
    logger = Logger("here/there", "run")
    logger.__dict__["writer"] = Board()
    return logger


def test_a_folder_is_made_and_files_have_their_paths_in_it(logger):
    assert logger.log_dir == str(Path("here/there/run")) and Path(logger.log_dir).is_dir()
    assert logger.path_of("agent.h5") == str(Path("here/there/run/agent.h5"))


def test_reports_say_when_and_how_much(logger, capsys):
    logger.describe("reward", [1, 2, 4], episode=20)
    logger.describe("loss", [0.5], step=3)
    logger.describe("loss", [0.5])
    assert capsys.readouterr().out.splitlines() == [
        "At episode 20, reward is 2.333 (+/-1.247)",
        "At step 3, loss is 0.5 (+/-0.0)",
        "loss is 0.5 (+/-0.0)",
    ]


@pytest.mark.filterwarnings("error")
def test_a_plot_is_a_file_too(logger):
    logger.plot("Rewards", list(range(25)), 10)
    assert Path(logger.path_of("rewards.png")).read_bytes().startswith(b"\x89PNG")


def test_scalars_models_and_screens_go_to_the_board(logger):
    logger.write(3, "reward", 1.5)
    logger.set_model(K.Sequential([K.layers.Dense(2, input_shape=(1,), name="last")]))
    logger.set_model({"a": 1})
    dark = np.stack([np.full((2, 3), -9.0), [[0, 1, 2], [3, 4, 5]]], axis=-1)
    logger.write_image(7, [dark, dark / 2])
    logger.write_image(8, [dark - 5.0, 0 * dark])
    scalar, model, other, *images = logger.writer.calls
    assert scalar == ("add_scalar", "reward", 1.5, 3)
    assert "    last (Dense) " in model[2] and other[2] == "    {'a': 1}\n"
    assert [image[1::2] for image in images] == [
        ("frames_at_training_7", 0),
        ("frames_at_training_7", 1),
        ("frames_at_training_8", 0),
        ("frames_at_training_8", 1),
    ]
    assert [image[2].tolist() for image in images] == [
        [[0, 51, 102], [153, 204, 255]],
        [[0, 25, 51], [76, 102, 127]],
        [[1, 26, 51], [77, 102, 128]],
        [[128] * 3] * 2,
    ]
    with pytest.raises(ValueError, match=r"\(4,\) are no screens"):
        logger.write_image(9, [np.zeros(4)])


def test_black_screens_are_black(logger):
    logger.write_image(1, [np.zeros((2, 2, 1))])
    assert not logger.writer.calls[0][2].any()


def test_the_board_begins_when_it_is_used():
    logger = Logger()
    assert not list(Path("logs").iterdir())
    logger.write(1, "reward", 2.0)
    logger.writer.close()
    (events,) = Path("logs").iterdir()
    assert b"reward" in events.read_bytes()
