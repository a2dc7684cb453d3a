"""Article 3: the sources of the table, the network, and which loss and errors it must reach."""

import socket
import urllib.error
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rl import housing
from rl.command.errors import UsageError
from rl.housing import data as housing_data
from rl.housing.command import main
from tests.rl.helpers import read_json, run_folder_in, two_lines

TABLE = Path(__file__).resolve().parents[4] / "shared" / "data" / "boston.csv"
needs_table = pytest.mark.skipif(
    not TABLE.is_file(), reason=f"the article's table is not shipped; it is looked for at {TABLE}"
)


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No cache, and a network that answers at once that there is none."""

    def refuse(*_, **__):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "cache"))


def table_file(tmp_path, change=lambda lines: lines):
    table = housing_data.synthetic(np.random.default_rng(0), 30)
    heading = ["medv", *(name.lower() for name in reversed(table.columns)), "town"]
    rows = [[price, *reversed(row), 7] for price, row in zip(table.y.tolist(), table.x.tolist())]
    lines = [",".join(map(str, line)) for line in change([heading, *rows])]
    path = tmp_path / "table.csv"
    path.write_text("\ufeff" + "\n".join(lines) + "\n\n", encoding="utf-8")
    return path, table


# --- the table


def test_a_file_is_read_in_any_order_and_case(tmp_path):
    path, table = table_file(tmp_path)
    read = housing_data.load(str(path), np.random.default_rng(0))
    np.testing.assert_allclose(read.x, table.x)
    np.testing.assert_allclose(read.y, table.y)
    assert read.columns == housing_data.COLUMNS and str(path) in read.source


def on_line(number, change):
    return lambda lines: [*lines[: number - 1], change(lines[number - 1]), *lines[number:]]


@pytest.mark.parametrize(
    "change, message",
    [
        (on_line(1, lambda names: [{"b": "c"}.get(name, name) for name in names]), "has no column B\n"),
        (on_line(6, lambda cells: ["x", *cells[1:]]), "line 6: column 1 is no number"),
        (on_line(6, lambda cells: ["nan", *cells[1:]]), "line 6: column 1 is no number"),
        (on_line(6, lambda cells: cells[:3]), "line 6: column 14 is no number"),
        (lambda lines: lines[:4], "has 3 rows"),
        (lambda lines: [], "has no column"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_in_two_lines(tmp_path, change, message):
    path, _ = table_file(tmp_path, change)
    with pytest.raises(UsageError) as caught:
        housing_data.read_file(str(path))
    assert message in str(caught.value) and str(caught.value).count("\n") == 1


GOOD = b",".join([b"1"] * 14)
HEADING = ",".join((*housing_data.COLUMNS, housing_data.TARGET)).encode()
TEN = [GOOD] * 10


@pytest.mark.parametrize(
    "lines, message",
    [
        ([HEADING, b"", b"", *TEN, b"x,1"], "line 14: column 1 is no number"),
        ([b"", HEADING, *TEN, b"", b"1,x"], "line 14: column 2 is no number"),
        ([HEADING, *TEN, b"   "], "line 12: column 1 is no number"),
        ([HEADING, b'"1\n",' + GOOD[2:], *TEN, b"1,x"], "line 14: column 2 is no number"),
        ([HEADING, *TEN, b'"1\n\n",x'], "line 14: column 2 is no number"),
        ([HEADING, *TEN, b'1,"\nx\n"'], "line 12: column 2 is no number"),
        ([HEADING, *TEN, b"", b'"' + b"1" * 140_000 + b'"'], "line 13: field larger than field limit"),
        ([HEADING, *TEN, b'"1', b"1" * 140_000], "line 12: field larger than field limit"),
        ([HEADING, *TEN, b"", b"\xe9,1"], "line 13: not text in UTF-8"),
        ([b"\xff\xfe"], "line 1: not text in UTF-8"),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"], ids=["", "BOM"])
def test_a_message_names_the_line_of_the_file(lines, message, end, begin, tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(begin + b"\n".join(lines).replace(b"\n", end))
    with pytest.raises(UsageError) as caught:
        housing_data.read_file(str(path))
    assert f"{path}, {message}" in str(caught.value) and str(caught.value).count("\n") == 1


def test_no_file_and_no_text(tmp_path, capsys):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x81" * 50)
    for path in (tmp_path / "none.csv", tmp_path, tmp_path / "binary"):
        assert main(["--data", str(path), "--out", str(tmp_path)]) == 2
        assert "error: cannot read" in capsys.readouterr().err


def test_offline_the_formula_steps_in_and_says_so(offline):
    table = housing_data.load("auto", np.random.default_rng(0))
    assert table.source.startswith("Data: a made-up table") and "OpenML was out of reach (" in table.source
    assert "no network" in table.source  # the reason is the network's, not a mistake of ours in asking
    assert socket.getdefaulttimeout() is None


def test_offline_openml_asked_for_by_name_is_an_error(offline):
    with pytest.raises(UsageError, match="OpenML gave no table.*\n.*--data"):
        housing_data.load("openml", np.random.default_rng(0))


def test_a_cache_without_the_table_offline(offline, monkeypatch, tmp_path):
    import sklearn.datasets._openml as openml

    (tmp_path / "cache" / "openml").mkdir(parents=True)
    monkeypatch.setattr(openml, "urlopen", socket.create_connection)
    monkeypatch.setattr(openml.time, "sleep", lambda seconds: None)
    table = housing_data.load("auto", np.random.default_rng(0))
    assert "no network" in table.source  # scikit-learn understood the request, and asked


def test_openml_classes_become_numbers_again(offline, monkeypatch, tmp_path):
    import sklearn.datasets

    (tmp_path / "cache" / "openml").mkdir(parents=True)

    table = housing_data.synthetic(np.random.default_rng(0), 30)
    names = ["LSTAT", *housing_data.COLUMNS[:-1]]  # another order
    texts = {"CHAS": ["0", "1"], "RAD": ["1", "2", "24", *map(str, range(3, 10))]}  # in the order of texts
    x = table.x[:, [housing_data.COLUMNS.index(name) for name in names]]
    for name, values in texts.items():
        column = names.index(name)
        x[:, column] = [values.index(f"{value:g}") for value in x[:, column]]
    bunch = SimpleNamespace(data=x, target=table.y, feature_names=names, categories=texts)
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda **_: bunch)
    read = housing_data.load("auto", np.random.default_rng(1))
    np.testing.assert_array_equal(read.x, table.x)
    assert read.source.startswith("Data: OpenML")


def test_the_formula_is_repeatable_and_looks_like_the_table():
    first, second = (housing_data.load("synthetic", np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first.x, second.x) and first.x.shape == (506, 13)
    assert np.isfinite(first.x).all() and 18 < first.y.mean() < 27
    assert 5 <= first.y.min() and first.y.max() <= 50


def test_excluded_columns_are_gone():
    table = housing_data.synthetic(np.random.default_rng(0))
    without = table.without(("b",))
    assert without.x.shape == (506, 12) and "B" not in without.columns
    one, other = (each.x[:, each.columns.index("LSTAT")] for each in (without, table))
    assert np.array_equal(one, other)
    for names, message in ((("Z",), "no column 'Z'"), (housing_data.COLUMNS, "no column is left")):
        with pytest.raises(UsageError, match=message):
            table.without(names)


# --- learning


def test_the_article_in_small(tmp_path, capsys):
    assert main(["--data", "synthetic", "--exclude", "B", "--out", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Data: a made-up table") and " B " not in lines[1]
    assert "Epoch 8/8" in lines and any("linear regression" in line for line in lines)
    folder = run_folder_in(tmp_path)
    result = read_json(folder / "result.json")
    assert result["losses"][0] > 100 and result["losses"][-1] < 25
    assert result["test_error"] < result["mean_error"]
    assert (folder / "prices.png").read_bytes().startswith(b"\x89PNG") and (folder / "config.json").is_file()


def test_one_seed_one_result():
    table = housing_data.synthetic(np.random.default_rng(0))

    def errors(seed):
        return housing.learn(table, housing.Settings(seed=seed, epochs=2), verbose=0).losses

    assert errors(1) == errors(1) != errors(2)


def medians(table, **changes):
    """(first loss, last loss, test error, error of linear regression) of 20 seeds."""
    results = [housing.learn(table, housing.Settings(seed=seed, **changes), verbose=0) for seed in range(20)]
    return np.median([(r.losses[0], r.losses[-1], r.test_error, r.linear_error) for r in results], axis=0)


@needs_table
@pytest.mark.parametrize("exclude", [(), ("B",)])
def test_the_article_table_median_of_20_seeds(exclude):
    first, last, error, linear = medians(housing_data.read_file(str(TABLE)).without(exclude))
    assert first > 100 and last < 25 and error < linear


@needs_table
def test_the_listing_recipe_falls_as_in_the_article():
    listing = {"learning_rate": 0.01, "momentum": 0.0, "norm_momentum": 0.99}
    first, last, *_ = medians(housing_data.read_file(str(TABLE)), **listing)
    assert first > 100 and last < 30


WRONG = ["--epochs 0", "--test-size 1", "--momentum 1", "--learning-rate -1", "--exclude Q"]


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_settings(wrong, tmp_path, capsys):
    assert main([*wrong.split(), "--data", "synthetic", "--out", str(tmp_path)]) == 2
    two_lines(capsys)
