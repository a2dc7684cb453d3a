"""Neural networks 2: two layers on a batch.

Question: how do several examples go through several layers at once, and how does the gradient come back
through both?

Method: Dense(4, sigmoid) and Dense(4) on a batch of three points. Shapes and values are printed; then the
gradient of a squared error is worked out by loops over single numbers, last layer first (back-propagation),
beside the engine's.

Source: the article "neural networks 2": the first row of the output belongs to the first row of the input,
and so on.

Expected, for every seed: batch (3, 2), output (3, 4); by hand and engine equal in every digit shown; the loss
after one step smaller than before it. The values depend on the seed, as in the article.

Differences from the listing: a seed, so that a run can be repeated; float64 instead of float32, so that the
numbers agree to the last digit shown; the backward pass, which is not in the listing.
"""

from __future__ import annotations

import math
import sys
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import nnlite as K
from rl.command.cli import exit_codes, parse
from rl.command.matrices import compare, show
from rl.command.settings import Settings as CommonSettings
from rl.command.settings import require_at_least, require_positive
from rl.command.threads import use_threads
from rl.runs.run_folder import create, write_json

SUMMARY = "Neural networks 2: a batch through two layers and the gradient back through both, by hand."
EXAMPLES = ("python -m rl.two_layer", "python -m rl.two_layer --seed 3 --batch-size 5")

Matrix = list[list[float]]


@dataclass(frozen=True)
class Settings(CommonSettings):
    """Two layers on a batch: one forward and one backward pass."""

    batch_size: int = 3
    """points in the batch"""
    learning_rate: float = 0.1
    """step size of the gradient descent"""

    def validate(self) -> None:
        super().validate()
        require_at_least(self, "batch_size", 1)
        require_positive(self, "learning_rate")


def make_model(rng: np.random.Generator) -> K.Sequential:
    """Make the article's model: 2 inputs, 4 hidden units with a sigmoid, 4 outputs."""
    return K.Sequential(
        [K.layers.Dense(units=4, input_shape=(2,), activation="sigmoid"), K.layers.Dense(units=4)],
        seed=rng,
        dtype="float64",
    )


def forward_by_hand(
    x: Matrix, W1: Matrix, b1: list[float], W2: Matrix, b2: list[float]
) -> tuple[Matrix, Matrix]:
    """Return h = sigmoid(x W1 + b1) and y = h W2 + b2, worked number by number."""
    h = [[1 / (1 + math.exp(-_sum_weighted(row, W1, b1, j))) for j in range(len(b1))] for row in x]
    y = [[_sum_weighted(row, W2, b2, k) for k in range(len(b2))] for row in h]
    return h, y


def backward_by_hand(x: Matrix, h: Matrix, dy: Matrix, W2: Matrix) -> dict[str, Any]:
    """Return the gradients of both layers from dL/dy, last layer first.

    sigmoid'(z) = h (1 - h), hence dL/dz1 needs h but not z1.
    """
    examples, hidden, outputs = range(len(x)), range(len(h[0])), range(len(dy[0]))
    dW2 = [[sum(h[n][j] * dy[n][k] for n in examples) for k in outputs] for j in hidden]
    db2 = [sum(dy[n][k] for n in examples) for k in outputs]
    dh = [[sum(dy[n][k] * W2[j][k] for k in outputs) for j in hidden] for n in examples]
    dz = [[dh[n][j] * h[n][j] * (1 - h[n][j]) for j in hidden] for n in examples]
    dW1 = [[sum(x[n][i] * dz[n][j] for n in examples) for j in hidden] for i in range(len(x[0]))]
    db1 = [sum(dz[n][j] for n in examples) for j in hidden]
    return {
        "dL/dW2_jk = sum_n h_nj dL/dy_nk": dW2,
        "dL/db2_k = sum_n dL/dy_nk": db2,
        "dL/dW1_ij = sum_n x_ni dL/dz_nj,  dL/dz_nj = (sum_k dL/dy_nk W2_jk) h_nj (1 - h_nj)": dW1,
        "dL/db1_j = sum_n dL/dz_nj": db1,
    }


def run(settings: Settings) -> dict[str, Any]:
    """Print all shapes and values, write them into the run's folder, and return them."""
    settings.validate()
    weights_rng, data_rng = np.random.default_rng(settings.seed).spawn(2)
    model = make_model(weights_rng)
    batch, target = data_rng.random((settings.batch_size, 2)), data_rng.random((settings.batch_size, 4))
    W1, b1, W2, b2 = weights = model.get_weights()
    y = model.predict(batch)
    show("batch (input)", batch, "one row for each point")
    show("y (output)", y, "the first row belongs to the first point, and so on")

    hidden, by_hand = forward_by_hand(batch.tolist(), *(w.tolist() for w in weights))
    print("\nForward: h = sigmoid(batch W1 + b1), y = h W2 + b2\n")
    equal = compare("y", by_hand, y)

    loss, dy = K.losses.mean_squared_error(model.forward(batch), target)
    model.backward(dy)
    print(f"\nBackward: how does the loss L = mean of (y - t)^2 = {loss:.6f} change with each weight?\n")
    (dW1, db1), (dW2, db2) = ([weight.gradient for weight in layer.weights] for layer in model.layers)
    gradients = backward_by_hand(batch.tolist(), hidden, dy.tolist(), W2.tolist())
    engine = (dW2, db2, dW1, db1)
    for (name, hand), ours in zip(gradients.items(), engine):
        equal &= compare(name, hand, ours)
    print(f"\nEqual in every digit shown: {'yes' if equal else 'NO'}")

    K.optimizers.SGD(settings.learning_rate).bind(model.params, model.grads).step()
    after = K.losses.mean_squared_error(model.predict(batch), target)[0]
    step = f"One step against the gradient (learning rate {settings.learning_rate:g})"
    print(f"{step}: the loss goes from {loss:.6f} to {after:.6f}")

    arrays = {"batch": batch, "y": y, "target": target, "W1": W1, "b1": b1, "W2": W2, "b2": b2}
    arrays |= {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
    values = {name: array.tolist() for name, array in arrays.items()}
    result = {"equal": equal, "loss": loss, "loss_after": after, **values}
    folder = create(settings.out, "two_layer", "dense", settings.seed, asdict(settings))
    write_json(folder / "result.json", result)
    print(f"written to {folder}")
    return result


def _sum_weighted(row: list[float], W: Matrix, b: list[float], j: int) -> float:
    """Return sum_i row_i W_ij + b_j."""
    return sum(row[i] * W[i][j] for i in range(len(row))) + b[j]


@exit_codes
def main(argv: list[str] | None = None) -> None:
    settings = parse(Settings, "python -m rl.two_layer", SUMMARY, EXAMPLES, argv=argv)
    settings.validate()
    use_threads(settings.num_threads)
    run(settings)


if __name__ == "__main__":
    sys.exit(main())
