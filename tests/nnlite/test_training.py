"""Weights of examples and classes: Keras 3.15's numbers on JAX. Batches: the same bytes from any source."""

import numpy as np
import pytest

import nnlite as K
from tests.nnlite.lines import X, Y, line, weights
from tests.tables import rows

W = np.array([1, 2, 0, 1, 0.5, 3, 1, 2])


def test_weights_of_examples_are_those_of_keras():
    model = line(metrics=["mae"], weighted_metrics=["mae", "mse"])
    held_out = X[:3], Y[:3], W[:3]
    settings = {"shuffle": False, "epochs": 2, "verbose": 0, "validation_data": held_out}
    history = model.fit(X, Y, batch_size=3, sample_weight=W, **settings).history
    expected = {
        "loss": [7.805750846862793, 4.078372478485107],
        "mae": [1.8138444423675537, 1.3386971950531006],
        "weighted_mae": [2.112088918685913, 1.6400445699691772],
        "mse": [5.947238922119141, 3.1073315143585205],
        "val_loss": [0.8566738963127136, 0.8044862747192383],
        "val_mae": [0.6891634464263916, 0.7018664479255676],
        "val_weighted_mae": [0.9255139231681824, 0.8969244956970215],
        "val_mse": [0.8566738963127136, 0.8044862747192383],
    }
    assert list(history) == list(expected)
    for name, values in expected.items():
        assert history[name] == pytest.approx(values, rel=1e-5), name
    assert weights(model) == pytest.approx([0.7963731288909912, 0.098027303814888], rel=1e-5)


def classifier(loss, activation="softmax"):
    model = K.Sequential([K.layers.Dense(3, activation=activation, input_shape=(2,))])
    model.set_weights([[[0.1, 0.5, -0.2], [0.3, -0.4, 0.2]], [0, 0.1, -0.1]])
    model.compile(K.optimizers.SGD(0.5), loss, metrics=["accuracy"])
    return model


POINTS, LABELS = np.array([[0, 1], [1, 0], [1, 1], [2, 0], [0, 2]], "f4"), np.array([0, 1, 2, 1, 0])
AFTER = [
    -0.39072397,
    0.91243637,
    -0.12171242,
    1.2361836,
    -0.8312711,
    -0.3049125,
    0.3326827,
    0.1284792,
    -0.4611618,
]


@pytest.mark.parametrize(
    "loss, y",
    [("sparse_categorical_crossentropy", LABELS), ("categorical_crossentropy", np.eye(3)[LABELS])],
)
def test_weights_of_classes_are_those_of_keras(loss, y):
    model = classifier(loss)
    settings = {"batch_size": 2, "shuffle": False, "epochs": 2, "verbose": 0}
    history = model.fit(POINTS, y, class_weight={0: 2.0, 2: 0.5}, **settings).history
    assert history["loss"] == pytest.approx([0.9058880805969238, 0.534018874168396], rel=1e-5)
    assert history["accuracy"] == pytest.approx([0.8, 0.8])  # metrics are not weighted
    assert weights(model) == pytest.approx(AFTER, rel=1e-5)


def test_a_batch_alone_is_weighted_like_fit():
    model, other = line(), line()
    model.fit(X, Y, batch_size=8, sample_weight=W, verbose=0, shuffle=False)
    value = other.train_on_batch(X, Y, sample_weight=W)
    assert weights(other) == weights(model) and model.history.history["loss"] == [value]
    assert line().test_on_batch(X, Y, W) == line().evaluate(X, Y, sample_weight=W) == pytest.approx(value)
    error = (X / 2 - Y)[:, 0]
    assert value == pytest.approx(np.mean(W * error**2), rel=1e-6)  # over N, not over the sum of weights


def test_one_column_of_classes_is_weighted_too():
    twice = line(loss="binary_crossentropy")
    twice.train_on_batch(X / 8, Y > 2, class_weight={1: 2.0})
    same = line(loss="binary_crossentropy")
    same.train_on_batch(X / 8, Y > 2, sample_weight=1 + (Y[:, 0] > 2))
    assert weights(twice) == weights(same) != weights(line())


def test_weights_of_one_change_nothing():
    plain, weighted = line(), line()
    plain.fit(X, Y, 3, epochs=3, verbose=0, seed=0)
    weighted.fit(X, Y, 3, epochs=3, verbose=0, seed=0, sample_weight=np.ones(8))
    assert weights(plain) == pytest.approx(weights(weighted), rel=1e-6)


