"""Neural networks 3: house prices from thirteen numbers.

Question: can a network of two small layers predict the price of houses from what is known about their
district?

Method: BatchNormalization brings thirteen columns of different units to one scale, Dense(13, softplus, L1
penalty) and Dense(1) give the price; stochastic gradient descent on the mean squared error, 8 epochs, a third
of the table held out.

Source: the article "neural networks 3"; the table: see rl/housing/data.py, also for the column B (`--exclude
B`).

Expected: the loss falls from about 250 to about 21 (1000 $)^2, the article's from 166 to 18. The network
beats linear regression on the held-out part with most seeds. docs/results/housing.md has the figures.

Differences from the listing:
- The table. `load_boston` is gone from scikit-learn: the table comes from --data FILE, else from OpenML, else
  from a formula. The first line printed says which.
- The recipe. The listing's (`--learning-rate 0.01 --momentum 0 --norm-momentum 0.99`, Keras's defaults)
  trains at the edge of what plain descent bears, so that its loss jumps. It predicts with moving statistics
  that 88 steps have not filled: 0.99^88 = 41 % of their start is left in them. A smaller step with some
  momentum, and moving statistics that follow faster, mend both. The network is the article's.
- The held-out error is printed beside that of linear regression, because a scatter plot alone does not show
  whether a network was needed. The plot has its diagonal. There is a seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import nnlite as K
from nnlite.arrays import Array
from rl.command.errors import require
from rl.command.settings import Settings as CommonSettings
from rl.command.settings import format_flag, require_at_least, require_positive
from rl.housing.data import Table


@dataclass(frozen=True)
class Settings(CommonSettings):
    """House prices from thirteen numbers."""

    data: str = "auto"
    """a CSV file; openml; synthetic; or auto: OpenML, and without it synthetic"""
    exclude: tuple[str, ...] = ()
    """columns to leave out, for example B"""
    epochs: int = 8
    """passes over the training part"""
    batch_size: int = 32
    """districts of one step"""
    learning_rate: float = 0.003
    """step size of gradient descent"""
    momentum: float = 0.5
    """share of the last step that is added to the next, 0 to 1"""
    norm_momentum: float = 0.9
    """BatchNormalization: share of the old in its moving mean and variance, 0 to 1"""
    test_size: float = 0.33
    """share of the table that is held out"""

    def validate(self) -> None:
        super().validate()
        require_at_least(self, "epochs", 1)
        require_at_least(self, "batch_size", 1)
        require_positive(self, "learning_rate")
        for name in ("momentum", "norm_momentum"):
            require(
                0 <= getattr(self, name) < 1,
                f"{format_flag(name)} is {getattr(self, name)}",
                "give a number from 0 to less than 1",
            )
        require(0 < self.test_size < 1, f"--test-size is {self.test_size}", "give a share between 0 and 1")


def make_model(columns: int, norm_momentum: float, rng: np.random.Generator) -> K.Sequential:
    """Make the article's network."""
    return K.Sequential(
        [
            K.layers.BatchNormalization(momentum=norm_momentum, input_shape=(columns,)),
            K.layers.Dense(units=13, activation="softplus", kernel_regularizer="l1"),
            K.layers.Dense(units=1),
        ],
        seed=rng,
    )


@dataclass
class Result:
    """The outcome on H districts held out. Errors are mean squared errors in (1000 dollars)^2.

    losses             of the training part, one for each epoch, with the L1 penalty
    test_error         of the network
    linear_error       of linear regression
    mean_error         of the mean training price
    actual, predicted  (H,) prices in thousands of dollars
    """

    losses: list[float]
    test_error: float
    linear_error: float
    mean_error: float
    actual: Array
    predicted: Array


def learn(table: Table, settings: Settings, verbose: int = 1) -> Result:
    """Split, train, and judge on the held-out part, beside linear regression and the mean price."""
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import train_test_split

    settings.validate()
    weights_rng, split_rng, order_rng = np.random.default_rng(settings.seed).spawn(3)
    parts = train_test_split(
        table.x, table.y, test_size=settings.test_size, random_state=int(split_rng.integers(2**31))
    )
    x_train, x_test, y_train, y_test = parts
    model = make_model(len(table.columns), settings.norm_momentum, weights_rng)
    model.compile(
        loss="mean_squared_error", optimizer=K.optimizers.SGD(settings.learning_rate, settings.momentum)
    )
    history = model.fit(x_train, y_train, settings.batch_size, settings.epochs, verbose, seed=order_rng)
    predicted = model.predict(x_test)[:, 0]
    linear = LinearRegression().fit(x_train, y_train).predict(x_test)
    test, by_line, by_mean = (
        float(np.mean((guess - y_test) ** 2)) for guess in (predicted, linear, y_train.mean())
    )
    return Result(history.history["loss"], test, by_line, by_mean, actual=y_test, predicted=predicted)
