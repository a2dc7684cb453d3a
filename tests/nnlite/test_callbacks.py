"""Callbacks: the epochs, weights and rates of Keras 3.15 on JAX, and what holds when something goes wrong.

Expected numbers: Keras's own callbacks, with the same arguments, on the model of tests/nnlite/lines.py. Its
loss in logs was replaced by the same list, so that both see the same values.
"""

import csv

import numpy as np
import pytest

import nnlite as K
from tests.nnlite.lines import X, Y, line, weights
from tests.tables import rows

LOSSES = [5, 4, 4.5, 3.9, 3.95, 3.95, 3.8, 4, 4, 4, 4, 1]


class Feed(K.callbacks.Callback):
    """Replaces the loss in logs."""

    def on_epoch_end(self, epoch, logs=None):
        logs["loss"] = LOSSES[epoch]


def fitted(callback, model=None, **settings):
    model = model or line()
    model.fit(
        X, Y, epochs=12, batch_size=8, shuffle=False, verbose=0, callbacks=[Feed(), callback], **settings
    )
    return model


# --- early stopping

STOPS = rows("""
    # arguments                                          epochs  stopped  best  w, b at the end
    dict()                                               3   2   1   0.876954972743988, 0.08375349640846252
    dict(patience=2)                                     6   5   3   0.9728167057037354, 0.110224649310112
    dict(patience=3)                                     10  9   6   0.9991678595542908, 0.12470042705535889
    dict(patience=2, restore_best_weights=True)          6   5   3   0.924157977104187, 0.09569157660007477
    dict(patience=3, min_delta=0.15, restore_best_weights=True)  5  4  1  0.80245, 0.066249996
    dict(patience=2, baseline=3.85)                      3   2   1   0.876954972743988, 0.08375349640846252
    dict(patience=1, start_from_epoch=4)                 6   5   4   0.9728167057037354, 0.110224649310112
    dict(patience=2, mode="max")                         3   2   0   0.876954972743988, 0.08375349640846252
    dict(patience=2, baseline=3, restore_best_weights=True)  3  2  1  0.8024500012397766, 0.06624999642372131
""")


@pytest.mark.parametrize("arguments, epochs, stopped, best, left", STOPS)
def test_early_stopping_is_that_of_keras(arguments, epochs, stopped, best, left):
    callback = K.callbacks.EarlyStopping(monitor="loss", **eval(arguments))
    model = fitted(callback)
    assert len(model.history.epoch) == int(epochs)
    assert (callback.stopped_epoch, callback.best_epoch) == (int(stopped), int(best))
    np.testing.assert_allclose(weights(model), eval(left), rtol=1e-5)


def test_restored_weights_include_moving_statistics():
    model = K.Sequential([K.layers.BatchNormalization(input_shape=(1,)), K.layers.Dense(1)], seed=0)
    model.compile("sgd", "mse")
    states = []
    keep = K.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: states.append(model.state.tolist()))
    stop = K.callbacks.EarlyStopping("loss", patience=1, restore_best_weights=True)
    model.fit(X, Y, epochs=12, verbose=0, callbacks=[Feed(), keep, stop])
    assert model.state.tolist() == states[1] != states[2]


# --- learning rates

RATES = rows("""
    dict(patience=2, factor=0.5)              .1 .1 .1 .1 .1 .1 .05 .05 .05 .025 .025 .0125
    dict(patience=1, factor=0.5, cooldown=2)  .1 .1 .1 .05 .05 .025 .025 .025 .0125 .0125 .00625 .00625
    dict(patience=1, factor=0.1, min_lr=.004)  .1 .1 .1 .01 .01 .004 .004 .004 .004 .004 .004 .004
    dict(patience=2, factor=0.5, min_delta=.2)  .1 .1 .1 .1 .05 .05 .025 .025 .0125 .0125 .00625 .00625
""")


@pytest.mark.parametrize("arguments, expected", RATES)
def test_reduction_on_a_plateau_is_that_of_keras(arguments, expected):
    model = fitted(K.callbacks.ReduceLROnPlateau(monitor="loss", **eval(arguments)), line(learning_rate=0.1))
    assert model.history.history["learning_rate"] == pytest.approx([float(r) for r in expected.split()])