def test_a_split_takes_the_weights_along():
    history = line(learning_rate=0).fit(X, Y, verbose=0, sample_weight=W, validation_split=0.25).history
    assert history["val_loss"][0] == pytest.approx(line().evaluate(X[6:], Y[6:], sample_weight=W[6:]))
    assert history["loss"][0] == pytest.approx(line().evaluate(X[:6], Y[:6], sample_weight=W[:6]))


# --- batches from elsewhere


class Batches(K.utils.Sequence):
    """The points in batches of three."""

    ends = 0

    def __init__(self, *weights):
        self.arrays = (X, Y, *weights)

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return tuple(array[3 * i : 3 * i + 3] for array in self.arrays)

    def on_epoch_end(self):
        self.ends += 1


def generator(*weights, epochs=2):
    for _ in range(epochs):
        yield from (Batches(*weights)[i] for i in range(3))


def test_the_source_of_the_batches_does_not_matter():
    models = [line(metrics=["mae"], weighted_metrics=["mse"]) for _ in range(3)]
    common = {"epochs": 2, "verbose": 0, "shuffle": False}
    dataset = Batches(W)
    results = [
        models[0].fit(X, Y, 3, sample_weight=W, validation_data=(X, Y, W), **common).history,
        models[1].fit(dataset, validation_data=Batches(W), **common).history,
        models[2]
        .fit(
            generator(W),
            steps_per_epoch=3,
            validation_data=generator(W),
            validation_steps=3,
            **common,
        )
        .history,
    ]
    assert weights(models[0]) == weights(models[1]) == weights(models[2])
    assert dataset.ends == 2
    for result in results[1:]:
        for name, values in results[0].items():
            assert result[name] == pytest.approx(values, rel=1e-6), name
    assert models[0].predict(Batches()).tolist() == models[0].predict(X, 3).tolist()
    assert models[0].predict(generator(epochs=1), verbose=2).tolist() == models[0].predict(X, 3).tolist()
    whole = models[0].evaluate(X, Y, sample_weight=W)
    assert models[0].evaluate(Batches(W)) == pytest.approx(whole)
    assert models[0].evaluate(generator(W, epochs=9), steps=3) == pytest.approx(whole)
    assert models[0].evaluate(generator(W, epochs=1)) == pytest.approx(whole)


def test_the_order_of_a_dataset_is_shuffled_by_the_seed():
    class Single(Batches):
        def __len__(self):
            return 8

        def __getitem__(self, i):
            return X[i : i + 1], Y[i : i + 1]

    def fitted(*data, **settings):
        model = line()
        model.fit(*data, epochs=2, verbose=0, **settings)
        return weights(model)

    assert fitted(Single()) == fitted(Single()) == fitted(X, Y, 1)  # the model's own generator
    assert fitted(Single(), seed=5) == fitted(X, Y, 1, seed=5) != fitted(Single())


def test_a_generator_without_a_length_shows_its_steps(capsys):
    line().fit(generator(epochs=1))
    assert "\n3/Unknown - 0s" in capsys.readouterr().out


def test_a_dataset_builds_the_model():
    model = K.Sequential([K.layers.Dense(1)], seed=0)
    model.compile("sgd", "mse")
    model.fit(generator(epochs=1), verbose=0)
    assert model.input_shape == (1,) and model.optimizer.iterations == 3  # the first batch is not lost


def test_an_earlier_fit_is_continued():
    model = line()
    history = model.fit(X, Y, epochs=5, initial_epoch=3, verbose=0)
    assert history.epoch == [3, 4] and model.history is history
    assert model.fit(X, Y, epochs=5, initial_epoch=5, verbose=0).epoch == []


