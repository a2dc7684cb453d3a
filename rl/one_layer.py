"""Neural networks 1: one layer.

Question: what is inside a layer, what goes in and what comes out? Two coordinates x go in, four action values
y come out.

Method: one Dense layer, y = x W + b. Its shapes and values are printed; then a loss is chosen, the squared
distance from a target, and its gradient is worked out number by number with nothing but Python's arithmetic,
beside the gradient that the engine computes. One step against the gradient makes the loss smaller.

Source: the article "neural networks 1". As it says, the axes are swapped against a textbook: a row is an
example, so x is (1, 2), W (2, 4), b (4,) and y (1, 4).

Expected, for every seed: the shapes above; by hand and engine equal in every digit shown; the loss after the
step smaller than before it. The values depend on the seed, as in the article.

Differences from the listing: a seed, so that a run can be repeated; float64 instead of float32, so that the
numbers agree to the last digit shown; the backward pass, which is not in the listing.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import nnlite as K
from rl.command.cli import exit_codes, parse
from rl.command.matrices import compare, show
from rl.command.settings import Settings as CommonSettings
from rl.command.settings import require_positive
from rl.command.threads import use_threads
from rl.runs.run_folder import create, write_json

SUMMARY = "Neural networks 1: what is inside a layer, and its gradient worked by hand."
EXAMPLES = ("python -m rl.one_layer", "python -m rl.one_layer --seed 3")


@dataclass(frozen=True)
class Settings(CommonSettings):
    """One layer: its weights, one forward and one backward pass."""

    learning_rate: float = 0.1
    """step size of the gradient descent"""

    def validate(self) -> None:
        super().validate()
        require_positive(self, "learning_rate")


def make_model(rng: np.random.Generator) -> K.Sequential:
    """Make the article's model: 2 inputs, 4 outputs."""
    return K.Sequential([K.layers.Dense(units=4, input_shape=(2,))], seed=rng, dtype="float64")


def gradient_by_hand(
    x: list[float], y: list[float], target: list[float]
) -> tuple[list[float], list[list[float]], list[float]]:
    """Return dL/dy, dL/dW and dL/db of L = mean_j (y_j - t_j)^2 for one example, in plain arithmetic.

    y_j = sum_i x_i W_ij + b_j, hence dy_j/dW_ij = x_i and dy_j/db_j = 1.
    """
    dy = [2 * (y[j] - target[j]) / len(y) for j in range(len(y))]
    dW = [[x[i] * dy[j] for j in range(len(y))] for i in range(len(x))]
    return dy, dW, dy


def run(settings: Settings) -> dict[str, Any]:
    """Print all shapes and values, write them into the run's folder, and return them."""
    settings.validate()
    weights_rng, data_rng = np.random.default_rng(settings.seed).spawn(2)
    model = make_model(weights_rng)
    kernel, bias = model.layers[0].get_weights()
    x, target = data_rng.random((1, 2)), data_rng.random((1, 4))
    y = model.predict(x)
    show("weight W", kernel, "one row for each input, one column for each output")
    show("bias b", bias)
    show("x (input)", x, "one example: one row")
    show("y (output) = x W + b", y)
    show("target t", target, "what we want y to be")

    loss, dy = K.losses.mean_squared_error(model.forward(x), target)
    model.backward(dy)
    by_hand = gradient_by_hand(x[0].tolist(), y[0].tolist(), target[0].tolist())
    engine = dy[0], *(weight.gradient for weight in model.layers[0].weights)
    print(f"\nBackward: how does the loss L = mean of (y - t)^2 = {loss:.6f} change with each number?\n")
    names = ("dL/dy_j = 2 (y_j - t_j) / 4", "dL/dW_ij = x_i dL/dy_j", "dL/db_j = dL/dy_j")
    equal = all([compare(*three) for three in zip(names, by_hand, engine)])
    print(f"\nEqual in every digit shown: {'yes' if equal else 'NO'}")

    K.optimizers.SGD(settings.learning_rate).bind(model.params, model.grads).step()
    after = K.losses.mean_squared_error(model.predict(x), target)[0]
    step = f"One step against the gradient (learning rate {settings.learning_rate:g})"
    print(f"{step}: the loss goes from {loss:.6f} to {after:.6f}")

    arrays = {"W": kernel, "b": bias, "x": x, "y": y, "target": target}
    arrays |= dict(zip(("dy", "dW", "db"), engine))
    values = {name: array.tolist() for name, array in arrays.items()}
    result = {"equal": equal, "loss": loss, "loss_after": after, **values}
    folder = create(settings.out, "one_layer", "dense", settings.seed, asdict(settings))
    write_json(folder / "result.json", result)
    print(f"written to {folder}")
    return result


@exit_codes
def main(argv: list[str] | None = None) -> None:
    settings = parse(Settings, "python -m rl.one_layer", SUMMARY, EXAMPLES, argv=argv)
    settings.validate()
    use_threads(settings.num_threads)
    run(settings)


if __name__ == "__main__":
    sys.exit(main())
