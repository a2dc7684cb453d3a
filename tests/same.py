"""Nested states compared to the last bit."""

import numpy as np


def assert_same(one, two, path="state"):
    """Every dict, list, array and number is the same, types and NaN included; names the first that is not."""
    assert type(one) is type(two), path
    if isinstance(one, dict):
        assert one.keys() == two.keys(), path
        for key in one:
            assert_same(one[key], two[key], f"{path}/{key}")
    elif isinstance(one, list):
        assert len(one) == len(two), path
        for index, pair in enumerate(zip(one, two)):
            assert_same(*pair, f"{path}/{index}")
    elif hasattr(one, "__array__"):
        one, two = np.asarray(one), np.asarray(two)
        assert one.dtype == two.dtype and one.shape == two.shape and one.tobytes() == two.tobytes(), path
    else:
        assert repr(one) == repr(two), path  # tells -0.0 from 0.0, and takes NaN for NaN
