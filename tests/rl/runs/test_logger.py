"""The tables of a run: means since the last row in progress.csv, games in monitor.csv, evaluations.csv."""

import numpy as np
import pytest

from rl.command.errors import UsageError
from rl.core.evaluation import Evaluation
from rl.runs.evaluations import Mark, read_marks
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


def judged(mean, complete=True):
    return Evaluation(np.array([mean - 1, mean + 1]), np.array([3, 3]), complete, False, mean, "")


def test_evaluations_are_read_back_as_marks_along_each_axis(tmp_path):
    logger = Logger(tmp_path, "test", COLUMNS)
    logger.add_evaluation(100, 7, judged(4.5), False, True)
    logger.add_evaluation(200, 9, judged(2.0, complete=False), False, True)
    logger.add_evaluation(300, 12, judged(9.0), True, True)
    logger.close()
    assert read_marks(tmp_path, "steps") == [Mark(100, 4.5, False), Mark(300, 9, True)]
    assert [mark.x for mark in read_marks(tmp_path, "episodes")] == [7, 12]
    assert [row["std"] for row in read_csv(tmp_path / "evaluations.csv")] == ["1"] * 3
    assert read_marks(tmp_path / "elsewhere", "steps") == []


def test_a_damaged_table_of_evaluations_is_named(tmp_path):
    (tmp_path / "evaluations.csv").write_text("steps,mean,complete\n1,two,1\n", encoding="utf-8")
    with pytest.raises(UsageError, match="evaluations.csv cannot be read"):
        read_marks(tmp_path, "steps")
