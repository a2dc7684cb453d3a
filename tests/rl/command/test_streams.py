"""Commands without standard streams, with streams that can only write, and with readers that leave."""

import io
import os
import subprocess
import sys

import pytest

from rl import __main__ as listing
from rl.articles import COMMANDS
from rl.command import streams
from rl.command.streams import whole_streams
from tests.examples import first
from tests.processes import ROOT


class Writer:
    """An object that can only write, as programs with a window put in place of a stream."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


class Flusher(Writer):
    """... and flush."""

    def flush(self):
        pass


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


WEAK = {"none": lambda: None, "write": Writer, "write and flush": Flusher, "closed": closed}
TOOLS = [name for name in listing.TOOLS if name != "doctor"]


def put(monkeypatch, out, err=None):
    """Put streams in place; by default the same one as standard output and for errors."""
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", out if err is None else err)


@pytest.mark.parametrize("kind", WEAK)
@pytest.mark.parametrize("words", ["", "--help", "--version", "doctor", "doctor --help"])
def test_the_list_and_the_doctor_need_no_stream(kind, words, monkeypatch):
    put(monkeypatch, out := WEAK[kind]())
    assert listing.main(words.split()) == 0
    assert sys.stdout is out, "the streams are as before"
    assert not isinstance(out, Writer) or out.text.endswith("\n")


@pytest.mark.parametrize("kind", WEAK)
def test_help_and_wrong_flags_need_no_stream(kind, monkeypatch):
    for name in [*COMMANDS, *TOOLS]:
        put(monkeypatch, out := WEAK[kind]())
        assert listing.main([name, "--help"]) == 0
        assert not isinstance(out, Writer) or out.text.startswith("usage: ")
        put(monkeypatch, out := WEAK[kind]())
        assert listing.main([name, "--no-such-flag"]) == 2
        assert not isinstance(out, Writer) or out.text.count("\n") == 2


SHORT = {
    "one_layer": "",
    "two_layer": "",
    "housing": "--data synthetic --epochs 1",
    "digits": "--epochs 1",
    "value_function": "--total-timesteps 300 --eval-episodes 1",
    "dqn": "--test --total-timesteps 300 --eval-episodes 1",
    "policy_gradient": "--total-timesteps 300 --eval-episodes 1",
    "a2c": "--test --total-timesteps 300 --eval-episodes 1",
    "bandit": "--num-sims 10",
    "maze": "--max-episodes 20",
}


@pytest.mark.parametrize("kind", first(1, ["none", "write and flush"]))
@pytest.mark.parametrize("name", SHORT)
def test_every_article_runs_without_a_stream(name, kind, monkeypatch, tmp_path, no_pictures):
    put(monkeypatch, WEAK[kind]())
    assert listing.main([name, *SHORT[name].split(), "--out", str(tmp_path)]) == 0


def broken_pipe(buffering):
    """A text stream whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    return io.TextIOWrapper(open(writer, "wb", buffering), write_through=buffering == 0)


@pytest.mark.parametrize("buffering", [0, -1], ids=["unbuffered", "buffered"])
@pytest.mark.parametrize("words", ["", "--help", "--version", "doctor", "dqn --help", "one_layer"])
def test_a_reader_that_has_left_is_no_error(words, buffering, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    out = broken_pipe(buffering)
    monkeypatch.setattr(sys, "stdout", out)
    assert listing.main(words.split()) == 141
    out.close()  # as at the end of the process: nothing is left that the pipe would refuse
    assert capsys.readouterr().err == ""


def test_a_reader_of_the_errors_may_leave_too(monkeypatch):
    err = broken_pipe(-1)
    monkeypatch.setattr(sys, "stderr", err)
    assert listing.main(["no-such-command"]) == 141
    err.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("words", ["", "--version", "dqn --help", "one_layer"])
def test_a_full_disk_behind_the_output_is_one_error(words, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    out = open("/dev/full", "w")
    monkeypatch.setattr(sys, "stdout", out)
    assert listing.main(words.split()) == 1
    out.close()
    assert capsys.readouterr().err.startswith("error: No space left on device\n  ")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_disk_behind_the_errors_leaves_the_exit_code(monkeypatch):
    err = open("/dev/full", "w")
    monkeypatch.setattr(sys, "stderr", err)
    assert listing.main(["no-such-command"]) == 2
    err.close()


@pytest.mark.skipif(sys.platform == "win32", reason="a broken pipe has no error of its own there")
@pytest.mark.parametrize("words, unbuffered", [("rl", "1"), ("rl doctor", ""), ("rl.dqn --help", "")])
def test_the_process_ends_without_a_word(words, unbuffered):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", *words.split()],
        stdout=writer,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        timeout=60,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


OPEN_A_FILE = """
import sys
from rl.command.streams import whole_streams
with whole_streams(), open(sys.argv[1], "w") as file:
    print("printed")
    file.write(str(file.fileno()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="closes descriptors as a shell does with >&-")
def test_a_file_never_becomes_the_standard_output(tmp_path):
    path = tmp_path / "file"
    words = [sys.executable, "-c", OPEN_A_FILE, str(path)]
    done = subprocess.run(words, cwd=ROOT, preexec_fn=lambda: os.closerange(0, 3), timeout=60)
    assert done.returncode == 0 and int(path.read_text()) > 2


def test_whole_streams_are_left_alone(monkeypatch):
    ours = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", ours)
    with whole_streams():
        assert sys.stdout is ours
        print("ε, → and 記事")
    assert ours.buffer.getvalue() == b"epsilon, -> and ??\n"


def test_a_name_that_is_no_text_is_printed_as_a_shell_finds_it(monkeypatch):
    for encoding in ("utf-8", "ascii"):
        ours = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", ours)
        with whole_streams():
            print("runs-\udcff/x")
        assert ours.buffer.getvalue() == b"runs-?/x\n"


def test_a_program_may_look_at_what_replaces_a_missing_stream():
    stream = streams.make_whole(None)
    assert (stream.encoding, stream.isatty(), stream.write("text")) == ("utf-8", False, 4)
    with pytest.raises(OSError):
        stream.fileno()
