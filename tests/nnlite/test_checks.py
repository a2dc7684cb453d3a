"""Data and settings that cannot work are refused before the first step; what makes no sense is warned of."""

import re
import warnings

import numpy as np
import pytest

import nnlite as K

X, Y = np.arange(24.0).reshape(12, 2) / 24, np.arange(12.0)[:, None] / 12


def compiled(loss="mse", units=1, activation=None):
    model = K.Sequential([K.layers.Dense(units, activation, input_shape=(2,))], seed=0)
    model.compile("sgd", loss)
    return model


BAD_FIT = """
    X, Y, validation_data=(X,)                          validation_data must be .x, y. .* not 1 parts
    X, Y, validation_data=(X, Y, Y, Y)                  not 4 parts
    X, Y, validation_data=0.25                          validation_data must be .* not float
    X, Y, validation_data=X                             validation_data must be .* not ndarray
    X, Y, validation_data=(X, Y[:5])                    same number of examples.* 12 and 5
    X, Y, validation_data=(X[:, :1], Y)                 the model reads \\(N, 2\\), not \\(12, 1\\)
    X, Y, validation_data=(X, np.ones((12, 3)))         y \\(12, 3\\) must have the same shape
    X, Y, validation_data=(X[:0], Y[:0])                at least one: 0 and 0
    X, Y, validation_data=(X, "no")                     must hold real numbers
    X, Y, validation_data=(X, Y, np.ones(3))            validation weights must be 12 finite numbers
    X, Y, validation_data=(X, Y, -np.ones(12))          validation weights must be 12 finite numbers >= 0
    X, Y, validation_data=(X, Y), validation_split=0.5  not both
    X, Y, validation_split="0.2"                        validation_split must be a finite number in
    X, Y, validation_split=True                         validation_split must be
    X, Y, validation_split=0.999                        leaves 0 to train on
    X, Y, shuffle="batch"                               shuffle must be True or False
    X, Y, verbose=3                                     verbose must be 0, 1, 2 or 'auto'
    X, Y, verbose="yes"                                 verbose must be
    X, Y, epochs="3"                                    epochs must be a whole number
    X, Y, batch_size=2.0                                batch_size must be a whole number
    X, np.ones((12, 2))                                 y \\(12, 2\\) must have the same shape
    X[:, :1], Y                                         the model reads \\(N, 2\\), not \\(12, 1\\)
    X.astype(str), Y                                    x must hold real numbers, not <U
    X.tolist()[:11] + [["1", "2"]], Y                   x must hold real numbers
    X + 1j, Y                                           x must hold real numbers, not complex
    X.tolist()[:11] + [[1.0]], Y                        x cannot be read as an array
    np.ma.masked_less(X, 0.3), Y                        x has masked elements
    X, np.ma.masked_less(Y, 0.3)                        y has masked elements
    X, Y, validation_data=(X, np.ma.masked_less(Y, 0.3))  validation y has masked elements
    1.0, Y                                              one row an example
"""
CASES = [re.split(r"\s{2,}", line.strip()) for line in BAD_FIT.strip().splitlines()]


@pytest.mark.parametrize("arguments, message", CASES, ids=[case[0] for case in CASES])
def test_fit_refuses_before_the_first_step(arguments, message):
    model = compiled()
    model.build()
    before = model.params.tobytes()
    with pytest.raises(ValueError, match=message) as caught:
        eval(f"model.fit({arguments})", {"model": model, "X": X, "Y": Y, "np": np})
    assert model.params.tobytes() == before and model.optimizer.iterations == 0
    assert "\n" not in str(caught.value)


def test_a_masked_array_without_masked_elements_is_an_array():
    one, other = compiled(), compiled()
    one.fit(np.ma.array(X), Y, verbose=0, seed=0)
    other.fit(X, Y, verbose=0, seed=0)
    assert one.params.tobytes() == other.params.tobytes()


