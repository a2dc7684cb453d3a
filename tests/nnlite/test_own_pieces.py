"""Pieces of your own in files: registered or given, and refused if they could not be loaded."""

import json

import numpy as np
import pytest

import nnlite as K
from nnlite import names, tensor_file
from nnlite.layers import Layer
from nnlite.models import model_from_bytes

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((12, 3)), rng.standard_normal((12, 2))


@pytest.fixture(autouse=True)
def only_here():
    """Forget after the test what it registers."""
    before = dict(names.REGISTERED)
    yield
    names.REGISTERED.clear()
    names.REGISTERED.update(before)


class Scale(Layer):
    """y = factor * x * g."""

    def __init__(self, factor=1.0, initializer="ones", **common):
        super().__init__(**common)
        self.factor, self.initializer = factor, K.initializers.get(initializer)

    def build(self, input_shape):
        self.add_weight("gain", input_shape, self.initializer)
        return input_shape

    def bound(self):
        (gain,) = self.weights
        self.g, self.dg = gain.value, gain.gradient

    def forward(self, x, training=False):
        if training:
            self._keep(x)
        return self.factor * x * self.g

    def backward(self, dy, need_dx=True):
        (x,) = self._take_cache()
        self.dg[...] = (self.factor * x * dy).sum(axis=0)
        return self.factor * dy * self.g if need_dx else None

    def get_config(self):
        own = {"factor": self.factor, "initializer": K.saving.serialize(self.initializer)}
        return {**super().get_config(), **own}


class Leaky(K.activations.Activation):
    """y = z or slope * z."""

    def __init__(self, slope=0.1):
        self.slope = slope

    def forward(self, z):
        z[z < 0] *= self.slope
        return z

    def backward(self, y, dy, dz):
        return np.multiply(dy, np.where(y < 0, self.slope, 1), out=dz)


class Cube(K.activations.Activation):
    def forward(self, z):
        z **= 3
        return z

    def backward(self, y, dy, dz):
        return np.multiply(dy, 3 * np.cbrt(y) ** 2, out=dz)


class Ramp(K.initializers.Initializer):
    def __init__(self, last):
        self.last = last

    def __call__(self, shape, rng):
        return np.linspace(0.1, self.last, int(np.prod(shape))).reshape(shape)


class Fourth(K.regularizers.Regularizer):
    def __init__(self, share):
        self.share = share

    def value(self, w):
        return self.share * float(np.sum(w**4))

    def gradient(self, w):
        return w.dtype.type(4 * self.share) * w**3


class Sign(K.optimizers.Optimizer):
    hyperparameters = ("fading",)
    moments = ("last",)

    def __init__(self, learning_rate=0.01, fading=0.5, **common):
        super().__init__(learning_rate, **common)
        self.fading, self.last = fading, np.zeros(0)

    def _step(self):
        self.last[...] = self.fading * self.last + np.sign(self._clipped_gradient())
        self.params -= self.learning_rate * self.last
        self.iterations += 1


class Sinking(K.optimizers.schedules.LearningRateSchedule):
    def __init__(self, first):
        self.first = first

    def __call__(self, step):
        return self.first / (step + 1)


def log_cosh(prediction, target):
    error = prediction - target
    return float(np.mean(np.logaddexp(error, -error) - np.log(2))), np.tanh(error) / error.size


def halved(step):
    return 0.1 * 0.5**step


PIECES = [Scale, Leaky, Cube, Ramp, Fourth, Sign, Sinking, log_cosh, halved]


def everything(rate=None):
    """A trained model with a piece of every kind."""
    layers = [
        Scale(2.0, initializer=Ramp(0.9), input_shape=(3,)),
        K.layers.Dense(4, Leaky(0.3), kernel_initializer=Ramp(0.5), kernel_regularizer=Fourth(0.01)),
        Scale(),
        K.layers.Dense(2),
        K.layers.Activation(Cube()),
    ]
    model = K.Sequential(layers, seed=0)
    model.compile(Sign(Sinking(0.01) if rate is None else rate, fading=0.25, clipvalue=1.0), log_cosh)
    model.fit(X, Y, epochs=3, verbose=0, shuffle=False)
    return model


def same_and_goes_on(model, loaded):
    assert loaded.get_config() == model.get_config() and repr(loaded.optimizer) == repr(model.optimizer)
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in model.layers]
    assert loaded.layers[1].activation.slope == 0.3 and loaded.layers[0].factor == 2.0
    for one in (model, loaded):
        one.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    assert loaded.params.tobytes() == model.params.tobytes()


