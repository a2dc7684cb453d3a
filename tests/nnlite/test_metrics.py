"""Metrics: Keras 3.15's values on JAX for the same tables, batch by batch; names; functions of one's own.

Expected numbers: keras.metrics with the same arguments and update_state over rows 0..14 and 15..39.
"""

import numpy as np
import pytest

import nnlite as K
from tests.nnlite.lines import X, Y, line
from tests.tables import rows

RNG = np.random.default_rng(0)
P = RNG.random(40).astype("f4")
P[:4] = [0, 1, 0.5, 0.5]
T = (RNG.random(40) < P).astype("f4")
W = RNG.integers(0, 4, 40).astype("f4")

VALUES = rows("""
    # metric                         unweighted          weighted
    AUC()                            0.7787723541259766  0.8184449672698975
    AUC(num_thresholds=50, curve="PR")  0.7846735715866089  0.8078128695487976
    AUC(num_thresholds=7)            0.7531969547271729  0.7952854037284851
    Precision()                      0.7916666865348816  0.8461538553237915
    Recall()                         0.8260869383811951  0.8461538553237915
    Precision(thresholds=0.8)        0.7272727489471436  0.6470588445663452
    Recall(thresholds=0.8)           0.3478260934352875  0.28205129504203796
    BinaryAccuracy()                 0.7749999761581421  0.8285714387893677
    BinaryAccuracy(threshold=0.7)    0.574999988079071   0.6000000238418579
    MeanAbsoluteError()              0.34714335203170776  0.31944531202316284
    MeanSquaredError()               0.18858547508716583  0.1717710793018341
    RootMeanSquaredError()           0.43426430225372314  0.41445276141166687
""")


@pytest.mark.parametrize("call, unweighted, weighted", VALUES)
def test_values_are_those_of_keras(call, unweighted, weighted):
    metric = eval(f"K.metrics.{call}")
    for weights, expected in ((None, unweighted), (W, weighted), (None, unweighted)):
        metric.reset_state()
        for part in (slice(0, 15), slice(15, 40)):
            factors = None if weights is None else weights[part]
            metric.update_state(T[part, None], P[part, None], sample_weight=factors)
        assert metric.result() == pytest.approx(float(expected), rel=2e-6)


def test_accuracies_of_columns():
    shares, labels = np.eye(3)[[2, 0, 1, 0, 2, 0]] * 0.5 + 0.1, np.array([2, 1, 1, 2, 1, 0])  # right: 0, 2, 5
    for metric, target in (
        (K.metrics.CategoricalAccuracy(), np.eye(3)[labels]),
        (K.metrics.SparseCategoricalAccuracy(), labels),
        (K.metrics.SparseCategoricalAccuracy(), labels[:, None]),
        (K.metrics.get("accuracy"), np.eye(3)[labels]),
    ):
        metric.update_state(target, shares)
        assert metric.result() == 0.5
    metric.update_state(labels, shares, sample_weight=[1, 2, 3, 4, 5, 6])
    assert metric.result() == pytest.approx((3 + 10) / (6 + 21))


def test_bytes_do_not_wrap_around():
    metric = K.metrics.MeanAbsoluteError()
    metric.update_state(np.array([[200]], "u1"), np.array([[100]], "u1"))
    assert metric.result() == 100


def test_nothing_is_zero_and_not_an_error():
    for name in ("auc", "precision", "recall", "mae", "accuracy"):
        assert K.metrics.get(name).result() == 0
    metric = K.metrics.AUC()
    metric.update_state(np.ones((3, 1)), np.full((3, 1), 0.5))  # Keras: 0, because there is no false alarm
    assert metric.result() == 0


def test_names_in_logs_are_those_of_keras():
    given = ["mae", K.metrics.RootMeanSquaredError, K.metrics.MeanSquaredError(name="area"), "mse", "acc"]
    model = line(metrics=given, weighted_metrics=["mae"])
    history = model.fit(X, Y, verbose=0, validation_data=(X, Y)).history
    names = ["loss", "mae", "root_mean_squared_error", "area", "mse", "acc", "weighted_mae"]
    assert list(history) == names + [f"val_{name}" for name in names]


