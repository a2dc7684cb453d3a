"""Model files: a model is read as it was written; every other file raises ValueError."""

import json
import os

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from nnlite import layers, saving, tensor_file
from nnlite.models import Sequential, load_model


def model_with_state(dtype="float32"):
    common = {"padding": "same", "activation": "relu", "kernel_regularizer": "l1"}
    chain = [layers.Conv2D(3, 2, input_shape=(4, 4, 1), **common), layers.BatchNormalization()]
    chain += [layers.Flatten(), layers.Dense(2, kernel_initializer="he_normal")]
    model = Sequential(chain, seed=0, dtype=dtype, name="kept")
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
    for name in ("params", "state"):
        assert getattr(loaded, name).tobytes() == getattr(model, name).tobytes()
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


def test_no_file_and_a_folder_are_no_model(path):
    with pytest.raises(FileNotFoundError):
        load_model(path)
    with pytest.raises((ValueError, OSError)):
        load_model(path.parent)


def tampered(path, change, resealed=True):
    """Write a model, change its tensors and metadata, and update the checksum, as an attacker would."""
    model_with_state().save(path)
    tensors, metadata = tensor_file.read_tensors(path)
    tensors = {name: array.copy() for name, array in tensors.items()}
    change(tensors, metadata)
    checksum = tensor_file.checksum(tensors, metadata) if resealed else "0" * 64
    save_file(tensors, path, {"nnlite": json.dumps({**metadata, "sha256": checksum})})


def put(name, change):
    """A change of one tensor; the file may have none of this name."""
    return lambda tensors, metadata: tensors.update({name: change(tensors.get(name))})


def rewrite(change, layer=None):
    """A change of the architecture in the metadata, or of one of its layers."""

    def apply(tensors, metadata):
        config = json.loads(metadata["architecture"])
        change(config if layer is None else config["layers"][layer])
        metadata["architecture"] = json.dumps(config)

    return apply


REFUSED = {
    "a weight is missing": (lambda t, m: t.pop("dense/bias"), "weights"),
    "a weight too many": (put("more", lambda _: np.zeros(3, np.float32)), "weights"),
    "a weight renamed": (lambda t, m: t.update(other=t.pop("dense/bias")), "missing .*dense/bias"),
    "another shape": (put("dense/kernel", lambda w: w.T.copy()), "dense/kernel is"),
    "another dtype": (put("dense/bias", lambda w: w.astype(np.float64)), "dense/bias is"),
    "not a number": (put("dense/bias", lambda w: w + np.float32(np.nan)), "NaN"),
    "an array of no optimizer": (put("optimizer/m", lambda _: np.zeros((), np.float32)), "but no optimizer"),
    "an optimizer's other shape": (put("optimizer/m", lambda _: np.zeros(3, "f")), "is no optimizer's"),
    "unknown class": (rewrite(lambda c: c.update({"class": "os.system"}), 0), "unknown layer class"),
    "class no name": (rewrite(lambda c: c.update({"class": ["Dense"]}), 0), "unusable"),
    "unknown argument": (rewrite(lambda c: c["config"].update(code=1), 0), "has no argument 'code'"),
    "absurd size": (rewrite(lambda c: c["config"].update(units=2**62), 3), "weights; 268435456 are the most"),
    "negative size": (rewrite(lambda c: c["config"].update(units=-1), 3), "units"),
    "huge image": (rewrite(lambda c: c.update(input_shape=[2**31, 2**31, 1])), "."),
    "no layers": (rewrite(lambda c: c.update(layers=[])), "."),
    "layers no list": (rewrite(lambda c: c.update(layers="Dense")), "not a list"),
    "another dtype name": (rewrite(lambda c: c.update(dtype="object")), "."),
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
    tampered(path, put("dense/bias", lambda w: w + 3), resealed=False)
    with pytest.raises(ValueError, match="checksum"):
        load_model(path)


def test_a_foreign_safetensors_file_is_refused(path):
    save_file({"w": np.zeros(3)}, path)
    with pytest.raises(ValueError, match="something else wrote it"):
        load_model(path)


def test_the_file_is_plain_safetensors(path):
    model = model_with_state()
    model.save(path)
    tensors = load_file(path)
    weights = {"conv2d": "kernel bias", "dense": "kernel bias"}
    weights["batch_normalization"] = "gamma beta moving_mean moving_variance"
    assert set(tensors) == {f"{layer}/{name}" for layer in weights for name in weights[layer].split()}
    assert np.array_equal(tensors["dense/kernel"], model.layers[3].W)


# --- weights alone


def test_weights_alone(path):
    model, other = model_with_state(), model_with_state()
    model.params += 1
    model.save_weights(path)
    other.load_weights(path)
    for name in ("params", "state"):
        assert getattr(other, name).tobytes() == getattr(model, name).tobytes()
    with pytest.raises(FileExistsError, match="overwrite=True"):
        model.save_weights(path, overwrite=False)
    with pytest.raises(ValueError, match="as in a file of save_weights"):
        load_model(path)


def test_weights_of_a_whole_model(path):
    model, other = model_with_state(), model_with_state()
    model.params += 1
    model.save(path, include_optimizer=True)
    other.load_weights(path)
    assert other.params.tobytes() == model.params.tobytes()
    assert other.optimizer.m.tobytes() == model.optimizer.m.tobytes()  # its own: both trained alike


def test_weights_of_another_model_are_refused_and_nothing_changes(path):
    model_with_state().save_weights(path)
    other = Sequential([layers.Dense(3, input_shape=(2,))], seed=0).build()
    before = other.params.copy()
    with pytest.raises(ValueError, match="not this model's: .*unknown .*batch_normalization/beta"):
        other.load_weights(path)
    with pytest.raises(ValueError, match="dense/bias is float32.*the model needs float32"):
        Sequential([layers.Dense(2, input_shape=(2,))], seed=0).save_weights(path)
        other.load_weights(path)
    with pytest.raises(FileNotFoundError):
        other.load_weights(path.parent / "none")
    assert np.array_equal(other.params, before)
    with pytest.raises(ValueError, match="input's shape is unknown"):
        Sequential([layers.Dense(2)]).load_weights(path)


def test_load_tensors_changes_nothing_when_one_does_not_fit():
    model = model_with_state()
    before = model.params.copy()
    tensors = {name: value + 1 for name, value in saving.model_tensors(model).items()}
    tensors["dense/bias"] = np.zeros(5, np.float32)
    with pytest.raises(ValueError, match="dense/bias"):
        saving.load_tensors(model, tensors)
    assert np.array_equal(before, model.params)


@pytest.mark.parametrize("name", ["missing/x", "folder", "x" * 300, "file/x"])
def test_an_error_names_the_path_that_was_given(name, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    model = Sequential([layers.Dense(1)], seed=0).build((2,))
    with pytest.raises(OSError) as caught:
        model.save(tmp_path / name)
    assert caught.value.filename == str(tmp_path / name) and ".tmp" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"], "nothing is left behind"