@pytest.mark.parametrize("rate", [None, halved])
@pytest.mark.parametrize("how", ["registered", "packaged", "renamed", "given", "registered later"])
def test_every_kind_of_piece_comes_back_and_trains_on(how, rate, tmp_path):
    more = {"packaged": {"package": "mine"}, "registered": {}, "renamed": {"name": "My{}"}}.get(how)
    for piece in PIECES if more is not None else []:
        named = {key: text.format(piece.__name__) for key, text in more.items()}
        assert K.saving.register(**named)(piece) is piece
    model, path = everything(rate), tmp_path / "m"
    model.save(path, include_optimizer=True)
    for piece in PIECES if how == "registered later" else []:
        K.saving.register(piece)
    given = {piece.__name__: piece for piece in PIECES} if how == "given" else None
    same_and_goes_on(model, K.load_model(path, custom_objects=given))
    again = model_from_bytes(path.read_bytes(), given)
    assert again.optimizer.iterations == 3


def test_a_file_with_a_piece_that_is_not_there_says_what_to_do(tmp_path):
    everything().save(tmp_path / "m", include_optimizer=True)
    with pytest.raises(ValueError) as caught:
        K.load_model(tmp_path / "m")
    text = str(caught.value)
    assert "unknown layer class 'Scale'; there are Activation" in text and "\n" not in text
    assert "register it (nnlite.saving.register), or give custom_objects={'Scale': ...}" in text
    for piece in PIECES:
        given = {other.__name__: other for other in PIECES if other is not piece}
        unused = piece is halved
        if not unused:
            with pytest.raises(ValueError, match=f"unknown .*{piece.__name__}.*custom_objects"):
                K.load_model(tmp_path / "m", custom_objects=given)


def test_own_layers_are_cloned_without_registration():
    model = everything()
    other = K.clone_model(model, seed=3)
    assert other.get_config() == model.get_config() and type(other.layers[2]) is Scale
    assert type(other.layers[1].activation) is Leaky and other.layers[1].activation.slope == 0.3
    other.copy_from(model)
    assert np.array_equal(other.predict(X), model.predict(X))


def test_a_config_is_a_model_with_custom_objects():
    model = everything()
    config = json.loads(json.dumps(model.get_config()))
    given = {piece.__name__: piece for piece in PIECES}
    assert K.Sequential.from_config(config, custom_objects=given).get_config() == model.get_config()
    with pytest.raises(ValueError, match="unknown layer class 'Scale'"):
        K.Sequential.from_config(config)


def test_a_registered_name_works_wherever_a_name_does():
    K.saving.register(Cube), K.saving.register(log_cosh), K.saving.register(Fourth)
    model = K.Sequential([K.layers.Dense(2, "Cube", kernel_regularizer={"name": "Fourth", "share": 0.1})])
    model.compile("sgd", "log_cosh")
    model.fit(X, Y, epochs=1, verbose=0)
    assert type(model.layers[0].activation) is Cube
    with pytest.raises(ValueError, match="unknown activation 'Cubic'; there are Cube, elu"):
        K.layers.Dense(2, "Cubic")
    with pytest.raises(ValueError, match="unknown loss 'Cube'; there are binary_crossentropy"):
        model.compile("sgd", "Cube")


# --- names


def test_a_name_stands_for_one_definition():
    K.saving.register(Scale)
    with pytest.raises(ValueError, match="'Scale' is registered already, for .*test_own_pieces.Scale"):
        K.saving.register(name="Scale")(Leaky)
    K.saving.register(Scale)  # again

    def cell():
        @K.saving.register(name="Cell")
        class Cell(Scale):
            pass

        return Cell

    old, new = cell(), cell()  # the same cell of a notebook, run twice
    assert old is not new and names.REGISTERED["Cell"] is new


@pytest.mark.parametrize("name", ["Dense", "Relu", "adam", "AdamW", "mse", "L1", "cosine_decay"])
def test_nnlites_names_are_taken(name):
    with pytest.raises(ValueError, match=f"'{name}' is a name of nnlite's own; .*register.name="):
        K.saving.register(name=name)(Scale)
    with pytest.raises(ValueError, match="a name of nnlite's own"):
        K.load_model("no file", custom_objects={name: Scale})
    K.saving.register(name=name, package="mine")(Scale)
    assert set(names.REGISTERED) >= {f"mine>{name}"}


@pytest.mark.parametrize("wrong", [{"name": 3}, {"name": ""}, {"package": 3}])
def test_a_name_is_a_text(wrong):
    with pytest.raises(TypeError, match="name and package must be texts"):
        K.saving.register(**wrong)(Scale)
    with pytest.raises(TypeError, match="a function of yours, or your subclass"):
        K.saving.register(K.layers.Dense, package="mine")
    with pytest.raises(AttributeError, match="nnlite.saving has no 'register_keras_serializable'; there are"):
        K.saving.register_keras_serializable()


@pytest.mark.parametrize("thing", [3, "Scale", dict, Scale(), np.tanh, K])
def test_what_cannot_be_registered(thing):
    with pytest.raises(
        TypeError, match="register needs a function of yours, or your subclass of Layer, Activation"
    ):
        K.saving.register(thing)
    with pytest.raises(ValueError, match="custom_objects must be {name: class or function}"):
        K.load_model("no file", custom_objects={"thing": thing})


