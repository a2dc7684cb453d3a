"""--play: a run's agent, shown in files, in a notebook, or not at all."""

import html
import os
from dataclasses import asdict, dataclass

import pytest

from rl.command.settings import AgentSettings
from rl.core.agent import Agent
from rl.core.networks import make_network
from rl.core.seeding import streams
from rl.runs import run_folder
from rl.training import command
from rl.training.algorithm import Algorithm
from rl.watch import play
from rl.watch.stage import Stage
from tests.rl.watch.scripted import lazy


def test_a_replay_is_small(tmp_path):
    play.record(tmp_path, lazy(3), lambda: Stage("rl/Catcher-v0", 200, 0), "Catcher")
    assert all(1_000 < (tmp_path / name).stat().st_size < 500_000 for name in ("replay.gif", "replay.html"))


@dataclass(frozen=True)
class OwnSettings(AgentSettings):
    env_id: str = "rl/Catcher-v0"
    hidden: tuple[int, ...] = (5,)


class Small(Agent):
    def __init__(self, observations, actions, settings, rngs, own=None):
        self.model = make_network(observations, int(actions.n), settings.hidden, rngs.network)

    def preferences(self, observations):
        return self.model.predict(observations)


class Lazy(Algorithm):
    article, settings_class, agent_class, metrics = "small", OwnSettings, Small, ()


def trained(tmp_path, **changes):
    """A run folder with the model of settings that are not the article's defaults."""
    settings = OwnSettings(**{"out": str(tmp_path), "env_id": "CartPole-v0", "hidden": (3, 4), **changes})
    folder = run_folder.create(settings.out, "small", settings.env_id, settings.seed, asdict(settings))
    envs = Stage(settings.env_id, seed=0).envs
    agent = Small(envs.single_observation_space, envs.single_action_space, settings, streams(0))
    agent.save(folder / "best.safetensors")
    return folder


def show(tmp_path, play_it="newest", **changes):
    settings = OwnSettings(**{"out": str(tmp_path), "play": str(play_it), **changes})
    command.show(Lazy, settings, changes.get("env_id"))


@pytest.mark.parametrize("newest", [True, False])
def test_without_a_screen_files_are_written_and_named(tmp_path, capsys, no_screen, newest):
    folder = trained(tmp_path, max_episode_steps=9)
    show(tmp_path, "newest" if newest else folder)
    said = capsys.readouterr().out
    assert "longer game" not in said and said.count("Get reward 9.0.\n") == play.PLAYED_GAMES
    for name in ("replay.gif", "replay.html"):
        assert str(folder / name) in said and (folder / name).is_file()
    assert not (folder / "saliency.png").exists()


def test_a_network_that_reads_screens_shows_where_it_looks(tmp_path, capsys, no_screen):
    folder = trained(tmp_path, env_id="rl/Catcher-v0", max_episode_steps=6)
    show(tmp_path)
    said = capsys.readouterr().out
    for name in ("saliency.png", "filters.png"):
        assert str(folder / name) in said and (folder / name).stat().st_size > 5_000


def test_a_notebook_shows_the_page_inline(tmp_path, notebook):
    folder = trained(tmp_path, max_episode_steps=9)
    show(tmp_path)
    (shown,) = notebook
    assert (folder / "replay.html").read_text(encoding="utf-8") in html.unescape(shown)


def test_without_a_model_the_error_says_how_to_train_one(tmp_path):
    message = r"(?s)no trained model of small in .*\n  train one: python -m small"
    with pytest.raises(ValueError, match=message):
        show(tmp_path)


def test_another_environment_means_its_newest_run(tmp_path, no_screen):
    trained(tmp_path, max_episode_steps=9)
    with pytest.raises(ValueError, match="no trained model"):
        show(tmp_path, env_id="CartPole-v1")


@pytest.mark.parametrize(
    "flags, shown, other",
    [
        ("", "CartPole-v0", True),
        ("--env-id rl/Catcher-v0", "rl/Catcher-v0", False),
        ("--env-id CartPole-v0", "CartPole-v0", False),
        ("--env-id=CartPole-v1", "CartPole-v1", False),
    ],
)
def test_the_command_says_which_run_it_shows(flags, shown, other, tmp_path, capsys, monkeypatch):
    for age, env_id in enumerate(("CartPole-v0", "CartPole-v1", "rl/Catcher-v0")):
        model = trained(tmp_path, env_id=env_id, max_episode_steps=9) / "best.safetensors"
        os.utime(model, (1e9 - age, 1e9 - age))
    monkeypatch.setattr(Lazy, "play", lambda *_: None)
    command.run(Lazy, "A test.", (), argv=["--play", *flags.split(), "--out", str(tmp_path)])
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith(f"small on {shown}, the best model of {tmp_path}")
    assert rest == (
        ["this is the newest run; --play --env-id rl/Catcher-v0 shows the newest on it, --play RUN any other"]
        if other
        else []
    )