@pytest.mark.parametrize(
    "schedule", [lambda epoch, rate: rate * 0.5 if epoch else rate, lambda e: 0.01 * 0.5**e]
)
def test_a_schedule_of_rates_is_that_of_keras(schedule):
    model = line()
    callback = K.callbacks.LearningRateScheduler(schedule)
    history = model.fit(X, Y, epochs=4, shuffle=False, verbose=0, callbacks=callback).history
    assert history["learning_rate"] == pytest.approx([0.01, 0.005, 0.0025, 0.00125])
    assert history["loss"] == pytest.approx([6.875, 3.9448373, 3.2865779, 3.0553448], rel=1e-6)


# --- hooks


class Spy(K.callbacks.Callback):
    """Writes down every hook with its number."""

    def __init__(self):
        self.seen = []


def spy_on(name):
    def hook(self, *given):
        self.seen.append((name, *(n for n in given if isinstance(n, int))))

    return hook


for name in K.callbacks.base.HOOKS:
    setattr(Spy, name, spy_on(name))


def test_hooks_come_in_the_order_of_keras():
    spy = Spy()
    line().fit(X, Y, batch_size=4, verbose=0, validation_data=(X, Y), callbacks=[spy])
    assert [" ".join(map(str, seen)).removeprefix("on_") for seen in spy.seen] == [
        "train_begin",
        "epoch_begin 0",
        "train_batch_begin 0",
        "train_batch_end 0",
        "train_batch_begin 1",
        "train_batch_end 1",
        "test_begin",
        "test_end",
        "epoch_end 0",
        "train_end",
    ]
    assert spy.params == {"epochs": 1, "steps": 2, "verbose": 0}


def test_a_batch_may_end_the_training_and_logs_are_means_so_far():
    model, means = line(learning_rate=0.0), []

    def stop(batch, logs):
        means.append(logs["loss"])
        model.stop_training = batch == 1

    history = model.fit(
        X,
        Y,
        2,
        epochs=3,
        shuffle=False,
        verbose=0,
        callbacks=K.callbacks.LambdaCallback(on_train_batch_end=stop),
    )
    first, second = model.evaluate(X[:2], Y[:2]), model.evaluate(X[2:4], Y[2:4])
    assert means == pytest.approx([first, (first + second) / 2])
    assert history.epoch == [0] and history.history["loss"] == means[1:]
    assert model.optimizer.iterations == 2


def test_an_evaluation_within_an_epoch_does_not_disturb_its_metrics():
    model = line(metrics=["mae"])
    plain = model.fit(X, Y, 2, verbose=0, seed=1).history
    model = line(metrics=["mae"])
    look = K.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: model.evaluate(X[:1], Y[:1]))
    assert model.fit(X, Y, 2, verbose=0, seed=1, callbacks=[look]).history == plain


@pytest.mark.parametrize(
    "wrong, right",
    [
        ("on_epoch_ends", "on_epoch_end"),
        ("on_batch_end", "on_train_batch_end"),
        ("on_training_end", "on_train_end"),
    ],
)
def test_a_misspelt_hook_is_refused_when_the_class_is_made(wrong, right):
    with pytest.raises(TypeError, match=rf"Mine.{wrong} is no hook .*; did you mean {right}\?"):
        type("Mine", (K.callbacks.Callback,), {wrong: lambda self, epoch, logs=None: None})


def failing(*given):
    raise KeyError("mine")


def test_a_callback_that_raises_loses_nothing(tmp_path):
    path, spy = tmp_path / "log.csv", Spy()
    log = K.callbacks.CSVLogger(path)
    stop = K.callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)
    fail = K.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: epoch == 3 and failing())
    model = line()
    with pytest.raises(KeyError, match="mine"):
        model.fit(X, Y, epochs=9, verbose=0, callbacks=[Feed(), fail, log, stop, spy])
    assert spy.seen[-1] == ("on_train_end",)
    assert log._file is None and len(path.read_text().splitlines()) == 4
    assert model.history.history["loss"] == LOSSES[:3]
    assert stop.best_epoch == 1


def test_every_callback_ends_although_one_of_them_raises_there():
    spy, late = Spy(), Spy()
    fail = K.callbacks.LambdaCallback(on_train_end=failing)
    with pytest.raises(KeyError, match="mine"):
        line().fit(X, Y, verbose=0, callbacks=[spy, fail, late])
    assert spy.seen[-1] == late.seen[-1] == ("on_train_end",)


