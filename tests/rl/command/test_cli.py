"""Flags, presets, config files, and errors of two lines with exit code 2."""

import errno
import json
import pickle
from dataclasses import dataclass

import pytest
from nnlite_ext import _threads

import rl
from rl import __main__ as listing
from rl import dqn
from rl.command import cli, threads
from rl.command.errors import UsageError
from rl.command.settings import NEWEST, AgentSettings
from rl.runs.lock import HeldError
from rl.watch.stage import CannotRenderError
from tests.examples import first
from tests.processes import run_python
from tests.rl.helpers import two_lines
from tests.tables import rows


@dataclass(frozen=True)
class Settings(AgentSettings):
    """Settings of a test article."""

    hidden: tuple[int, ...] = (8, 8)
    """hidden units"""


def run_main(argv, run=lambda settings: None, **more):
    @cli.exit_codes
    def main():
        settings = cli.parse(Settings, "python -m rl.test", "A test.", argv=argv, **more)
        settings.validate()
        run(settings)

    return main()


def parsed(argv, **more):
    found = []
    code = run_main(argv, found.append, **more)
    assert code == 0
    return found[0]


def test_flags_give_settings():
    settings = parsed(["--seed", "7", "--gamma", "0.5", "--hidden", "3", "4", "--test"])
    assert (settings.seed, settings.gamma, settings.hidden, settings.test) == (7, 0.5, (3, 4), True)


def test_a_preset_changes_defaults_and_flags_come_on_top():
    presets = {"test": {"num_envs": 4, "gamma": 0.9}}
    assert parsed(["--test"], presets=presets).num_envs == 4
    assert parsed(["--test", "--num-envs", "2"], presets=presets).num_envs == 2
    assert parsed([], presets=presets).num_envs == 1


def test_play_and_resume_may_stand_alone():
    assert parsed(["--play"]).play == NEWEST
    assert parsed(["--play", "--seed", "3"]).play == NEWEST
    assert parsed(["--resume", "runs/x"]).resume == "runs/x"


def test_a_config_file_is_read_back(tmp_path):
    path, kept = tmp_path / "config.json", {"seed": 5, "hidden": [3], "gamma": 1}
    path.write_text(json.dumps({"article": "test", "settings": kept}), encoding="utf-8")
    settings = parsed(["--config", str(path), "--seed", "6"])
    assert (settings.seed, settings.hidden, settings.gamma) == (6, (3,), 1)


WRONG = rows("""
    --sed 3                        --sed
    --learning-rat 3               did you mean --learning-rate?
    --play runs/a runs/b           runs/a runs/b are several runs
    --seed x                       --seed
    --seed -1                      --seed is -1
    --num-envs 0                   --num-envs is 0
    --gamma 1.5                    --gamma is 1.5
    --learning-rate nan            --learning-rate is nan
    --config no-such-file.json     no-such-file.json
""")


@pytest.mark.parametrize("argv, what", WRONG)
def test_wrong_usage_is_two_lines_and_code_2(argv, what, capsys):
    assert run_main(argv.split()) == 2
    assert what in " ".join(two_lines(capsys))


@pytest.mark.parametrize(
    "content", ["[1, 2]", "{", '{"settings": {"seed": "five"}}', '{"settings": {"colour": 1}}', "[" * 100_000]
)
def test_a_wrong_config_file_is_answered(content, tmp_path, capsys):
    path = tmp_path / "config.json"
    path.write_text(content, encoding="utf-8")
    assert run_main(["--config", str(path)]) == 2
    two_lines(capsys)