@pytest.mark.parametrize("share, rows, held", [(0.2, 404, 81), (0.25, 10, 3), (0.1, 3, 1), (0.5, 2, 1)])
def test_a_share_is_rounded_as_in_keras(share, rows, held):
    """Keras trains on floor(N (1 - share)) examples."""
    model, seen = compiled(), []
    x = np.ones((rows, 2))

    def loss(prediction, target):
        seen.append(len(target))
        return K.losses.mse(prediction, target)

    model.compile("sgd", loss)
    model.fit(x, np.zeros(rows), batch_size=rows, validation_split=share, verbose=0)
    assert seen == [rows - held, held]


def test_weights_of_validation_examples_count():
    model = compiled()
    weights = np.linspace(0, 2, 12)
    history = model.fit(X, Y, verbose=0, validation_data=(X, Y, weights)).history
    error = (model.predict(X) - Y)[:, 0] ** 2
    assert history["val_loss"][0] == pytest.approx(float(np.mean(weights * error)), rel=1e-5)
    nothing = model.fit(X, Y, verbose=0, validation_data=(X, Y, np.zeros(12))).history
    assert nothing["val_loss"] == [0.0]


def test_one_column_of_a_softmax_is_warned_of():
    with pytest.warns(UserWarning, match="softmax of dense over one column is always 1.*use sigmoid"):
        K.Sequential([K.layers.Dense(1, "softmax", input_shape=(2,))]).build()
    model = K.Sequential([K.layers.Dense(1, input_shape=(2,))]).build()
    with pytest.warns(UserWarning, match="softmax of dense"):
        model.layers[0].activation = "softmax"


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_a_crossentropy_over_one_column_is_warned_of(loss, activation):
    with pytest.warns(UserWarning, match="over one column is always 0.*use binary_crossentropy"):
        compiled(loss, activation=activation).fit(X, Y, verbose=0)


def test_what_makes_sense_is_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled("binary_crossentropy", activation="sigmoid").fit(X, Y > 0.5, verbose=0)
        compiled("categorical_crossentropy", 2, "softmax").fit(X, Y[:, 0] > 0.5, verbose=0)


OTHERS = r"""
    K.utils.to_categorical(["1", "2"])                  labels must hold real numbers
    K.utils.to_categorical(np.ma.masked_less([0, 1], 1))  labels has masked elements
    K.utils.to_categorical([0, 1], "3")                 num_classes must be a whole number
    K.utils.to_categorical([0, 1], 2.5)                 num_classes must be a whole number
    compiled().compile("sgd", 5)                        5 names no loss
    compiled().compile("sgd", ["mse"])                  names no loss
    compiled().compile("sgd", "mse", metrics=5)         unknown metric 5
    compiled().compile(0.01, "mse")                     0.01 names no optimizer
    K.layers.Dense(2, kernel_regularizer=0.01)          0.01 names no regularizer
    K.layers.Dense(2, activation=len)                   names no activation
    compiled().build().set_weights([[["1"], ["2"]], [0]])  a weight must hold real numbers
    compiled().build().copy_from(compiled(), tau="1")   tau must be a finite number
    compiled().build().copy_from(compiled(), tau=1.5)   tau must be in .0, 1.
    compiled().build((3,))                              \(2,\), but the data is \(3,\)
    compiled().predict(["1", "2"])                      x must hold real numbers
    compiled().predict(X, batch_size=2.5)               batch_size must be a whole number
    compiled().predict(X, verbose=7)                    verbose must be
    K.losses.huber([1.0], [2.0], delta=-1)              delta must be a finite number > 0
    K.losses.huber([1.0], [2.0], delta="1")             delta must be a finite number > 0
"""
OTHER_CASES = [re.split(r"\s{2,}", line.strip()) for line in OTHERS.strip().splitlines()]


