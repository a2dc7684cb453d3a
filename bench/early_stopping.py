"""One ordinary training, here and in Keras on JAX: lines of code, and seconds of the whole process.

    python -m bench.early_stopping [RUNS]

Scikit-learn's digits, 64-64-10, Adam, up to 100 epochs; early stopping on val_loss restores the best weights.
Both programs run in turns, each in a process of one thread; the table has medians. Keras is absent
where keras or jax is not installed. The seconds include the interpreter, all imports and the data.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
import time

from bench.harness import environment

DATA = """\
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
x, y = load_digits(return_X_y=True)
x, x_val, y, y_val = train_test_split(x / 16, y, test_size=0.25, random_state=0)
"""
TRAINING = """\
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
stop = K.callbacks.EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
history = model.fit(x, y, epochs=100, verbose=0, validation_data=(x_val, y_val), callbacks=[stop])
loss, accuracy = model.evaluate(x_val, y_val, verbose=0)
"""
OURS = """\
import nnlite as K
hidden = K.layers.Dense(64, activation="relu", input_shape=(64,))
model = K.Sequential([hidden, K.layers.Dense(10, activation="softmax")], seed=0)
"""
THEIRS = """\
import keras as K
K.utils.set_random_seed(0)
hidden = K.layers.Dense(64, activation="relu")
model = K.Sequential([K.Input((64,)), hidden, K.layers.Dense(10, activation="softmax")])
"""
PROGRAMS = {"nnlite": DATA + OURS + TRAINING, "Keras on JAX": DATA + THEIRS + TRAINING}
REPORT = "import json; print(json.dumps([len(history.epoch), float(loss), float(accuracy)]))"


def run(program: str) -> tuple[float, list[float]]:
    """Run a program in a process of one thread; return its seconds, and epochs, loss and accuracy."""
    variables = {**environment(1), "KERAS_BACKEND": "jax"}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program + REPORT], env=variables, capture_output=True, text=True, check=True
    )
    return time.perf_counter() - start, json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Run all programs in turns, and print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    has_keras = all(importlib.util.find_spec(name) for name in ("keras", "jax"))
    sides = {name: text for name, text in PROGRAMS.items() if name == "nnlite" or has_keras}
    found = {name: [] for name in sides}  # type: dict[str, list[tuple[float, list[float]]]]
    for _ in range(runs):
        for name, program in sides.items():
            found[name].append(run(program))
    print(f"{'':14}{'lines':>7}{'seconds':>10}{'epochs':>8}{'val_loss':>10}{'accuracy':>10}")
    for name, program in sides.items():
        seconds = statistics.median(second for second, _ in found[name])
        epochs, loss, accuracy = found[name][0][1]
        lines = len(program.splitlines())
        print(f"{name:14}{lines:7}{seconds:10.2f}{epochs:8.0f}{loss:10.4f}{accuracy:10.4f}")


if __name__ == "__main__":
    main()
