"""The tables of a run: means since the last row in progress.csv, games in monitor.csv."""

import pytest

from rl.runs.logger import Logger
from tests.rl.helpers import read_csv

COLUMNS = ("time/total_timesteps", "train/loss", "rollout/ep_rew_mean")


def test_a_row_holds_the_means_of_what_was_added_since_the_last_one(tmp_path):
    logger = Logger(tmp_path, "test", COLUMNS)
    for loss in (1.0, 2.0, 6.0):
        logger.add_metrics({"train/loss": loss})
    logger.write_row(10, {"rollout/ep_rew_mean": 5.0})
    logger.add_metrics({"train/loss": 8.0})
    logger.write_row(20, {})
    logger.close()
    rows = [tuple(row[name] for name in COLUMNS) for row in read_csv(tmp_path / "progress.csv")]
    assert rows == [("10", "3", "5"), ("20", "8", "")]


def test_the_monitor_has_returns_and_lengths_in_the_columns_of_their_names(tmp_path):
    logger = Logger(tmp_path, "test", COLUMNS)
    logger.add_episode(2.5, 40)
    logger.close()
    (row,) = read_csv(tmp_path / "monitor.csv")
    assert (row["r"], row["l"]) == ("2.5", "40")


def test_a_number_without_a_column_is_refused(tmp_path):
    logger = Logger(tmp_path, "test", COLUMNS)
    with pytest.raises(ValueError, match="train/entropy"):
        logger.write_row(10, {"train/entropy": 1.0})
    logger.close()