REFUSED = rows("""
    EarlyStopping()                            monitors 'val_loss', but there are loss, mae, mine; give
    EarlyStopping("val_mae")                   monitors 'val_mae', but there are loss
    EarlyStopping("mine")                      whether more 'mine' is better; give mode='min' or 'max'
    ReduceLROnPlateau("learning_rates")        there are loss, mae, mine, learning_rate
    ModelCheckpoint("a", save_best_only=True)  monitors 'val_loss'
    ModelCheckpoint("a-{val_loss:.2f}")        'val_loss' cannot be filled in; there are epoch, loss, mae
    ModelCheckpoint("a-{batch}")               'batch' cannot be filled in
    ModelCheckpoint("a-{loss:q}")              cannot be filled in
    ModelCheckpoint("a-{}")                    cannot be filled in
""")


@pytest.mark.parametrize("call, message", REFUSED)
def test_what_cannot_work_is_refused_before_the_first_epoch(call, message):
    def mine(y_true, y_pred):
        return np.abs(y_true - y_pred)

    model = line(metrics=["mae", mine])
    before, callback = weights(model), eval(f"K.callbacks.{call}")
    with pytest.raises(ValueError, match=message) as caught:
        model.fit(X, Y, verbose=0, callbacks=[callback])
    assert "\n" not in str(caught.value)
    assert weights(model) == before and model.optimizer.iterations == 0


BAD = rows("""
    EarlyStopping(patience=-1)            ValueError  patience must be a whole number >= 0
    EarlyStopping(mode="up")              ValueError  mode must be one of auto, min, max
    EarlyStopping(restore_best=True)      TypeError   restore_best
    ReduceLROnPlateau(factor=1.0)         ValueError  factor
    ModelCheckpoint("a", save_freq=0)     ValueError  save_freq
    LearningRateScheduler(0.1)            TypeError   schedule must be a function
    CSVLogger("a", separator=", ")        ValueError  separator must be one character
    LambdaCallback(on_batch=print)        TypeError   no argument 'on_batch'; there are on_train_begin
    LambdaCallback(on_epoch_end=3)        TypeError   on_epoch_end must be a function
""")


@pytest.mark.parametrize("call, error, message", BAD)
def test_bad_arguments_are_refused(call, error, message):
    with pytest.raises(TypeError if error == "TypeError" else ValueError, match=message):
        eval(f"K.callbacks.{call}")


def test_what_is_no_callback_is_refused():
    with pytest.raises(TypeError, match="must be a callbacks.Callback object"):
        line().fit(X, Y, verbose=0, callbacks=[K.callbacks.EarlyStopping])


# --- files


def test_checkpoints_are_named_by_epoch_and_values(tmp_path):
    path = tmp_path / "new" / "{epoch:02d}-{loss:.2f}.safetensors"
    model = fitted(K.callbacks.ModelCheckpoint(path, "loss", save_best_only=True))
    names = sorted(file.name for file in path.parent.iterdir())
    assert names == [f"{n}.safetensors" for n in ("01-5.00", "02-4.00", "04-3.90", "07-3.80", "12-1.00")]
    loaded = K.load_model(path.parent / "12-1.00.safetensors")
    assert weights(loaded) == weights(model) and loaded.optimizer.iterations == 12


def test_checkpoints_every_few_steps_hold_the_weights_of_that_step(tmp_path):
    path = str(tmp_path / "{epoch}-{batch}")
    model = line()
    callback = K.callbacks.ModelCheckpoint(path, save_freq=3, save_weights_only=True)
    model.fit(X, Y, batch_size=2, epochs=2, shuffle=False, verbose=0, callbacks=[callback])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1-3", "2-2"]
    K.saving.load_weights(model, path.format(epoch=1, batch=3))
    other = line()
    for start in (0, 2, 4):
        other.train_on_batch(X[start : start + 2], Y[start : start + 2])
    assert weights(model) == weights(other)


def read(path, separator=","):
    with path.open(newline="") as file:
        return list(csv.reader(file, delimiter=separator))


def test_a_csv_file_has_a_line_for_each_epoch_and_is_continued(tmp_path):
    path, model = tmp_path / "log.csv", line(metrics=["mae"])
    common = {"verbose": 0, "validation_data": (X, Y)}
    model.fit(X, Y, epochs=2, callbacks=[K.callbacks.CSVLogger(path, ";")], **common)
    more = K.callbacks.CSVLogger(path, ";", append=True)
    history = model.fit(X, Y, epochs=3, initial_epoch=2, callbacks=[more], **common)
    table = read(path, ";")
    assert table[0] == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert [line[0] for line in table[1:]] == ["0", "1", "2"]
    assert float(table[3][3]) == history.history["val_loss"][0]
    with pytest.raises(ValueError, match="has the columns epoch, loss, mae"):
        line().fit(X, Y, verbose=0, callbacks=[more])