def test_functions_of_ones_own_are_called_by_names():
    def keras_order(y_true, y_pred):
        return (y_pred - y_true)[:, 0]

    def our_order(prediction, target):
        return (prediction - target)[:, 0]

    def largest(y_true, y_pred, scale=1):
        return float(y_pred.max())

    model = line(metrics=[keras_order, our_order, largest])
    _, first, second, third = model.evaluate(X, Y, batch_size=3)
    assert first == second == pytest.approx(float(np.mean(X / 2 - Y)))
    assert third == pytest.approx(2.3333332538604736)  # Keras: the mean of the three batches, 1, 2.5, 3.5


def two(y_true, y_pred):
    return y_pred[:2]


def one(y_true, y_pred):
    return 1


REFUSED = rows("""
    line(metrics=[lambda p, t: 0])             TypeError   named prediction and target, .*; it has \\(p, t\\)
    line(metrics=[lambda y_pred: 0])           TypeError   it has \\(y_pred\\)
    line(metrics=[np.add])                     TypeError   the metric add must have two parameters
    line(metrics=["f1"])                       ValueError  unknown metric 'f1'; there are acc
    line(metrics=["mse", "mse"])               ValueError  two values are called 'mse'
    line(metrics=[K.metrics.AUC(name="loss")])  ValueError  two values are called 'loss'
    line(metrics=["auc"]).fit(X, Y, verbose=0)  ValueError  reads probabilities in \\[0, 1\\]; end the model
    K.metrics.AUC(curve="roc")                 ValueError  'ROC' or 'PR'
    K.metrics.AUC(num_thresholds=1)            ValueError  num_thresholds must be a whole number >= 2
    K.metrics.Recall(thresholds=[0.1])         ValueError  thresholds
    K.metrics.Recall().update_state([[2]], [[1]])     ValueError  targets that are 0 or 1
    K.metrics.Recall().update_state([[1]], [1])       ValueError  same shape
    K.metrics.get("mae").update_state([[1]], [[1]], [1, 2])  ValueError  sample_weight must be 1 finite
    line(metrics=[two]).evaluate(X, Y)         ValueError  the metric two must return one number, or 8
    line(weighted_metrics=[one]).test_on_batch(X, Y, X[:, 0])  ValueError  one returns one number, so exam
""")


@pytest.mark.parametrize("call, error, message", REFUSED)
def test_what_makes_no_metric_is_refused(call, error, message):
    with pytest.raises(TypeError if error == "TypeError" else ValueError, match=message):
        eval(call)


def test_a_class_of_ones_own_accumulates_over_an_epoch():
    class Largest(K.metrics.Metric):
        direction = "min"

        def __init__(self):
            super().__init__(name="largest")

        def reset_state(self):
            self.largest = 0.0

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.largest = max(self.largest, float(np.abs(y_true - y_pred).max()))

        def result(self):
            return self.largest

    model = line(metrics=[Largest()], learning_rate=0)
    stop = K.callbacks.EarlyStopping("val_largest")
    data = {"validation_data": (X[:4], Y[:4])}
    history = model.fit(X, Y, 3, epochs=9, verbose=0, callbacks=[stop], **data).history
    assert history["largest"] == [5, 5] and history["val_largest"] == [3.5, 3.5]


def test_metrics_see_the_output_after_its_activation():
    def middle(y_true, y_pred):
        return y_pred.mean(axis=1)

    model = K.Sequential([K.layers.Dense(3, activation="softmax", input_shape=(1,))], seed=0)
    model.compile("sgd", "categorical_crossentropy", metrics=[middle])
    assert model.evaluate(X, np.eye(3)[[0] * 8])[1] == pytest.approx(1 / 3)
    assert model.train_on_batch(X, np.eye(3)[[0] * 8])[1] == pytest.approx(1 / 3)
