"""Small scripts that use every name of the articles' listings: only the import line differs from Keras."""

import builtins
import re

import numpy as np
import pytest
from sklearn.datasets import load_digits

import nnlite as K
from tests.tables import rows


def digits(n=300):
    pixels, labels = load_digits(return_X_y=True)
    return pixels[:n].reshape(-1, 8, 8, 1), K.utils.to_categorical(labels[:n], 10)


# --- one layer, two layers


def test_two_layers_on_a_batch():
    first = K.layers.Dense(units=4, input_shape=((2,)), activation="sigmoid")
    model = K.models.Sequential([first, K.layers.Dense(units=4)])
    batch = np.random.default_rng(0).random((3, 2))
    (W1, b1), (W2, b2) = (layer.get_weights() for layer in model.layers)
    assert W1.shape == (2, 4) and not b1.any() and not b2.any()
    expected = (1 / (1 + np.exp(-(batch @ W1 + b1)))) @ W2 + b2
    np.testing.assert_allclose(model.predict(batch), expected, atol=1e-6)


# --- fit


def regression(n=200):
    rng = np.random.default_rng(0)
    x = rng.normal([5.0, -3.0, 100.0], [2.0, 0.1, 30.0], (n, 3))
    return x, x @ [1.0, 5.0, 0.1] + 3  # (n,): one number an example, as tables have it


def housing_model():
    hidden = K.layers.Dense(units=13, activation="softplus", kernel_regularizer="l1")
    chain = [K.layers.BatchNormalization(input_shape=(3,)), hidden, K.layers.Dense(units=1)]
    model = K.Sequential(chain, seed=0)
    model.compile(loss="mean_squared_error", optimizer="sgd")
    return model


def test_regression_with_targets_of_one_axis_learns():
    x, y = regression()
    history = housing_model().fit(x, y, epochs=8, verbose=0)
    assert history.epoch == list(range(8)) and len(history.history["loss"]) == 8
    assert history.history["loss"][-1] < history.history["loss"][0] / 5


