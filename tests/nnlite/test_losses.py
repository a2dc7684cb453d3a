"""Losses: values by hand, shapes that may not broadcast. test_gradients.py checks their gradients."""

import math

import numpy as np
import pytest

from nnlite import losses
from tests.nnlite.samples import PAIRWISE


@pytest.mark.parametrize("loss", PAIRWISE)
@pytest.mark.parametrize("shapes", [((3, 1), (3,)), ((3,), (3, 1)), ((2, 3), (1, 3)), ((2, 3), (2, 2))])
def test_shapes_never_broadcast(loss, shapes):
    with pytest.raises(ValueError, match="same shape") as caught:
        loss(np.full(shapes[0], 0.5), np.full(shapes[1], 0.5))
    assert all(str(shape) in str(caught.value) for shape in shapes)


@pytest.mark.parametrize("loss", PAIRWISE)
def test_an_empty_batch_has_no_mean(loss):
    with pytest.raises(ValueError, match="empty"):
        loss(np.zeros((0, 2)), np.zeros((0, 2)))


def test_regression_values_by_hand():
    p, t = np.array([[1.0], [5.0]]), np.array([[1.5], [2.0]])
    assert losses.mean_squared_error(p, t)[0] == pytest.approx((0.25 + 9) / 2)
    assert losses.mean_absolute_error(p, t)[0] == pytest.approx((0.5 + 3) / 2)
    assert losses.huber(p, t)[0] == pytest.approx((0.125 + 2.5) / 2)  # 0.5 e^2 inside, |e| - 0.5 outside
    assert losses.huber(p, t, delta=2.0)[0] == pytest.approx((0.125 + 2 * (3 - 1)) / 2)


def test_classification_values_by_hand():
    one_hot, half, one = np.eye(2), np.zeros((2, 2)), np.array([[1.0], [0.0]])
    for loss, prediction, target, chances in (  # of the right class
        (losses.categorical_crossentropy, np.array([[0.8, 0.2], [0.6, 0.4]]), one_hot, (0.8, 0.4)),
        (losses.categorical_crossentropy_from_logits, half, one_hot, (0.5, 0.5)),
        (losses.binary_crossentropy, np.array([[0.8], [0.4]]), one, (0.8, 0.6)),
        (losses.binary_crossentropy_from_logits, half[:, :1], one, (0.5, 0.5)),
    ):
        assert loss(prediction, target)[0] == pytest.approx(-np.mean(np.log(chances)))


def test_from_logits_stays_finite_where_probabilities_have_rounded():
    for loss in (losses.categorical_crossentropy_from_logits, losses.binary_crossentropy_from_logits):
        value, gradient = loss(np.array([[1e4, -1e4]], np.float32), np.array([[0.0, 1.0]], np.float32))
        assert math.isfinite(value) and value > 5e3 and np.isfinite(gradient).all()


def test_probabilities_beyond_the_clip_have_no_gradient():
    _, gradient = losses.binary_crossentropy(np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]]))
    assert gradient.tolist() == [[0.0, 0.0]]


def test_names():
    assert type(losses.get("mse")) is type(losses.get("mean_squared_error")) is losses.MeanSquaredError
    assert losses.get(losses.mse) is losses.mse is losses.mean_squared_error
    assert losses.get(losses.huber).get_config() == {"name": "huber", "delta": 1.0}
    assert losses.get({"name": "huber", "delta": 2.0}).delta == 2.0
    with pytest.raises(ValueError, match="there are .*huber.*mse"):
        losses.get("hinge")
    with pytest.raises(ValueError, match="delta"):
        losses.huber(np.zeros(1), np.zeros(1), delta=0)
