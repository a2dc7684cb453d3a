"""Model files: a model is read as it was written; every other file raises ValueError."""

import json
import os

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from nnlite import layers, saving, tensor_file
from nnlite.models import Sequential, load_model


def model_with_state(dtype="float32"):
    model = Sequential(
        [
            layers.Conv2D(
                3, 2, padding="same", activation="relu", input_shape=(4, 4, 1), kernel_regularizer="l1"
            ),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(2, kernel_initializer="he_normal"),
        ],
        seed=0,
        dtype=dtype,
        name="kept",
    )
    model.compile("adam", "mse")
    model.fit(*data(), epochs=2, verbose=0)
    return model


def data():
    rng = np.random.default_rng(0)
    return rng.standard_normal((10, 4, 4, 1)), rng.standard_normal((10, 2))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.h5"  # any ending: Keras's readers keep theirs


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_written_is_what_is_read(path, dtype):
    model = model_with_state(dtype)
    model.save(path, overwrite=True, include_optimizer=False)
    loaded = load_model(path)
    assert loaded.get_config() == model.get_config()
    assert (
        loaded.params.tobytes() == model.params.tobytes() and loaded.state.tobytes() == model.state.tobytes()
    )
    assert np.array_equal(loaded.predict(data()[0]), model.predict(data()[0]))
    with pytest.raises(RuntimeError, match="compile"):
        loaded.train_on_batch(*data())


def test_training_goes_on_exactly_with_the_optimizer(path):
    model = model_with_state()
    model.save(path, include_optimizer=True)
    loaded = load_model(path)
    assert loaded.optimizer.iterations == 2
    for one in (model, loaded):
        one.fit(*data(), epochs=3, shuffle=False, verbose=0)
    assert loaded.params.tobytes() == model.params.tobytes()


def test_a_compiled_model_that_was_never_trained(path):
    model = Sequential([layers.Dense(1, input_shape=(2,))], seed=0)
    model.compile("adam", "mse")
    model.save(path, include_optimizer=True)
    assert load_model(path).optimizer.iterations == 0


def test_overwrite(path):
    model = model_with_state()
    model.save(path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="overwrite=True"):
        model.save(path, overwrite=False)
    assert path.read_bytes() == before
    model.save(path)


def test_a_failed_write_leaves_the_old_file_and_no_other(path, monkeypatch):
    model = model_with_state()
    model.save(path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda *_: (_ for _ in ()).throw(OSError("no space left on device")))
    model.params += 1
    with pytest.raises(OSError, match="no space"):
        model.save(path)
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == [path.name]


def test_no_file(path):
    with pytest.raises(FileNotFoundError):
        load_model(path)


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises((ValueError, OSError)):
        load_model(tmp_path)


def tampered(path, change, resealed=True):
    """Write a model, change its tensors and metadata, and update the checksum, as an attacker would."""
    model_with_state().save(path)
    tensors, metadata = tensor_file.read_tensors(path)
    tensors = {name: array.copy() for name, array in tensors.items()}
    change(tensors, metadata)
    checksum = tensor_file.checksum(tensors, metadata) if resealed else "0" * 64
    save_file(tensors, path, {"nnlite": json.dumps({**metadata, "sha256": checksum})})


def rewritten(change):
    """Return a change of the architecture in the metadata."""

    def apply(tensors, metadata):
        config = json.loads(metadata["architecture"])
        change(config)
        metadata["architecture"] = json.dumps(config)

    return apply


def set_value(name, value):
    def apply(tensors, metadata):
        tensors[name][...] = value

    return apply


