"""Ctrl-C and SIGTERM: noted between steps, obeyed at once where asked; the second one always."""

import signal
import threading

import pytest

from rl.command import cli
from rl.runs.signals import Interrupted, StopSignals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_is_noted_the_second_obeyed_and_the_handlers_come_back(number):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with StopSignals() as stop:
        signal.raise_signal(number)
        assert stop.received == number
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt), stop.at_once():
            raise AssertionError("what is about to be abandoned must not begin")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_at_once():
    with StopSignals() as stop:
        with pytest.raises(KeyboardInterrupt), stop.at_once():
            signal.raise_signal(signal.SIGINT)
        assert stop.received == signal.SIGINT


def test_other_threads_leave_signals_alone():
    handlers = []

    def elsewhere():
        with StopSignals():
            handlers.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert handlers == [before]


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_exit_code_says_which_signal_and_one_line_how_to_go_on(number, code, capsys):
    @cli.exit_codes
    def main():
        raise Interrupted(number, "go on: python -m rl.dqn --resume")

    assert main() == code
    assert capsys.readouterr().err == "go on: python -m rl.dqn --resume\n"
