"""Values of layers, optimizers and others are checked whenever they are set, and count from then on."""

import re

import numpy as np
import pytest

import nnlite as K
from tests.nnlite.test_attributes import dense

WRONG = """
    adam.learning_rate = float("nan")      learning_rate must be a finite number >= 0, not nan
    adam.learning_rate = -0.1              learning_rate must be a finite number >= 0, not -0.1
    adam.learning_rate = "0.1"             learning_rate must be a finite number >= 0, not '0.1'
    adam.learning_rate = True              learning_rate must be a finite number >= 0, not True
    adam.learning_rate = None              learning_rate must be a finite number >= 0, not None
    adam.lr = float("inf")                 learning_rate must be a finite number >= 0, not inf
    adam.clipnorm = 0                      clipnorm must be a finite number > 0, not 0
    adam.clipvalue = -1.0                  clipvalue must be a finite number > 0
    adam.beta_1 = 1.0                      beta_1 must be a finite number in \\[0, 1\\), not 1.0
    adam.beta_2 = -0.1                     beta_2 must be
    adam.epsilon = 0.0                     epsilon must be a finite number > 0
    clipped.clipvalue = 1.0                only one kind of clipping .* global_clipnorm and clipvalue
    sgd.learning_rate = float("nan")       learning_rate must be
    sgd.global_clipnorm = float("nan")     global_clipnorm must be
    layer.trainable = "no"                 trainable must be True or False, not 'no'
    layer.activation = "rellu"             unknown activation 'rellu'
    model.trainable = 0                    trainable must be True or False, not 0
    model.stop_training = "yes"            stop_training must be True or False
    l2.l2 = -1.0                           l2 must be a finite number >= 0
    l2.l2 = float("nan")                   l2 must be
    K.initializers.RandomNormal(stddev=-1)      stddev must be a finite number >= 0
    K.initializers.Constant("1")           value must be a finite number, not '1'
    K.optimizers.Adam("0.1")               learning_rate must be
    K.optimizers.Adam(0.1, lr=0.2)         lr is another name of learning_rate
    K.optimizers.AdamW(weight_decay=-1)    weight_decay must be a finite number >= 0
    K.optimizers.AdamW(weight_decay=None)  weight_decay must be
    K.optimizers.RMSprop(rho=1.0)          rho must be a finite number in
    K.optimizers.RMSprop(epsilon=0)        epsilon must be a finite number > 0
    K.optimizers.RMSprop(centered=1)       centered must be True or False
    K.optimizers.SGD(nesterov="no")        nesterov must be True or False
    K.layers.Dense(2, use_bias="no")       use_bias must be True or False
    K.layers.Dense("2")                    units must be a whole number
    K.layers.Dense(2.0)                    units must be a whole number
    K.layers.Dropout("0.5")                rate must be a finite number in
    K.layers.Rescaling(float("nan"))       scale must be a finite number
    K.layers.BatchNormalization(center=1)  center must be True or False
    K.layers.Conv2D(4, 2.5)                kernel_size must be one or two whole numbers
    K.layers.Conv2D(4, (3, 3, 3))          kernel_size must be one or two
    K.layers.Conv2D(4, 3, strides=None)    strides must be one or two
    K.layers.Conv2D(4, "33")               kernel_size must be one or two
    K.layers.MaxPooling2D(2.0)             pool_size must be one or two
    K.layers.Dense(2, input_shape=2.5)     a shape must hold whole numbers
    K.layers.Dense(2, input_shape=True)    a shape must hold whole numbers
"""
WRONG_CASES = [re.split(r"\s{2,}", line.strip()) for line in WRONG.strip().splitlines()]


@pytest.mark.parametrize("statement, message", WRONG_CASES, ids=[case[0] for case in WRONG_CASES])
def test_a_value_that_cannot_work_is_refused_when_it_is_set(statement, message):
    model = dense()
    scope = {"K": K, "model": model, "layer": model.layers[0], "l2": K.regularizers.L2()}
    scope |= {"adam": K.optimizers.Adam(0.5), "sgd": K.optimizers.SGD()}
    scope |= {"clipped": K.optimizers.Adam(global_clipnorm=1.0)}
    with pytest.raises(ValueError, match=message):
        exec(statement, scope)
    assert scope["adam"].learning_rate == 0.5  # the old value stays


def test_a_changed_setting_counts_in_the_next_step():
    steps = []
    for change in (None, ("learning_rate", 0.5), ("clipvalue", 0.01), ("epsilon", 1.0), ("beta_1", 0.0)):
        params = np.zeros(3)
        optimizer = K.optimizers.Adam(0.1).bind(params, np.array([1.0, 0.1, -2.0]))
        optimizer.step()
        if change:
            setattr(optimizer, *change)
            optimizer.grads[...] = [1.0, -3.0, 0.5]
        optimizer.step()
        steps.append(params.tobytes())
    assert len(set(steps)) == len(steps)


def test_an_optimizer_of_your_own_needs_no_learning_rate_of_its_own():
    class Sign(K.optimizers.Optimizer):
        def __init__(self, **common):
            super().__init__(**common)

        def _step(self):
            self.iterations += 1
            self.params -= self.learning_rate * np.sign(self.grads)

    params = np.zeros(2)
    optimizer = Sign(lr=0.5).bind(params, np.array([2.0, -3.0]))
    optimizer.step()
    assert params.tolist() == [-0.5, 0.5] and optimizer.iterations == 1
