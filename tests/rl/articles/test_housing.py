"""Article 3: the three sources of the table, the article's network, and what its loss and errors must
reach.
"""

import json
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
    lines = change([heading, *rows])
    path = tmp_path / "table.csv"
    path.write_text(
        "\ufeff" + "\n".join(",".join(map(str, line)) for line in lines) + "\n\n", encoding="utf-8"
    )
    return path, table


# --- the table
# -------------------------------------------------------------------------------------------------------


def test_a_file_is_read_in_any_order_and_case(tmp_path):
    path, table = table_file(tmp_path)
    read = housing_data.load(str(path), np.random.default_rng(0))
    np.testing.assert_allclose(read.x, table.x)
    np.testing.assert_allclose(read.y, table.y)
    assert read.columns == housing_data.COLUMNS and str(path) in read.source


@pytest.mark.parametrize(
    "change, message",
    [
        (
            lambda lines: [[name if name != "b" else "c" for name in lines[0]], *lines[1:]],
            "has no column B\n",
        ),
        (lambda lines: [*lines[:5], ["x", *lines[5][1:]], *lines[6:]], "line 6: column 1 is no number"),
        (lambda lines: [*lines[:5], ["nan", *lines[5][1:]], *lines[6:]], "line 6: column 1 is no number"),
        (lambda lines: [*lines[:5], lines[5][:3], *lines[6:]], "line 6: column 14 is no number"),
        (lambda lines: lines[:4], "has 3 rows"),
        (lambda lines: [], "has no column"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_in_two_lines(tmp_path, change, message):
    path, _ = table_file(tmp_path, change)
    with pytest.raises(UsageError) as caught:
        housing_data.read_file(str(path))
    assert message in str(caught.value) and str(caught.value).count("\n") == 1


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
    texts = {
        "CHAS": ["0", "1"],
        "RAD": ["1", "2", "24", *map(str, range(3, 10))],
    }  # OpenML's order is that of texts
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
    assert (
        np.isfinite(first.x).all() and 5 <= first.y.min() and first.y.max() <= 50 and 18 < first.y.mean() < 27
    )


def test_excluded_columns_are_gone():
    table = housing_data.synthetic(np.random.default_rng(0))
    without = table.without(("b",))
    assert without.x.shape == (506, 12) and "B" not in without.columns
    assert np.array_equal(
        without.x[:, without.columns.index("LSTAT")], table.x[:, table.columns.index("LSTAT")]
    )
    with pytest.raises(UsageError, match="no column 'Z'"):
        table.without(("Z",))
    with pytest.raises(UsageError, match="no column is left"):
        table.without(housing_data.COLUMNS)


# --- learning
# --------------------------------------------------------------------------------------------------------


def test_the_article_in_small(tmp_path, capsys):
    assert main(["--data", "synthetic", "--exclude", "B", "--out", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Data: a made-up table") and " B " not in lines[1]
    assert "Epoch 8/8" in lines and any("linear regression" in line for line in lines)
    (folder,) = tmp_path.glob("housing__*")
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert (
        result["losses"][0] > 100
        and result["losses"][-1] < 25
        and result["test_error"] < result["mean_error"]
    )
    assert (folder / "prices.png").read_bytes().startswith(b"\x89PNG") and (folder / "config.json").is_file()


def test_one_seed_one_result():
    table = housing_data.synthetic(np.random.default_rng(0))

    def errors(seed):
        return housing.learn(table, housing.Settings(seed=seed, epochs=2), verbose=0).losses

    assert errors(1) == errors(1) != errors(2)


def medians(table, **changes):
    results = [housing.learn(table, housing.Settings(seed=seed, **changes), verbose=0) for seed in range(20)]
    return {
        name: float(np.median([getattr(r, name) for r in results])) for name in ("test_error", "linear_error")
    } | {
        "first": float(np.median([r.losses[0] for r in results])),
        "last": float(np.median([r.losses[-1] for r in results])),
    }


@needs_table
@pytest.mark.parametrize("exclude", [(), ("B",)])
def test_the_article_table_median_of_20_seeds(exclude):
    reached = medians(housing_data.read_file(str(TABLE)).without(exclude))
    assert (
        reached["first"] > 100 and reached["last"] < 25 and reached["test_error"] < reached["linear_error"]
    ), reached


@needs_table
def test_the_listing_recipe_falls_as_in_the_article():
    reached = medians(
        housing_data.read_file(str(TABLE)), learning_rate=0.01, momentum=0.0, norm_momentum=0.99
    )
    assert reached["first"] > 100 and reached["last"] < 30, reached


@pytest.mark.parametrize(
    "wrong",
    [
        ["--epochs", "0"],
        ["--test-size", "1"],
        ["--momentum", "1"],
        ["--learning-rate", "-1"],
        ["--exclude", "Q"],
    ],
)
def test_wrong_settings(wrong, tmp_path, capsys):
    assert main([*wrong, "--data", "synthetic", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 2