def test_progress_lines_are_those_of_keras(capsys):
    x, y = regression(100)
    housing_model().fit(x, y, epochs=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2"
    assert re.fullmatch(r"4/4 \[={30}\] - \d+s \d+(us|ms|s)/step - loss: \d+\.\d{4}", lines[1])


def test_progress_with_validation_and_metric_and_verbose_2(capsys):
    model = K.Sequential([K.layers.Dense(3, activation="softmax", input_shape=(2,))])
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    x, y = np.ones((9, 2)), np.eye(3)[np.arange(9) % 3]
    model.fit(x, y, verbose=2, validation_data=(x, y))
    first, second = capsys.readouterr().out.splitlines()
    assert first == "Epoch 1/1"
    names = " - ".join(rf"{name}: \S+" for name in ("loss", "accuracy", "val_loss", "val_accuracy"))
    assert re.fullmatch(rf"\d+s \S+/step - {names}", second)
    model.fit(x, y, verbose=0)
    assert capsys.readouterr().out == ""


def test_classification_of_digits_learns_and_evaluates():
    x, y = digits()
    common = {"strides": 1, "padding": "same", "activation": "relu"}
    model = K.Sequential(seed=1)
    model.add(K.layers.Conv2D(5, kernel_size=3, input_shape=(8, 8, 1), **common))
    model.add(K.layers.Conv2D(3, kernel_size=2, **common))
    model.add(K.layers.Flatten())
    model.add(K.layers.Dense(units=10, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    history = model.fit(x, y, epochs=8, validation_split=0.2, verbose=0, seed=3)
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    loss, accuracy = model.evaluate(x[240:], y[240:])
    assert accuracy == pytest.approx(history.history["val_accuracy"][-1])
    assert loss == pytest.approx(history.history["val_loss"][-1], rel=1e-5)
    assert accuracy > 0.6  # chance is 0.1
    predicted = np.argmax(model.predict(x[240:]), axis=1)
    assert np.mean(predicted == np.argmax(y[240:], axis=1)) == pytest.approx(accuracy)


def test_a_seed_is_a_seed_and_shuffling_matters():
    def fitted(**settings):
        model, (x, y) = housing_model(), regression()
        model.fit(x, y, epochs=2, verbose=0, **settings)
        return model.params.tolist()

    assert fitted(seed=1) == fitted(seed=1) != fitted(seed=2)
    assert fitted() == fitted()  # the model's own generator, which has a seed too
    assert fitted(shuffle=False) == fitted(shuffle=False) != fitted(seed=1)


def test_validation_split_takes_the_last_part_and_does_not_train_on_it():
    x, y = np.ones((10, 1)), np.r_[np.zeros(8), np.full(2, 100.0)]
    model = K.Sequential([K.layers.Dense(1, input_shape=(1,))], seed=0)
    model.compile("sgd", "mse")
    history = model.fit(x, y, epochs=200, batch_size=8, validation_split=0.2, verbose=0)
    assert abs(model.predict([[1.0]])[0, 0]) < 0.1  # the two outliers were never seen
    assert history.history["val_loss"][-1] == pytest.approx(1e4, rel=0.01)


def test_the_mean_loss_of_an_epoch_weighs_a_short_last_batch_rightly():
    model = K.Sequential([K.layers.Dense(1, input_shape=(1,))], seed=0)
    model.compile(K.optimizers.SGD(0.0), "mse")
    x, y = np.ones((5, 1)), np.arange(5.0)
    history = model.fit(x, y, batch_size=2, verbose=0)
    assert history.history["loss"][0] == pytest.approx(model.evaluate(x, y), rel=1e-6)


def test_sparse_labels():
    model = K.Sequential([K.layers.Dense(3, activation="softmax", input_shape=(2,))], seed=0)
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, labels = np.random.default_rng(0).random((6, 2)), np.array([0, 1, 2, 2, 1, 0])
    sparse = model.evaluate(x, labels)
    model.compile("sgd", "categorical_crossentropy")
    assert model.evaluate(x, K.utils.to_categorical(labels, 3)) == pytest.approx(sparse)


# --- the agent of the Catcher article


class ScreenAgent:
    """Every call of a Keras agent of 2017."""

    def __init__(self, actions, shape):
        normal = K.initializers.glorot_normal()
        model = K.Sequential(seed=0)  # one draw in fifteen has dead relus, and learns nothing
        common = {"padding": "same", "kernel_initializer": normal, "activation": "relu"}
        model.add(K.layers.Conv2D(4, kernel_size=8, strides=4, input_shape=shape, **common))
        model.add(K.layers.Conv2D(4, kernel_size=4, strides=2, **common))
        model.add(K.layers.Flatten())
        model.add(K.layers.Dense(8, kernel_initializer=normal, activation="relu"))
        model.add(K.layers.Dense(actions, kernel_initializer=normal))
        self.model, self.teacher = model, K.models.clone_model(model)
        self.model.compile(K.optimizers.Adam(lr=1e-2, clipvalue=1.0), loss="mse")

    def estimate(self, state):
        return self.model.predict(np.array([state]))[0]

    def update(self, states, actions, rewards, next_states, gamma):
        estimated, future = self.model.predict(states), self.teacher.predict(next_states)
        for i, (action, reward) in enumerate(zip(actions, rewards)):
            estimated[i][action] = reward + gamma * np.max(future[i])
        return self.model.train_on_batch(states, estimated)

    def update_teacher(self):
        self.teacher.set_weights(self.model.get_weights())

    def save(self, path):
        self.model.save(path, overwrite=True, include_optimizer=False)


def test_the_agent_learns_saves_and_loads(tmp_path):
    rng = np.random.default_rng(0)
    agent, states = ScreenAgent(3, (20, 20, 4)), rng.random((32, 20, 20, 4))
    assert agent.estimate(states[0]).shape == (3,)
    actions, rewards = rng.integers(3, size=32), rng.choice([-1.0, 1.0], 32)

    def same():
        return [np.array_equal(*pair) for pair in zip(agent.model.get_weights(), agent.teacher.get_weights())]

    assert not same()[0]  # clone_model draws anew
    agent.update_teacher()
    assert all(same())
    losses = [agent.update(states, actions, rewards, states, 0.5) for _ in range(60)]
    assert isinstance(losses[0], float) and losses[-1] < losses[0] / 2
    agent.save(str(tmp_path / "agent.h5"))
    loaded = K.models.load_model(str(tmp_path / "agent.h5"))
    np.testing.assert_array_equal(loaded.predict(states), agent.model.predict(states))


# --- the rest of the words


def test_summary_is_the_table_that_readers_know(capsys):
    housing_model().summary()
    text = capsys.readouterr().out
    for words in ('Model: "sequential"', "Layer (type)", "Output Shape", "Param #"):
        assert words in text
    assert re.search(r"dense \(Dense\) +\(None, 13\) +52", text)
    assert "Total params: 78" in text and "Trainable params: 72" in text and "Non-trainable params: 6" in text
    assert len({len(line) for line in text.splitlines() if set(line) <= set("=_")}) == 1


@pytest.mark.parametrize(
    "labels, columns, expected",
    [([0, 2], None, [[1, 0, 0], [0, 0, 1]]), ([[1], [0]], 2, [[0, 1], [1, 0]]), ([1.0], 3, [[0, 1, 0]])],
)
def test_to_categorical(labels, columns, expected):
    assert K.utils.to_categorical(labels, columns).tolist() == expected


@pytest.mark.parametrize("labels, columns", [([-1], None), ([0.5], None), ([3], 3)])
def test_to_categorical_refuses(labels, columns):
    with pytest.raises(ValueError, match="label"):
        K.utils.to_categorical(labels, columns)


def compiled():
    model = K.Sequential([K.layers.Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse")
    return model


ANSWERS = rows("""
    K.layers.LSTM(4)                                  AttributeError  no 'LSTM'; there are .*Conv2D, Dense
    K.optimizers.Ftrl()                               AttributeError  no 'Ftrl'; there are Adam, AdamW
    K.losses.hinge                                    AttributeError  no 'hinge'; .*mean_squared_error
    K.regularizers.l3                                 AttributeError  no 'l3'; there are .*l1
    K.activations.elu                                 AttributeError  no 'elu'; there are .*relu
    K.callbacks.TensorBoard("logs")                   AttributeError  no 'TensorBoard'; there are CSVLogger
    K.metrics.F1Score()                               AttributeError  no 'F1Score'; there are AUC
    K.models.Model()                                  AttributeError  no 'Model'; there are Sequential
    K.layers.Dense(4, kernel_constraint="max_norm")   TypeError       'kernel_constraint'; there are units
    K.layers.Dense(4, activation="selu")              ValueError      activation 'selu'; there are elu
    K.layers.Dense(4, kernel_initializer="xavier")    ValueError      glorot_normal
    compiled().compile("ftrl")                        ValueError      optimizer 'ftrl'; there are adam, ada
    compiled().compile("sgd", "hinge")                ValueError      unknown loss 'hinge'; there are
    compiled().compile("sgd", "mse", metrics=["f1"])  ValueError      unknown metric 'f1'; there are acc, acc
    compiled().compile("sgd", loss_weights=[1])       TypeError       'loss_weights'; there are optimizer
    compiled().fit([[1]], [1], validation_freq=2)     TypeError       'validation_freq'; there are x, y, batch
    compiled().fit([[1]], [1, 2])                     ValueError      same number of examples.*1 and 2
    compiled().fit([[1]], [1], epochs=0)              ValueError      epochs
    compiled().fit([[1]], [1], validation_split=1.0)  ValueError      validation_split
""")


@pytest.mark.parametrize("call, error, message", ANSWERS)
def test_what_we_do_not_have_is_answered_with_what_we_have(call, error, message):
    with pytest.raises(getattr(builtins, error), match=message) as caught:
        made = eval(call)
        K.Sequential([made]).build((2,))  # initializers are looked up here
    assert "\n" not in str(caught.value)


def test_an_accuracy_of_two_classes():
    model = K.Sequential([K.layers.Dense(1, activation="sigmoid", input_shape=(1,))])
    model.set_weights([[[1.0]], [0.0]])
    model.compile("sgd", "binary_crossentropy", metrics="accuracy")
    assert model.evaluate([[-1.0], [2.0], [3.0], [-4.0]], [0, 1, 0, 0])[1] == 0.75
