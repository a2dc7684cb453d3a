"""`python -m rl doctor`: every part is checked, and one that is broken hides no other."""

from rl.tools import doctor
from tests.rl.helpers import two_lines


def test_a_healthy_machine(capsys):
    assert doctor.main([]) == 0
    printed = capsys.readouterr().out
    assert all(f"{title}\n  " in printed for title in doctor.CHECKS)
    assert "instruction set" in printed and "BROKEN" not in printed


def test_a_broken_part_hides_no_other(capsys, monkeypatch):
    def fail():
        raise ImportError("no kernels")

    monkeypatch.setitem(doctor.CHECKS, "kernels", fail)
    assert doctor.main([]) == 1
    printed = capsys.readouterr().out
    assert "BROKEN: ImportError: no kernels" in printed and "files\n  " in printed


def test_it_takes_no_arguments(capsys):
    assert doctor.main(["now"]) == 2
    two_lines(capsys)
    assert doctor.main(["--help"]) == 0
