"""The window of --play: what it shows, and what its keys do; on a screen that does not exist."""

import numpy as np
import pytest

from rl.core.agent import Agent
from rl.core.networks import make_network
from rl.core.seeding import streams
from rl.envs import window
from rl.watch import play, play_window
from rl.watch.controls import Controls
from rl.watch.stage import Stage

pygame = window.pygame


@pytest.fixture
def dummy_screen():
    yield
    window.pygame.display.quit()


def scripted_keys(monkeypatch, script):
    """Press the keys of {turn: (key, text)} and note what the window showed at each turn."""
    shown = []
    read = play_window.PlayWindow.read_keys

    def press_and_read(self):
        if len(shown) in script:
            key, text = script[len(shown)]
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, unicode=text))
        assert len(shown) < 200
        read(self)

    def show(self, moment, picture=None, draw=play_window.PlayWindow.show):
        draw(self, moment, picture)
        shown.append((moment, pygame.surfarray.array3d(self.surface).swapaxes(0, 1), picture is not None))

    monkeypatch.setattr(play_window.PlayWindow, "read_keys", press_and_read)
    monkeypatch.setattr(play_window.PlayWindow, "show", show)
    monkeypatch.setattr(play_window, "SPEEDS", (100.0,) * 7)
    return shown


class Left(Agent):
    """Wants 0 everywhere; its network only looks."""

    def __init__(self, show):
        actions = int(show.envs.single_action_space.n)
        self.model = make_network(show.envs.single_observation_space, actions, (5,), streams(0).network)

    def preferences(self, observations):
        return np.tile([0.5, 0.25, 0.125], (len(observations), 1))


def test_the_window_shows_the_game_and_obeys_keys(monkeypatch, dummy_screen, capsys):
    typed = {3: " ", 6: " ", 12: "a", 14: "s", 15: "s", 17: "r", 20: "q"}
    keys = {turn: (ord(text), text) for turn, text in typed.items()} | {8: (pygame.K_RIGHT, "")}
    shown = scripted_keys(monkeypatch, keys)
    show = Stage("rl/Catcher-v0", seed=1)
    play.play_in_window(show, Left(show), "Catcher")
    moments = [moment for moment, _, _ in shown]
    assert [moment.step for moment in moments] == [0, 1, 2, 2, 2, *range(2, 14), 0, 1, 2]
    assert [moment.action for moment in moments[6:14]] == [0, 0, 1, 1, 1, 1, 0, 0]
    assert [glowing for _, _, glowing in shown[13:16]] == [False, True, False]
    first, pixels = shown[0][:2]
    inside = slice(play_window.MARGIN, play_window.MARGIN + 512)
    np.testing.assert_array_equal(pixels[inside, inside], first.picture.repeat(8, 0).repeat(8, 1))
    assert not pygame.display.get_init()


def test_bars_grow_with_the_values_and_the_chosen_one_stands_out(monkeypatch, dummy_screen):
    shown = scripted_keys(monkeypatch, {1: (pygame.K_q, "q")})
    show = Stage("rl/Catcher-v0", seed=1)
    play.play_in_window(show, Left(show), "Catcher")
    panel = shown[0][1][:, 512 + 2 * play_window.MARGIN :]

    def longest(colour):
        return int((panel == colour).all(axis=2).sum(axis=1).max())

    assert (longest(play_window.BEST), longest(play_window.BAR)) == (148, 49)  # of 0.5, 0.25, 0.125


def test_the_end_of_a_game_is_told_and_the_next_begins(monkeypatch, dummy_screen, capsys):
    shown = scripted_keys(monkeypatch, {40: (pygame.K_ESCAPE, "")})
    show = Stage("rl/Catcher-v0", max_episode_steps=5, seed=1)
    play.play_in_window(show, Left(show), "Catcher")
    pause = int(play.END_SECONDS * 30)
    steps = [moment.step for moment, _, _ in shown]
    assert steps[: 5 + pause + 3] == [0, 1, 2, 3, 4, *[5] * pause, 0, 1, 2]
    assert capsys.readouterr().out == "Get reward 0.0.\n" * 2


def test_closing_the_window_ends_it(monkeypatch, dummy_screen):
    shown = scripted_keys(monkeypatch, {})
    show = Stage("rl/Catcher-v0", seed=1)
    close = play_window.PlayWindow.__init__

    def init(self, *args):
        close(self, *args)
        pygame.event.post(pygame.event.Event(pygame.QUIT))

    monkeypatch.setattr(play_window.PlayWindow, "__init__", init)
    play.play_in_window(show, Left(show), "Catcher")
    assert len(shown) == 1


def test_taking_over_holds_while_a_key_is_down_and_rests_when_it_is_up():
    controls = Controls(("left", "right", "stay"))
    assert controls.choose(0) == 0
    controls.press(pygame.K_RIGHT, "")
    assert controls.choose(0) == 1
    controls.press(pygame.K_LEFT, "")
    assert controls.choose(1) == 0
    controls.release(pygame.K_LEFT)
    assert controls.choose(0) == 1
    controls.release(pygame.K_RIGHT)
    assert controls.choose(0) == 2
    controls.press(pygame.K_a, "a")
    assert controls.choose(0) == 0


def test_without_an_idle_action_the_last_one_stays_and_numbers_choose():
    controls = Controls(("left", "right"))
    controls.press(pygame.K_1, "1")
    controls.release(pygame.K_1)
    assert controls.choose(0) == 1
    assert controls.action_of(pygame.K_2) is None and controls.action_of(pygame.K_UP) is None


def test_speed_keys_stop_at_the_ends():
    controls = Controls(("left", "right"))
    for key, text, speed in ((pygame.K_SEMICOLON, "+", 8), (pygame.K_MINUS, "-", 0.125)):
        for _ in range(20):
            controls.press(key, text)
        assert play_window.SPEEDS[controls.speed] == speed
