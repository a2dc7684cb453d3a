"""Initializers: distribution, fans, repeatability. Standard errors say how far a right sample may stray."""

import math

import numpy as np
import pytest

from nnlite import initializers

SHAPE = (200, 300)  # 60,000 draws: a standard deviation is known to 0.3 %
FAN_IN, FAN_OUT = SHAPE


VARIANCES = {"glorot": 2 / (FAN_IN + FAN_OUT), "he": 2 / FAN_IN, "lecun": 1 / FAN_IN}
VARIANCES = {f"{name}_{kind}": v for name, v in VARIANCES.items() for kind in ("uniform", "normal")}
VARIANCES |= {"random_normal": 0.05**2, "random_uniform": 0.1**2 / 12}


@pytest.mark.parametrize("name, variance", VARIANCES.items())
def test_mean_and_variance(name, variance):
    values = initializers.get(name)(SHAPE, np.random.default_rng(0))
    assert values.shape == SHAPE
    assert values.std() == pytest.approx(math.sqrt(variance), rel=0.015)
    assert abs(values.mean()) < 5 * math.sqrt(variance / values.size)


@pytest.mark.parametrize(
    "name, limit", [("glorot_uniform", math.sqrt(6 / 500)), ("he_uniform", math.sqrt(6 / 200))]
)
def test_uniform_limits(name, limit):
    values = initializers.get(name)(SHAPE, np.random.default_rng(0))
    assert 0.999 * limit < np.abs(values).max() <= limit


@pytest.mark.parametrize("shape, fans", [((2, 5), (2, 5)), ((3, 4, 2, 5), (24, 60)), ((7,), (7, 7))])
def test_fans(shape, fans):
    assert initializers.fans(shape) == fans


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (2, 2, 3, 5)])
def test_orthogonal(shape):
    q = initializers.Orthogonal(gain=2.0)(shape, np.random.default_rng(0)).reshape(-1, shape[-1])
    product = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_constants():
    rng = np.random.default_rng(0)
    assert initializers.get("zeros")((2,), rng).tolist() == [0, 0]
    assert initializers.get("ones")((2,), rng).tolist() == [1, 1]
    assert initializers.Constant(3.5)((2,), rng).tolist() == [3.5, 3.5]


@pytest.mark.parametrize("name", sorted(initializers.REGISTRY))
def test_one_seed_one_draw_and_config_round_trip(name):
    initializer = initializers.get(name)
    again = initializers.get(initializer.get_config())
    first, second = (one((4, 4), np.random.default_rng(5)) for one in (initializer, again))
    assert first.tolist() == second.tolist()


def test_unknown_names_are_answered():
    with pytest.raises(ValueError, match="there are .*glorot_normal"):
        initializers.get("xavier")
    with pytest.raises(ValueError, match="unexpected keyword"):
        initializers.get({"name": "constant", "scale": 2})
    with pytest.raises(AttributeError, match="no 'identity'; there are .*glorot_normal"):
        initializers.identity  # noqa: B018
