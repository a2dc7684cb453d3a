"""Random networks in nnlite and in PyTorch: predictions, gradients and ten optimizer steps, compared.

    python -m tests.crosschecks.crosscheck --networks 500 --seed 0

Needs PyTorch (pip install -e '.[bench]'). Exits with 1 when float64 differs by more than 1e-10 anywhere. A
difference is taken relative to the largest number of the array it is in, or to 1 where that is smaller.
float32 is reported, not judged: where a ReLU falls on the other side of 0, or Adam divides a gradient that is
nothing but rounding by its own size, the last bit decides.
"""

import argparse
import sys
from collections import defaultdict
from typing import Any

import numpy as np
import torch

from nnlite import losses
from tests.crosschecks.networks import STEPS, Case, random_case
from tests.crosschecks.torch_twin import Twin

BOUND = 1e-10
AFTER = [f"loss, {STEPS} steps", f"params, {STEPS} steps", f"prediction after {STEPS} steps"]
QUANTITIES = ["prediction", "training output", "loss", "dL/dparams", "dL/dx", "moving statistics", *AFTER]
Differences = dict[str, float]


def compare(case: Case) -> Differences:
    """The worst difference of each quantity."""
    model, twin = case.model, Twin(case.model, case.loss, case.optimizer)
    found = {"prediction": difference(model.predict(case.x[0]), predicted(twin, case.x[0]))}

    assert model._training is not None
    loss = model._training.logit_loss or losses.get(case.loss)
    output = model.forward(case.x[0], logits=twin.from_logits)
    value, dy = loss(output, case.y[0])
    expected, expected_value, dx, grads = twin.gradients(case.x[0], case.y[0])
    found["training output"] = difference(output, expected)
    found["loss"] = difference(np.array(value + model.penalty()), expected_value)
    found["dL/dx"] = difference(model.backward(dy, need_dx=True), dx)
    found["dL/dparams"] = difference(model.grads, joined(grads))

    batches = zip(case.x[1:], case.y[1:])
    steps = [difference(np.array(model.train_on_batch(x, y)), twin.train(x, y)) for x, y in batches]
    found[AFTER[0]] = max(steps)
    found[AFTER[1]] = difference(model.params, joined(twin.params))
    found["moving statistics"] = difference(model.state, joined(twin.state))
    found[AFTER[2]] = difference(model.predict(case.x[0]), predicted(twin, case.x[0]))
    return found


def predicted(twin: Twin, x: np.ndarray) -> torch.Tensor:
    with torch.no_grad():
        return twin.forward(torch.tensor(x).to(twin.dtype), False, False)


def joined(tensors: list[torch.Tensor]) -> torch.Tensor:
    return torch.cat([t.detach().flatten() for t in tensors]) if tensors else torch.zeros(0)


def difference(ours: Any, theirs: Any) -> float:
    """max |ours - theirs| / max(1, max |theirs|); infinite for another shape or NaN."""
    theirs = np.asarray(theirs)
    if ours.shape != theirs.shape:
        return float("inf")
    if ours.size == 0:
        return 0.0
    worst = np.max(np.abs(ours.astype(np.float64) - theirs)) / max(1.0, np.max(np.abs(theirs)))
    return float(worst) if np.isfinite(worst) else float("inf")


def print_tables(results: dict[str, list[Differences]], counts: dict[str, dict[str, list[float]]]) -> None:
    heads = "".join(f"{dtype + ' median':>16}{'worst':>10}" for dtype in results)
    print(f"{'difference from PyTorch':<34}{heads}")
    for name in QUANTITIES:
        columns = [[found[name] for found in rows] for rows in results.values()]
        print(f"{name:<34}" + "".join(f"{np.median(c):>16.1e}{max(c):>10.1e}" for c in columns))
    print(f"\n{'what the networks were made of':<34}{'networks':>16}{'worst float64':>16}")
    for kind, names in counts.items():
        for name, worst in sorted(names.items()):
            print(f"{kind + ': ' + name:<34}{len(worst):>16}{max(worst):>16.1e}")


def features(case: Case) -> list[tuple[str, str]]:
    """(kind, name) of everything that a case is made of."""
    found = list(case.chosen.items())
    for layer in case.model.get_config()["layers"]:
        config = layer["config"]
        found.append(("layer", layer["class"]))
        found += [("padding", config["padding"])] if config.get("padding") in ("same", "valid") else []
        found += [("strides", "x".join(map(str, config["strides"])))] if "strides" in config else []
        found += [("activation", config["activation"])] if "activation" in config else []
    return sorted(set(found))


def main() -> int:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--networks", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    torch.set_num_threads(1)
    torch.backends.mkldnn.set_flags(False)  # with it, kernels wider than the image go wrong in float32
    results: dict[str, list[Differences]] = {"float64": [], "float32": []}
    counts: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    failed = 0
    for number in range(told.networks):
        for dtype, rows in results.items():
            case = random_case(told.seed, number, dtype)
            rows.append(compare(case))
            worst = max(rows[-1].values())
            if dtype == "float64":
                for kind, name in features(case):
                    counts[kind][name].append(worst)
                if not worst <= BOUND:
                    failed += 1
                    print(f"network {number} of seed {told.seed} differs: {rows[-1]}\n  {case.chosen}")
                    print(f"  {case.model.get_config()}")
    print_tables(results, counts)
    ran = f"{told.networks} networks, PyTorch {torch.__version__}"
    print(f"\n{ran}: {failed} differ by more than {BOUND:g} in float64")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
