"""The shapes of a model's weights, known before any of them is made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import keras
import tensorflow as tf


def sketched_model(description: str) -> keras.Model:
    """Return a model without values: it can be asked for the shapes of its weights, and for nothing else.

    Nothing of the model's size is allocated: its variables have no values, and what is computed with them while the
    model is built only goes into a graph that is thrown away.

    Args:
        description: What ``model.to_json`` returned, without what the model is compiled with.
    """
    # Keras lists variables without values, each thread by itself, and gives them their values at the next occasion.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_sketch, description).result()


def _sketch(description: str) -> keras.Model:
    with tf.Graph().as_default(), keras.StatelessScope(initialize_variables=False):
        return keras.models.model_from_json(description)