@pytest.mark.parametrize("call, message", OTHER_CASES, ids=[case[0] for case in OTHER_CASES])
def test_other_doors_refuse_too(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        eval(call)
    assert "\n" not in str(caught.value)


# --- losses called directly

LOSSES = [
    K.losses.mean_squared_error,
    K.losses.mean_absolute_error,
    K.losses.huber,
    K.losses.binary_crossentropy,
    K.losses.categorical_crossentropy,
    K.losses.binary_crossentropy_from_logits,
    K.losses.categorical_crossentropy_from_logits,
]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", ["int64", "int8", "uint8", "bool", "list", "float16", ">f4"])
def test_a_loss_computes_in_floating_point(loss, kind):
    prediction, target = np.array([[1, 0], [0, 1]]), np.array([[1, 0], [1, 0]])
    if kind == "list":
        given = prediction.tolist(), target.tolist()
    else:
        given = prediction.astype(kind), target.astype(kind)
    value, gradient = loss(*given)
    exact_value, exact_gradient = loss(prediction.astype("f8"), target.astype("f8"))
    assert gradient.dtype in (np.float32, np.float64) and np.isfinite(value)
    error = 1e-2 if gradient.dtype == np.float32 else 1e-12  # the clipped probabilities differ
    assert value == pytest.approx(exact_value, rel=error)
    np.testing.assert_allclose(gradient, exact_gradient, rtol=error, atol=1e-7)


def test_a_difference_does_not_wrap_around():
    value, gradient = K.losses.mse(np.array([[200]], "u1"), np.array([[100]], "u1"))
    assert value == 10000 and gradient[0, 0] == 200
    assert K.losses.mae(np.array([[100]], "u1"), np.array([[200]], "u1"))[0] == 100
    assert K.losses.mse(np.array([[300]], "f2"), np.array([[0]], "f2"))[0] == 90000
    assert K.losses.mse(np.array([[3]]), np.array([[0.5]]))[0] == 6.25
    assert K.losses.huber(np.array([[200]], "u1"), np.array([[100]], "u1"), delta=np.inf)[0] == 5000


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    "bad", [[["1", "2"]], [[1j, 2]], np.ma.masked_less([[1.0, 2.0]], 1.5), [[1, 2], [3]]]
)
def test_a_loss_refuses_what_is_no_array_of_numbers(loss, bad):
    with pytest.raises(ValueError, match="prediction"):
        loss(bad, np.ones((1, 2)))
    with pytest.raises(ValueError, match="target"):
        loss(np.ones((1, 2)), bad)


def test_half_precision_stays_single_precision():
    assert K.losses.mse(np.ones((1, 1), "f2"), np.ones((1, 1)))[1].dtype == np.float32
    assert K.losses.mse(np.ones((1, 1), "f4"), np.ones((1, 1)))[1].dtype == np.float32


# --- names in a file

NAMES = ["optimizer", "optimizer/x", "optimizer/m", "conv1/conv", "層", "__metadata__", "compiled", "a" * 500]


@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_layer_of_any_name_is_saved_and_loaded(tmp_path, name, include):
    model = K.Sequential([K.layers.Dense(3, name=name, input_shape=(2,)), K.layers.Dense(1)], seed=0)
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model", include_optimizer=include)
    other = K.load_model(tmp_path / "model")
    assert other.params.tobytes() == model.params.tobytes() and other.layers[0].name == name
    if include:
        assert other.optimizer.m.tobytes() == model.optimizer.m.tobytes()
        for each in (model, other):
            each.fit(X, Y, verbose=0, seed=1)
        assert other.params.tobytes() == model.params.tobytes()


@pytest.mark.parametrize("flag", ["overwrite", "include_optimizer"])
def test_flags_of_save_are_flags(tmp_path, flag):
    with pytest.raises(ValueError, match=f"{flag} must be True or False, not 'no'"):
        compiled().save(tmp_path / "m", **{flag: "no"})
    assert not list(tmp_path.iterdir())


def test_verbose_predictions_and_evaluations_print_a_line(capsys):
    model = compiled()
    model.predict(X, batch_size=5, verbose=1)
    assert capsys.readouterr().out.startswith("3/3 [==============================] - 0s ")
    model.evaluate(X, Y, batch_size=5, verbose=1)
    assert re.match(r"3/3 \[=+\] - 0s \d+[um]?s/step - loss: \d", capsys.readouterr().out)
    model.predict(X), model.evaluate(X, Y)
    assert capsys.readouterr().out == ""
