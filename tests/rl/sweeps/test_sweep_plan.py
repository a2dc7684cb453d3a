"""The plan of a sweep, and the errors of wrong requests before anything starts."""

import json

import pytest

from rl import dqn
from rl.command.errors import UsageError
from rl.sweeps import plan
from rl.tools import sweep
from tests.rl.helpers import two_lines


def test_seeds_are_ranges_and_numbers():
    assert plan.read_seeds("0:3,7") == [0, 1, 2, 7]
    assert plan.read_seeds("5") == [5]


@pytest.mark.parametrize(
    "text", ["", "a", "3:1", "2:2", "-1", "0:3,1", "1.5", "0:2000000", "0:99999999999999999999"]
)
def test_other_seeds_are_refused(text):
    with pytest.raises(UsageError):
        plan.read_seeds(text)


def test_every_combination_of_the_values_with_every_seed():
    made = plan.make("dqn", "0:2", ["gamma=0.9,0.99", "double=true,false", "hidden=64 64,8"], test=True)
    assert made.varied == ("gamma", "double", "hidden") and len(made.jobs) == 16
    chosen = {(*(job.settings[name] for name in made.varied), job.seeds) for job in made.jobs}
    assert len(chosen) == 16 and (0.9, False, (64, 64), (1,)) in chosen
    assert len({job.key for job in made.jobs}) == 16
    assert all(job.settings["env_id"] == "CartPole-v0" for job in made.jobs), "--test brings its defaults"


def test_a_run_of_a_sweep_has_the_defaults_of_its_command():
    on_vectors, on_screens = plan.make("dqn", "0", ["env-id=CartPole-v1,rl/Catcher-v0"]).jobs
    assert on_vectors.settings.items() >= dqn.Settings.elsewhere.vectors.items()
    assert on_screens.settings["train_freq"] == dqn.Settings().train_freq != on_vectors.settings["train_freq"]
    (chosen,) = plan.make("dqn", "0", ["env-id=CartPole-v1", "n-step=7"]).jobs
    assert chosen.settings["n_step"] == 7, "what is given wins"


@pytest.mark.parametrize("name", ["value-function", "rl.value_function"])
def test_an_article_is_known_by_each_of_its_names(name):
    assert plan.make(name, "0:2", []).article == "value_function"


def test_values_whose_names_fall_together_get_folders_of_their_own():
    made = plan.make("dqn", "0", ["env-id=rl/Catcher-v0,rl:rl/Catcher-v0", "learning-rate=1e-5,0.00002"])
    assert len({job.key for job in made.jobs}) == 4


def test_a_plan_is_read_back(tmp_path):
    made = plan.make("value_function", "0:3", ["hidden=4 4,8"])
    made.write(tmp_path)
    again = plan.read(tmp_path)
    assert again.varied == made.varied and [job.key for job in again.jobs] == [job.key for job in made.jobs]
    assert again.jobs[0].settings["hidden"] == [4, 4] and again.jobs[0].seeds == made.jobs[0].seeds


@pytest.mark.parametrize(
    "content", ["", "{}", '{"article": "dqn"}', "[]", '{"article": "os", "varied": [], "jobs": []}']
)
def test_a_damaged_plan_is_refused(tmp_path, content):
    (tmp_path / plan.NAME).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="no sweep"):
        plan.read(tmp_path)


def test_a_plan_cannot_lead_out_of_its_folder(tmp_path):
    jobs = [{"key": "../elsewhere", "settings": {}, "seeds": [0]}]
    content = json.dumps({"article": "dqn", "varied": [], "jobs": jobs})
    (tmp_path / plan.NAME).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError):
        plan.read(tmp_path)


def test_many_seeds_of_an_article_that_measures_them_at_once_are_one_job():
    made = plan.make("maze", "0:1500", [])
    assert [len(job.seeds) for job in made.jobs] == [1000, 500]
    assert plan.make("bandit", "0:5", []).jobs[0].settings["num_threads"] == 0, "one call has all cores"
    assert plan.make("bandit", "0:5", ["epsilon=0.1,0.2"]).jobs[0].settings["num_threads"] == 1


VALUES = ["gama=1", "gamma", "gamma=", "gamma=x", "gamma=2", "gamma=0.9,0.9", "gamma=0.9 --set gamma=0.8"]
VALUES += ["double=maybe", "seed=3", "env-id=Nowhere-v0"]
OPTIONS = ["--seeds 9:1", "--jobs -1", "--address tcp://nowhere:1", "--backend slurm", "--resume"]
WRONG = [*(f"dqn --set {value}" for value in VALUES), *(f"dqn {option}" for option in OPTIONS)]
WRONG += ["", "dqnn", "bandit --test", "--resume", "--resume nowhere"]


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_request_gets_two_lines_and_leaves_nothing(tmp_path, capsys, words):
    assert sweep.main([*words.split(), "--out", str(tmp_path / "runs")]) == 2
    two_lines(capsys)
    assert not (tmp_path / "runs").exists()
