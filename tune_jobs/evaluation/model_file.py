"""Writing a model into a ``.keras`` file, whole or not at all, and reading it once as plain Keras does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tune_jobs.base.atomic_files import produce_whole
from tune_jobs.errors import RequestError
from tune_jobs.evaluation.description import check_description, indescribable

SUFFIX = ".keras"


def check_model_file(output: Path) -> None:
    """Check that a model can be written into a file, before anything is computed for it.

    Args:
        output: The file.

    Raises:
        RequestError: The suffix is not ``.keras``, the path is a folder or a pipe, or its folder does not exist.
    """
    if output.suffix != SUFFIX:
        raise RequestError(f"The suffix of {output} is {output.suffix!r}, but must be {SUFFIX!r}.")
    if output.is_dir():
        raise RequestError(f"{output} is a folder, but must be a file: name another.")
    if output.exists() and not output.is_file():
        raise RequestError(f"{output} is no ordinary file, and Keras cannot write a model into it: name another.")
    if not output.absolute().parent.is_dir():
        raise RequestError(f"The folder of {output} does not exist: make it, or choose another file.")


def write_model(model: Any, output: Path, example: Any = None) -> list[str]:
    """Write a model for ``keras.models.load_model``, compiled if plain Keras can read it so.

    Args:
        model: The Keras model.
        output: The file.
        example: (x, …), an example by which the predictions of the file's model are compared with the model's; None:
            they are not compared.

    Returns:
        Sentences that a reader of the file needs to know; empty if plain Keras can load it unchanged.

    Raises:
        RequestError: Keras cannot describe the model, or the file cannot be written; nothing was.
    """
    check_description(model, example)
    notes: list[str] = []
    if model.compiled:
        model.optimizer.build(model.trainable_variables)  # otherwise Keras warns readers of missing variables

    def produce(path: Path) -> None:
        _save(model, path)
        if _is_readable(path):
            return
        if _is_readable(path, compile=False):
            # The loss, a metric or the optimizer is the user's own. Without them everyone can read the file.
            with _not_compiled(model):
                _save(model, path)
            notes.append(f"It is not compiled, because plain Keras has no {_listed(foreign_names(model))}.")
            return
        notes.append(
            f"A reader of the file needs {_listed(foreign_names(model))}: import their module first if they are "
            "registered (keras.saving.register_keras_serializable), or name them in load_model(…, custom_objects={…}); "
            "lambdas need safe_mode=False."
        )

    produce_whole(output, produce)
    return notes


def foreign_names(model: Any) -> list[str]:
    """Return the parts of a model's description that plain Keras may not have: registered names, functions, lambdas."""
    import keras

    return list(dict.fromkeys(_foreign(keras.saving.serialize_keras_object(model))))


def _foreign(described: Any) -> Iterator[str]:
    if isinstance(described, dict):
        name = described.get("registered_name")
        if described.get("class_name") == "__lambda__":
            yield "a lambda"
        elif isinstance(name, str):
            yield str(described["config"]) if name == "function" else name
        for value in described.values():
            yield from _foreign(value)
    elif isinstance(described, list | tuple):
        for value in described:
            yield from _foreign(value)


def _save(model: Any, path: Path) -> None:
    from trainables.training.adapted_state import vocabularies_in_config

    try:
        with vocabularies_in_config(model):
            model.save(path)
    except OSError:
        raise
    except Exception as error:  # the user's get_config may raise anything
        raise indescribable(error) from error


def _is_readable(path: Path, *, compile: bool = True) -> bool:
    import keras

    with _nothing_registered(), suppress(Exception):  # each kind of foreign object makes Keras raise another error
        keras.models.load_model(path, compile=compile)
        return True
    return False


@contextmanager
def _nothing_registered() -> Iterator[None]:
    """Empty Keras's registry, as in a process that has not imported the user's code."""
    import keras

    registry = keras.saving.get_custom_objects()
    registered = dict(registry)
    registry.clear()
    try:
        yield
    finally:
        registry.update(registered)


@contextmanager
def _not_compiled(model: Any) -> Iterator[None]:
    model.compiled = False
    try:
        yield
    finally:
        model.compiled = True


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "a part of it"