@pytest.mark.parametrize("begin", ["", "\ufeff", "\n\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_config_file_is_wrong_on_the_line_that_is_named(begin, end, tmp_path, capsys):
    path, line = tmp_path / "config.json", 3 + begin.count("\n")
    path.write_bytes((begin + '{\n"seed": 5,\n"gamma" 1}\n').replace("\n", end).encode())
    assert run_main(["--config", str(path)]) == 2
    assert f"line {line} column 9" in two_lines(capsys)[0]


def fail_with(problem):
    def run(settings):
        raise problem

    return run


def test_exit_codes(capsys):
    assert run_main([], fail_with(KeyboardInterrupt())) == 130
    assert run_main([], fail_with(UsageError("no", "do"))) == 2
    assert run_main([], fail_with(RuntimeError("broken"))) == 1
    assert run_main([], fail_with(FloatingPointError("gradient is not finite"))) == 1
    assert "error: gradient is not finite" in capsys.readouterr().err
    assert run_main(["--help"]) == 0


FOLDER = IsADirectoryError(21, "Is a directory", "runs/x/progress.csv")
GONE = FileNotFoundError(2, "No such file or directory", "gone/x.png")


@pytest.mark.parametrize(
    "problem, what, code",
    [
        (FOLDER, "runs/x/progress.csv: Is a directory", 1),
        (GONE, "gone/x.png: No such file or directory", 2),
        (OSError(28, "No space left on device"), "No space left on device", 1),
        (MemoryError("Unable to allocate 582. TiB"), "Unable to allocate 582. TiB", 1),
    ],
)
def test_an_error_of_the_system_is_shown_in_two_lines(problem, what, code, capsys):
    assert run_main([], fail_with(problem)) == code
    assert two_lines(capsys)[0] == f"error: {what}"


def test_all_cores_are_not_more_threads_than_the_kernels_know(monkeypatch):
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 384)
    threads.use_threads(0)
    assert _threads.get_num_threads() == _threads.MOST_THREADS


def test_help_shows_every_flag_with_its_default(capsys):
    with pytest.raises(SystemExit):
        cli.parse(dqn.Settings, "python -m rl.dqn", dqn.SUMMARY, dqn.EXAMPLES, argv=["--help"])
    text = capsys.readouterr().out
    for name in ("--n-step", "--buffer-size", "--num-threads", "--resume", "--play"):
        assert name in text
    assert "50000" in text and "python -m rl.dqn --play" in text


def test_the_list_names_every_article_and_wrong_names_are_answered(capsys):
    assert listing.main([]) == 0
    assert capsys.readouterr().out.count("python -m rl.") == 10
    assert listing.main(["dqm"]) == 2
    assert "did you mean dqn?" in capsys.readouterr().err
    assert listing.main(["--version"]) == 0
    assert capsys.readouterr().out == f"nnlite-rl {rl.__version__}\n"


def test_an_article_runs_by_its_name(capsys):
    assert listing.main(["one_layer", "--seed", "-1"]) == 2
    assert "--seed is -1" in capsys.readouterr().err


IMPOSSIBLE = rows("""
    --env-id NoSuchGame-v0    no environment 'NoSuchGame-v0'
    --env-id Pendulum-v1      actions
    --play                    no trained model of rl.dqn
    --n-step 0                --n-step is 0
    --buffer-size 10          --buffer-size is 10
    --test --hidden 16 0      hidden layers have (16, 0) units
    --num-threads 257         --num-threads is 257
""")


@pytest.mark.parametrize("argv, what", IMPOSSIBLE)
def test_the_main_job_answers_what_it_cannot_do(argv, what, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["dqn", *argv.split(), "--out", str(tmp_path)])
    assert dqn.main() == 2
    assert what in two_lines(capsys)[0]


LONG = {
    "--recipe other": "invalid choice 'other' for argument '--recipe'. Expected one of ('article', 'best').",
    "--epoch 3": "there is no flag --epoch",
    "--epochs x": "Error parsing --epochs: invalid literal for int() with base 10: 'x'",
}


@pytest.mark.parametrize("encoding, terminal", [("utf-8", "xterm"), ("ascii", "dumb")])
@pytest.mark.parametrize("argv", first(1, LONG))
def test_a_message_is_one_whole_line_on_any_terminal(encoding, terminal, argv):
    narrow = {"COLUMNS": "60", "PYTHONIOENCODING": encoding, "TERM": terminal}
    done = run_python("-m", "rl.digits", *argv.split(), code=2, **narrow)
    what, remedy = done.stderr.splitlines()
    assert what == f"error: {LONG[argv]}" and remedy.endswith("see python -m rl.digits --help")


@pytest.mark.parametrize("kind", [UsageError, HeldError, CannotRenderError])
def test_a_usage_error_reaches_another_process_whole(kind):
    received = pickle.loads(pickle.dumps(kind("no", "do")))
    assert type(received) is kind and str(received) == "no\n  do"


@pytest.mark.parametrize(
    ("system", "problem", "left"),
    [
        ("posix", BrokenPipeError(errno.EPIPE, "Broken pipe"), True),
        ("posix", OSError(errno.EINVAL, "Invalid argument"), False),
        ("nt", OSError(errno.EINVAL, "Invalid argument"), True),  # Windows has no other word for it
        ("nt", OSError(errno.EINVAL, "Invalid argument", "a:b"), False),
        ("nt", OSError(errno.ENOSPC, "No space left"), False),
    ],
)
def test_a_reader_that_has_left_is_known_on_every_system(system, problem, left, monkeypatch):
    def write():
        raise problem

    monkeypatch.setattr(cli.os, "name", system)
    if left:
        with pytest.raises(BrokenPipeError):
            cli.judge(write)
    else:
        assert cli.judge(write) == 1
