"""Models that are made of Keras alone: sequential and functional ones, with several inputs and outputs."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from tests.support.kinds.data import CLASSES, WORDS
from tests.support.kinds.registry import CROSS_ENTROPY, compiled, kind, softmax, two_outputs

# Plain models.


@kind("array", "weighted")
def sequential(rate: float) -> Any:
    return compiled(
        keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(6),
                layers.BatchNormalization(),
                layers.Dropout(0.2),
                layers.Dense(CLASSES, "softmax"),
            ]
        ),
        rate,
    )


@kind("array", "weighted")
def sequential_without_input(rate: float) -> Any:
    return compiled(
        keras.Sequential([layers.Dense(6, "relu"), layers.Dense(CLASSES, "softmax")]),
        rate,
        weighted_metrics=["accuracy"],
    )


@kind("one_hot")
def functional_with_a_model_within(rate: float) -> Any:
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(5, "tanh"), layers.Dropout(0.1)], name="inner")
    shared = layers.Dense(5)
    inputs = keras.Input((4,))
    joined = layers.Add()([shared(inner(inputs)), shared(shared(inner(inputs)))])
    return compiled(keras.Model(inputs, softmax(joined)), rate, "categorical_crossentropy", ("accuracy", "auc"))


@kind("one_hot")
def metric_of_several_numbers(rate: float) -> Any:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(CLASSES, "softmax")])
    return compiled(model, rate, "categorical_crossentropy", (keras.metrics.F1Score(average=None, name="by_class"),))


@kind("quantity", "quantity_without_axis")
def regression(rate: float) -> Any:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(6, "relu"), layers.Dense(1)])
    return compiled(model, rate, "mse", ("mae",))


@kind("binary")
def binary(rate: float) -> Any:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, "sigmoid")])
    return compiled(model, rate, "binary_crossentropy", ("accuracy", "precision", keras.metrics.AUC(name="auc")))


@kind("images")
def convolutional(rate: float) -> Any:
    return compiled(
        keras.Sequential(
            [
                keras.Input((2, 2, 1)),
                layers.Rescaling(1 / 255),
                layers.RandomFlip("horizontal", seed=1),
                layers.Conv2D(3, 2, activation="relu"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(CLASSES, "softmax"),
            ]
        ),
        rate,
    )


@kind("sequences")
def recurrent(rate: float) -> Any:
    return compiled(
        keras.Sequential([layers.Embedding(6, 3, mask_zero=True), layers.GRU(4), layers.Dense(CLASSES, "softmax")]),
        rate,
    )


@kind("labelled_steps")
def a_label_a_step(rate: float) -> Any:
    inputs = keras.Input((4,), dtype="int32")
    steps = layers.LSTM(4, return_sequences=True)(layers.Embedding(6, 3)(inputs))
    return compiled(keras.Model(inputs, layers.Dense(CLASSES, "softmax")(steps)), rate)


# Several inputs.


@kind("list", "tuple")
def list_of_inputs(rate: float) -> Any:
    left, right = keras.Input((1,)), keras.Input((3,))
    return compiled(keras.Model([left, right], softmax(layers.Concatenate()([left, right]))), rate)


@kind("dict", "list", "tuple")
def dict_of_inputs(rate: float) -> Any:
    inputs = {"left": keras.Input((1,), name="left"), "right": keras.Input((3,), name="right")}
    return compiled(keras.Model(inputs, softmax(layers.Concatenate()(list(inputs.values())))), rate)


@kind("nested")
def nested_inputs(rate: float) -> Any:
    inputs = {"pair": [keras.Input((1,)), keras.Input((3,))], "rest": (keras.Input((4,)),)}
    return compiled(keras.Model(inputs, softmax(layers.Concatenate()([*inputs["pair"], *inputs["rest"]]))), rate)


@kind("words")
def words(rate: float) -> Any:
    inputs = {"word": keras.Input((1,), name="word", dtype="string"), "number": keras.Input((3,), name="number")}
    word = layers.StringLookup(vocabulary=list(WORDS), output_mode="one_hot")(inputs["word"])
    return compiled(keras.Model(inputs, softmax(layers.Concatenate()([word, inputs["number"]]))), rate)


@kind("one_in_a_list")
def one_input_and_output_in_lists(rate: float) -> Any:
    inputs = keras.Input((4,))
    return compiled(keras.Model([inputs], [softmax(inputs)]), rate, [CROSS_ENTROPY], [["accuracy"]])


# Several outputs.


@kind("two_targets_list", "two_targets_tuple")
def list_of_outputs(rate: float) -> Any:
    inputs = keras.Input((4,))
    model = keras.Model(inputs, two_outputs(inputs))
    return compiled(model, rate, [CROSS_ENTROPY, "mse"], [["accuracy"], ["mae"]], loss_weights=[1.0, 0.2])


@kind("two_targets_list", "two_targets_dict")
def outputs_named_when_compiled(rate: float) -> Any:
    inputs = keras.Input((4,))
    model = keras.Model(inputs, two_outputs(inputs))
    return compiled(
        model,
        rate,
        {"kind": CROSS_ENTROPY, "size": "mse"},
        {"kind": "accuracy", "size": ["mae"]},
        loss_weights={"kind": 1.0, "size": 0.2},
    )


@kind("two_targets_dict")
def dict_of_outputs(rate: float) -> Any:
    inputs = keras.Input((4,))
    first, second = layers.Dense(CLASSES, "softmax")(inputs), layers.Dense(1)(inputs)
    model = keras.Model(inputs, {"kind": first, "size": second})
    return compiled(model, rate, {"kind": CROSS_ENTROPY, "size": "mse"}, {"kind": ["accuracy"]})


@kind("two_targets_weighted")
def dicts_on_both_sides(rate: float) -> Any:
    inputs = {"left": keras.Input((1,), name="left"), "right": keras.Input((3,), name="right")}
    first, second = two_outputs(layers.Concatenate()(list(inputs.values())))
    model = keras.Model(inputs, {"kind": first, "size": second})
    return compiled(model, rate, {"kind": CROSS_ENTROPY, "size": "mse"}, None, weighted_metrics={"kind": ["accuracy"]})


@kind("lists_on_both_sides")
def lists_on_both_sides(rate: float) -> Any:
    left, right = keras.Input((1,)), keras.Input((3,))
    model = keras.Model([left, right], two_outputs(layers.Concatenate()([left, right])))
    return compiled(model, rate, [CROSS_ENTROPY, "mse"], None)


@kind("two_targets_list")
def one_loss_fortwo_outputs(rate: float) -> Any:
    inputs = keras.Input((4,))
    return compiled(
        keras.Model(inputs, [layers.Dense(1, name="first")(inputs), layers.Dense(1, name="second")(inputs)]),
        rate,
        "mse",
        None,
    )


@kind("one_in_a_list")
def an_output_without_a_loss(rate: float) -> Any:
    inputs = keras.Input((4,))
    model = keras.Model(inputs, [softmax(inputs), layers.Dense(2, name="features")(inputs)])
    return compiled(model, rate, [CROSS_ENTROPY, None], None)