REFUSED = {
    "a weight is missing": (lambda t, m: t.pop("dense/bias"), "weights"),
    "a weight too many": (lambda t, m: t.update(more=np.zeros(3, np.float32)), "weights"),
    "a weight renamed": (lambda t, m: t.update(other=t.pop("dense/bias")), "missing .*dense/bias"),
    "another shape": (lambda t, m: t.update({"dense/kernel": t["dense/kernel"].T.copy()}), "dense/kernel is"),
    "another dtype": (
        lambda t, m: t.update({"dense/bias": t["dense/bias"].astype(np.float64)}),
        "dense/bias is",
    ),
    "not a number": (set_value("dense/bias", np.nan), "NaN"),
    "an optimizer's array, no optimizer": (
        lambda t, m: t.update({"optimizer/m": np.zeros((), np.float32)}),
        "but no optimizer",
    ),
    "an optimizer's array of another shape": (
        lambda t, m: t.update({"optimizer/m": np.zeros(3, np.float32)}),
        "is no optimizer's",
    ),
    "unknown class": (
        rewritten(lambda c: c["layers"][0].update({"class": "os.system"})),
        "unknown layer class",
    ),
    "class no name": (rewritten(lambda c: c["layers"][0].update({"class": ["Dense"]})), "unusable"),
    "unknown argument": (
        rewritten(lambda c: c["layers"][0]["config"].update(code=1)),
        "has no argument 'code'",
    ),
    "absurd size": (
        rewritten(lambda c: c["layers"][3]["config"].update(units=2**62)),
        "weights; 268435456 are the most",
    ),
    "negative size": (rewritten(lambda c: c["layers"][3]["config"].update(units=-1)), "units"),
    "huge image": (rewritten(lambda c: c.update(input_shape=[2**31, 2**31, 1])), "."),
    "no layers": (rewritten(lambda c: c.update(layers=[])), "."),
    "layers no list": (rewritten(lambda c: c.update(layers="Dense")), "not a list"),
    "another dtype name": (rewritten(lambda c: c.update(dtype="object")), "."),
    "architecture no JSON": (lambda t, m: m.update(architecture="{"), "unreadable"),
    "architecture too deep": (lambda t, m: m.update(architecture="[" * 100_000), "unreadable"),
    "no architecture": (lambda t, m: m.pop("architecture"), "unreadable"),
    "another format": (lambda t, m: m.update(format="nnlite-99"), "nnlite-99"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_ours_is_refused(path, what):
    change, message = REFUSED[what]
    tampered(path, change)
    with pytest.raises(ValueError, match=message):
        load_model(path)


def test_a_payload_that_was_changed_is_noticed(path):
    tampered(path, set_value("dense/bias", 3.0), resealed=False)
    with pytest.raises(ValueError, match="checksum"):
        load_model(path)


def test_a_foreign_safetensors_file_is_refused(path):
    save_file({"w": np.zeros(3)}, path)
    with pytest.raises(ValueError, match="something else wrote it"):
        load_model(path)


def test_a_file_cut_off_or_with_one_byte_changed_is_refused_or_reads_the_same(path):
    model = model_with_state()
    model.save(path)
    whole, params = path.read_bytes(), model.params.tobytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole)
        if rng.random() < 0.3:
            damaged = damaged[: rng.integers(len(whole))]
        else:
            damaged[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            assert load_model(path).params.tobytes() == params
        except ValueError:
            pass


def test_the_file_is_plain_safetensors(path):
    model = model_with_state()
    model.save(path)
    tensors = load_file(path)
    assert set(tensors) == {
        "conv2d/kernel",
        "conv2d/bias",
        "batch_normalization/gamma",
        "batch_normalization/beta",
        "batch_normalization/moving_mean",
        "batch_normalization/moving_variance",
        "dense/kernel",
        "dense/bias",
    }
    assert np.array_equal(tensors["dense/kernel"], model.layers[3].W)


def test_load_tensors_changes_nothing_when_one_does_not_fit():
    model = model_with_state()
    before = model.params.copy()
    tensors = {name: value + 1 for name, value in saving.model_tensors(model).items()}
    tensors["dense/bias"] = np.zeros(5, np.float32)
    with pytest.raises(ValueError, match="dense/bias"):
        saving.load_tensors(model, tensors)
    assert np.array_equal(before, model.params)