REFUSED = rows("""
    fit(X, Y, sample_weight=W[:3])               sample_weight must be 8 finite numbers >= 0, not \\(3,\\)
    fit(X, Y, sample_weight=-W)                  sample_weight must be 8 finite numbers >= 0
    fit(X, Y, sample_weight=W, class_weight={0: 1})  give class_weight or sample_weight, not both
    fit(X, Y + 0.5, class_weight={0: 1})         class_weight needs targets that are classes
    fit(X, Y, class_weight=[1, 2])               class_weight must be {class: weight}
    fit(X, Y, class_weight={0: -1})              class_weight\\[0\\] must be a finite number >= 0
    fit(X, Y, class_weight={"a": 1})             class_weight must be {class: weight}
    fit(X, Y, steps_per_epoch=2)                 steps_per_epoch is for generators
    fit(X, Y, validation_steps=2)                validation_steps needs validation_data
    fit(X, Y, initial_epoch=2)                   initial_epoch must be a whole number in \\[0, epochs=1\\]
    fit(X)                                       y must hold real numbers
    fit(Batches(), Y)                            y and sample_weight come from the PyDataset
    fit(Batches(), sample_weight=W)              y and sample_weight come from the PyDataset
    fit(Batches(), steps_per_epoch=2)            steps_per_epoch is for generators; a PyDataset has its len
    fit(Batches(), validation_split=0.5)         validation_split needs arrays
    fit(generator(), epochs=2)                   needs steps_per_epoch for more than one epoch
    fit(X, Y, validation_data=generator())       needs validation_steps
    fit(iter([X]), steps_per_epoch=1)            a batch must be \\(x, y\\) or \\(x, y, weights\\)
    fit(iter([]))                                the generator ended after 0 of the first batch
    fit(iter([(X, Y[:3])]))                      same number of examples: 8 and 3
    evaluate(iter([(X, Y)]), steps=2)            the generator ended after 1 of 2 batches
""")


@pytest.mark.parametrize("call, message", REFUSED)
def test_what_does_not_fit_is_refused_before_a_step(call, message):
    model = line()
    before = weights(model)
    with pytest.raises(ValueError, match=message) as caught:
        eval(f"model.{call[:-1]}, verbose=0)")
    assert weights(model) == before and "\n" not in str(caught.value)


def test_a_class_that_the_model_has_not_is_refused():
    with pytest.raises(ValueError, match="has the class 3, but there are 3 columns"):
        classifier("categorical_crossentropy").fit(POINTS, np.eye(3)[LABELS], class_weight={3: 1}, verbose=0)


# --- files


def test_the_compiled_loss_and_metrics_are_saved(tmp_path):
    model = line(
        loss=K.losses.Huber(delta=2.0),
        metrics=["mae", K.metrics.RootMeanSquaredError(name="root")],
        weighted_metrics=[K.metrics.MeanSquaredError],
    )
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model", include_optimizer=True)
    loaded = K.load_model(tmp_path / "model")
    assert loaded.get_compile_config() == model.get_compile_config()
    assert loaded.evaluate(X, Y, sample_weight=W) == model.evaluate(X, Y, sample_weight=W)


def test_what_no_file_can_hold_is_refused_also_before_training(tmp_path):
    model = line(loss=lambda prediction, target: K.losses.mse(prediction, target))
    with pytest.raises(ValueError, match="a lambda has no name for a file"):
        model.save(tmp_path / "model", include_optimizer=True)
    with pytest.raises(ValueError, match="a lambda has no name for a file"):
        model.fit(X, Y, verbose=0, callbacks=[K.callbacks.ModelCheckpoint(tmp_path / "model")])
    assert model.optimizer.iterations == 0 and not list(tmp_path.iterdir())


def mean_of_cubes(prediction, target):
    error = prediction - target
    return float(np.mean(np.abs(error) ** 3)), 3 * error * np.abs(error) / error.size


def largest(y_true, y_pred):
    return np.abs(y_true - y_pred).max(axis=1)


class Doubled(K.losses.Loss):
    def __init__(self, factor=2.0):
        self.factor = factor

    def value(self, prediction, target):
        return self.factor * np.abs(prediction - target).sum(axis=1)

    def gradient(self, prediction, target):
        return self.factor * np.sign(prediction - target)


class Worst(K.metrics.Metric):
    def __init__(self, name="worst"):
        super().__init__(name)
        self.reset_state()

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.most = max(self.most, float(np.abs(y_pred - y_true).max()))

    def result(self):
        return self.most

    def reset_state(self):
        self.most = 0.0


@pytest.mark.parametrize("loss", [mean_of_cubes, Doubled(3.0)], ids=["function", "class"])
def test_losses_and_metrics_of_ones_own_come_back_with_the_model(loss, tmp_path):
    model = line(loss=loss, metrics=["mae", largest, Worst()])
    model.fit(X, Y, epochs=2, verbose=0, seed=0)
    model.save(tmp_path / "model", include_optimizer=True)
    with pytest.raises(ValueError, match="unknown (loss|metric)"):
        K.load_model(tmp_path / "model")
    own = {"mean_of_cubes": mean_of_cubes, "Doubled": Doubled, "largest": largest, "Worst": Worst}
    loaded = K.load_model(tmp_path / "model", custom_objects=own)
    assert loaded.evaluate(X, Y) == model.evaluate(X, Y)
