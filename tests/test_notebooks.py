"""The notebooks: stored without outputs, and every cell runs, with short settings in place of their own."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs nbformat: pip install -e '.[dev]'")
nbclient = pytest.importorskip("nbclient", reason="needs nbclient: pip install -e '.[dev]'")
pytestmark = pytest.mark.thorough

FOLDER = Path(__file__).parents[1] / "notebooks"
SHORT = {  # what the cell tagged "parameters" is followed by
    "01_neural_networks": "EPOCHS = 2; DIGIT_EPOCHS = 1",
    "02_cartpole": "STEPS = 1_500; GAMES = 3",
    "03_catcher": "DQN_STEPS = 1_200; A2C_STEPS = 2_400; GAMES = 2",
    "04_alphazero": "SIMULATIONS = 20; PLAYS = 50; MAZE = '4x4'",
}
PICTURES = {"01_neural_networks": 2, "02_cartpole": 3, "03_catcher": 4, "04_alphazero": 4}
PLAYERS = {"01_neural_networks": 0, "02_cartpole": 2, "03_catcher": 3, "04_alphazero": 1}
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def test_every_notebook_is_tested():
    assert NAMES == sorted(SHORT)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_stored_without_outputs(name):
    book = read(name)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert code and all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert [cell for cell in code if "pip install" in cell.source] == code[:1]


@pytest.mark.parametrize("name", NAMES)
def test_it_runs(name, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel chooses its own, which shows figures
    book = read(name)
    (place,) = [i for i, cell in enumerate(book.cells) if "parameters" in cell.metadata.get("tags", ())]
    for line in SHORT[name].split("; "):
        assert line.partition(" =")[0] + " " in book.cells[place].source, line  # it is there to be changed
    book.cells.insert(place + 1, nbformat.v4.new_code_cell(SHORT[name]))
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in book.cells for output in cell.get("outputs", ())]
    shown = [output.data for output in outputs if "data" in output]
    assert sum("image/png" in data for data in shown) == PICTURES[name]
    assert sum("<iframe" in data.get("text/html", "") for data in shown) == PLAYERS[name]
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
