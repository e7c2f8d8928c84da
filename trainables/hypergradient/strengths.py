"""Strengths of regularization that a compiled step reads anew in each step: floats beside a variable."""

from __future__ import annotations

from typing import Any


class Strength(float):
    """A number of a regularizer or an optimizer whose value in a compiled step is that of a variable.

    Keras writes such numbers into the graph. TensorFlow asks an object for its tensor by ``__tf_tensor__`` first, so
    the graph reads the variable instead. For everything else, such as the description of the model in a file, it is the
    number that the model was compiled with.

    Attributes:
        variable: The variable, a ``keras.Variable``.
    """

    variable: Any

    def __tf_tensor__(self, dtype: Any = None, name: Any = None) -> Any:
        """Return what a graph computes with."""
        import tensorflow as tf

        return tf.cast(self.variable.value, dtype or tf.float32, name=name)

    def __repr__(self) -> str:
        """Return the same text for all: models that differ in such a number only are traced alike."""
        return "adjusted"


def make_adjustable(owner: Any, attribute: str) -> Any:
    """Let a compiled step read a number of an object from a variable.

    Args:
        owner: A regularizer or an optimizer of Keras.
        attribute: The attribute with the number.

    Returns:
        The variable, with the number as its value.
    """
    import keras

    value = float(getattr(owner, attribute))
    variable = keras.Variable(value, dtype="float32", trainable=False, name=f"adjusted_{attribute}")
    set_start(owner, attribute, value, variable)
    return variable


def set_start(owner: Any, attribute: str, value: float, variable: Any) -> None:
    """Let an object show the number that it was compiled with, where a compiled step reads a variable."""
    strength = Strength(value)
    strength.variable = variable
    setattr(owner, attribute, strength)