@pytest.mark.parametrize("given", [[Scale], {3: Scale}, "Scale"])
def test_custom_objects_are_a_dict(given):
    with pytest.raises(ValueError, match="custom_objects must be"):
        K.load_model("no file", custom_objects=given)


def test_a_lambda_has_no_name(tmp_path):
    with pytest.raises(ValueError, match="a lambda has no name"):
        K.saving.register(lambda step: 0.1)
    model = everything(lambda step: 0.1)
    model.save(tmp_path / "m")  # without it
    with pytest.raises(ValueError, match="a lambda has no name"):
        model.save(tmp_path / "n", include_optimizer=True)
    assert not (tmp_path / "n").exists()


# --- save refuses what could not be loaded


class Forgets(Scale):
    def __init__(self, factor, extra=1, **common):
        super().__init__(factor, **common)
        self.extra = extra


class Closed(Scale):
    def __init__(self, factor=2.0):
        super().__init__(factor)


class Holds(Scale):
    def get_config(self):
        return {**super().get_config(), "factor": np.ones(3)}


class Changes(Scale):
    def __init__(self, factor=2.0, **common):
        super().__init__(factor + 1, **common)


class Dense(Scale):
    pass


class Sulks(Fourth):
    def __init__(self, share):
        super().__init__(share)
        if isinstance(share, float):
            raise OSError("no share today")


class Without(K.initializers.Initializer):
    def __init__(self, last):
        self._last = last

    def __call__(self, shape, rng):
        return np.full(shape, self._last)


REFUSED = {
    "Forgets(2.0)": "Forgets cannot be saved: its get_config leaves out 'extra', an argument of __init",
    "Closed()": "Closed cannot be saved: its __init__ does not take what its get_config gives",
    "Holds()": "Holds cannot be saved: its get_config must hold plain values: .*ndarray",
    "Changes()": "Changes cannot be saved: made again by its get_config, it has another 'factor'",
    "Dense()": "'Dense' is a name of nnlite's own; @nnlite.saving.register.name",
    "Scale(initializer=Without(0.1))": "Without cannot be saved: its get_config leaves out 'last'",
    "K.layers.Dense(2, kernel_initializer=Without(0.1))": "Without cannot be saved: .*'last'",
}


@pytest.mark.parametrize("layer", REFUSED)
def test_a_model_that_could_not_be_loaded_is_not_saved(layer, tmp_path):
    model = K.Sequential([eval(layer)], seed=0).build((3,))
    with pytest.raises(ValueError, match=REFUSED[layer]) as caught:
        model.save(tmp_path / "m")
    assert "\n" not in str(caught.value) and not list(tmp_path.iterdir())


def test_two_pieces_of_one_name_are_not_saved(tmp_path):
    def make():
        class Twin(Scale):
            pass

        return Twin()

    model = K.Sequential([make(), make()], seed=0).build((3,))
    with pytest.raises(ValueError, match="two different pieces are called 'Twin'"):
        model.save(tmp_path / "m")


def test_a_loss_that_no_name_can_stand_for_is_not_saved(tmp_path):
    class Callable:
        def __call__(self, prediction, target):
            return log_cosh(prediction, target)

    model = K.Sequential([K.layers.Dense(2)], seed=0).build((3,))
    model.compile("sgd", Callable())
    with pytest.raises(ValueError, match="Callable has no get_config"):
        model.save(tmp_path / "m", include_optimizer=True)


def test_an_error_of_your_own_class_is_an_error_of_the_file(tmp_path):
    K.saving.register(Sulks)
    layer = K.layers.Dense(2, kernel_regularizer=Sulks(1))
    model = K.Sequential([layer], seed=0).build((3,))
    model.save(tmp_path / "m")
    tensors, metadata = tensor_file.read_tensors(tmp_path / "m")
    metadata["architecture"] = metadata["architecture"].replace('"share": 1', '"share": 0.5')
    tensor_file.write_tensors(tmp_path / "m", tensors, metadata)
    with pytest.raises(ValueError, match="unusable: OSError: no share today"):
        K.load_model(tmp_path / "m")


def test_a_file_cannot_name_a_piece_of_another_kind(tmp_path):
    for piece in PIECES:
        K.saving.register(piece)
    everything().save(tmp_path / "m")
    tensors, metadata = tensor_file.read_tensors(tmp_path / "m")
    right = metadata["architecture"]
    for other in ("log_cosh", "Ramp", "Sign", "os.system", "Sequential", "Layer"):
        metadata["architecture"] = right.replace('"class": "Scale"', f'"class": "{other}"')
        tensor_file.write_tensors(tmp_path / "m", tensors, metadata)
        with pytest.raises(ValueError, match=f"unknown layer class '{other}'"):
            K.load_model(tmp_path / "m")
