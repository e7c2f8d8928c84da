"""Names and random numbers that are global in Keras and TensorFlow, exchanged between trainings of one process.

Private names:

- ``keras.src.backend.common.global_state``: ``GLOBAL_STATE_TRACKER`` and ``GLOBAL_SETTINGS_TRACKER`` hold the numbers
  of Keras's names, its scopes and its global generator; ``set_global_attribute`` writes into the first.
- ``GLOBAL_RANDOM_SEED`` and ``GLOBAL_SEED_GENERATOR``: the keys of two entries there.
- ``_seed`` and ``_rng`` of TensorFlow's eager context: the global seed, and the generator that follows from it.

What they buy: compiled functions stay compiled between trials, 0.4 s a trial for a small model; and executions that
take turns draw the same numbers as each would alone.

Without them: Keras's public ``set_random_seed`` and ``clear_session`` do the work. Both empty TensorFlow's cache of
kernels, so that every function is optimized again at its next call. The names of each execution begin anew, but what
they draw from the global generators of Keras and TensorFlow depends on their turns. Keras's own layers do not draw from
those. Python's and NumPy's generators are public, and always exchanged.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

import keras
import numpy as np

_KERAS_STATE = "keras.src.backend.common.global_state"
_TRACKERS = ("GLOBAL_STATE_TRACKER", "GLOBAL_SETTINGS_TRACKER")
_SEED_KEYS = (
    ("keras.src.utils.rng_utils", "GLOBAL_RANDOM_SEED"),
    ("keras.src.random.seed_generator", "GLOBAL_SEED_GENERATOR"),
)
_TENSORFLOW_CONTEXT = "tensorflow.python.eager.context"
_TENSORFLOW_SEEDS = ("_seed", "_rng")
_UNSEEDED = (None, None)
_SETTINGS = ("floatx", "epsilon", "image_data_format", "max_epochs", "max_steps_per_epoch")

_used_seeds: set[int] = set()


class IsolatedGlobalState:
    """One training's own names and random numbers, whoever else takes turns with it in this process.

    Keras numbers the names of layers and metrics, so that the second of two equal models would report ``auc_1``
    beside the first one's ``auc``. A custom layer or a callback that has no generator of its own draws from the global
    ones: of Keras, of NumPy, of Python. TensorFlow's stateful operations draw by the seed that is global when they are
    traced. Keras's own layers draw from generators within the model.

    The state is exchanged, not seeded again. ``tf.random.set_seed`` in the middle of a training would restart the
    sequence of every stateful operation, and Keras's generator belongs to the functions that were traced with it.

    Args:
        names: The names that it begins with, of another thread; None: those of the thread in which it is active first.
    """

    def __init__(self, names: Mapping[str, Any] | None = None) -> None:
        self._own: _State | None = None
        self._names = names

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make this state the global one within the context; the first time, it begins as a copy of what is there."""
        outside = _current_state()
        if self._own is not None:
            _install(self._own)
        elif keras_state_module() is not None:
            _install(outside._replace(keras=_copy_of_names(self._names)))
        else:
            forget_names()
        try:
            yield
        finally:
            self._own = _current_state()
            _install(outside)


def remember_global_state() -> Callable[[], None]:
    """Remember what is global in this process: Python's, NumPy's, Keras's and TensorFlow's numbers, names, policies.

    Returns:
        A function that puts all of it back, whatever was seeded, built or set meanwhile in this thread.
    """
    keras_state, state, keys = keras_state_module(), _current_state(), seed_keys()
    generator = None if keras_state is None or keys is None else vars(state.keras).get(keys[1])
    drawn = None if generator is None else np.array(generator.state)
    names = None if keras_state is None else vars(_copy_of_names())
    settings = {name: getattr(keras.config, name)() for name in _SETTINGS if hasattr(keras.config, name)}
    policy = keras.config.dtype_policy()
    tensorflow_draws = state.tensorflow[1].getstate() if state.tensorflow and state.tensorflow[1] else None

    def put_back() -> None:
        _install(state)
        if names is not None:
            vars(state.keras).clear()
            vars(state.keras).update(names)
        if generator is not None:
            generator.state.assign(drawn)
        if tensorflow_draws is not None and state.tensorflow is not None:
            state.tensorflow[1].setstate(tensorflow_draws)
        for name, value in settings.items():
            if getattr(keras.config, name)() != value:
                getattr(keras.config, f"set_{name}")(value)
        if keras.config.dtype_policy() != policy:
            keras.config.set_dtype_policy(policy)

    return put_back


def set_seed(seed: int) -> None:
    """Seed every generator like ``keras.utils.set_random_seed``, but leave compiled functions compiled where possible.

    ``tf.random.set_seed`` empties TensorFlow's cache of kernels, so that stateful operations begin again. Every
    compiled function is then optimized anew at its next call (0.4 s for a small model). Kernels of stateful
    operations belong to their seeds: as long as this process has not used a seed, there are none to begin again.

    Args:
        seed: The seed, in [0, 2**32).
    """
    keras_state, context, keys = keras_state_module(), _tensorflow_context(), seed_keys()
    if seed in _used_seeds or keras_state is None or context is None or keys is None:
        from trainables.internals.tensorflow_seed import set_random_seed  # which knows this module

        set_random_seed(seed)
    else:
        random_seed, seed_generator = keys
        keras_state.set_global_attribute(random_seed, seed)
        keras_state.set_global_attribute(seed_generator, None)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        _set_tensorflow_seeds(context, (seed, random.Random(seed)))  # noqa: S311 - as TensorFlow does
    _used_seeds.add(seed)


def seed_epoch(seed: int, epoch: int) -> None:
    """Seed what draws from the backend's global generator in an epoch, so that a continued trial draws the same.

    Only PyTorch has such a part: there, a Dropout without a seed does not use the generator that Keras gives it.

    Args:
        seed: The seed of the training.
        epoch: The epoch, counted from 0.
    """
    if keras.backend.backend() == "torch":
        import_module("torch").manual_seed(int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0]))


def drawn_numbers() -> dict[str, Any]:
    """Return as JSON how far the global generators are: Python's, NumPy's, Keras's, and TensorFlow's eager one."""
    state, keys = _current_state(), seed_keys()
    generator = None if state.keras is None or keys is None else vars(state.keras).get(keys[1])
    numpy_state = [part.tolist() if isinstance(part, np.ndarray) else part for part in state.numpy]
    eager = state.tensorflow[1].getstate() if state.tensorflow and state.tensorflow[1] else None
    return {
        "python": _listed(state.python),
        "numpy": numpy_state,
        "keras": None if generator is None else np.array(generator.state).tolist(),
        "tensorflow": _listed(eager),
    }


def set_drawn_numbers(numbers: Mapping[str, Any]) -> None:
    """Let the global generators go on from where ``drawn_numbers`` found them.

    Args:
        numbers: What it returned.

    Raises:
        KeyError, TypeError, ValueError: It is damaged.
    """
    keras_state, keys, context = keras_state_module(), seed_keys(), _tensorflow_context()
    if numbers["keras"] is not None and keras_state is not None and keys is not None:
        generator = vars(getattr(keras_state, _TRACKERS[0])).get(keys[1])
        if generator is None:
            generator = keras.random.SeedGenerator(0)
            keras_state.set_global_attribute(keys[1], generator)
        generator.state.assign(np.asarray(numbers["keras"], generator.state.dtype))
    if numbers["tensorflow"] is not None and context is not None:
        seed, rng = (getattr(context, name) for name in _TENSORFLOW_SEEDS)
        if rng is not None:
            rng = random.Random()  # noqa: S311 - as TensorFlow does
            rng.setstate(_as_python_state(numbers["tensorflow"]))
            _set_tensorflow_seeds(context, (seed, rng))
    random.setstate(_as_python_state(numbers["python"]))
    np.random.set_state(tuple(numbers["numpy"]))  # noqa: NPY002


def _listed(state: Any) -> Any:
    return None if state is None else [state[0], list(state[1]), state[2]]


def _as_python_state(state: Any) -> Any:
    return (state[0], tuple(state[1]), state[2])


def remember_names() -> Callable[[], None]:
    """Return a function that makes Keras give the names that it would give now, whatever is built meanwhile."""
    if keras_state_module() is None:
        return forget_names
    names = _copy_of_names()
    return lambda: _install_names(names)


def names_of_this_thread() -> Mapping[str, Any] | None:
    """Return Keras's names, policy and scopes, which a new thread lacks; None where they cannot be exchanged."""
    return None if keras_state_module() is None else vars(_copy_of_names())


def forget_names() -> None:
    """Let Keras number its names from the beginning, like ``clear_session``; compiled functions stay compiled."""
    keras_state = keras_state_module()
    if keras_state is None:
        keras.backend.clear_session(free_memory=False)
    else:
        for tracker in _TRACKERS:
            setattr(keras_state, tracker, threading.local())


class _State(NamedTuple):
    """The global state of this process; None stands for names that cannot be exchanged, and for no seed."""

    keras: Any
    python: Any
    numpy: Any
    tensorflow: tuple[Any, ...] | None


def _current_state() -> _State:
    keras_state, context = keras_state_module(), _tensorflow_context()
    return _State(
        keras=None if keras_state is None else getattr(keras_state, _TRACKERS[0]),
        python=random.getstate(),
        numpy=np.random.get_state(),  # noqa: NPY002 - whoever draws from it must find it as it was
        tensorflow=None if context is None else tuple(getattr(context, name) for name in _TENSORFLOW_SEEDS),
    )


def _install(state: _State) -> None:
    if state.keras is not None:
        _install_names(state.keras)
    random.setstate(state.python)
    np.random.set_state(state.numpy)  # noqa: NPY002
    context = _tensorflow_context()
    if context is not None:
        _set_tensorflow_seeds(context, state.tensorflow or _UNSEEDED)


def _install_names(names: Any) -> None:
    setattr(keras_state_module(), _TRACKERS[0], names)


def _copy_of_names(names: Mapping[str, Any] | None = None) -> Any:
    copied = threading.local()
    for name, value in (vars(getattr(keras_state_module(), _TRACKERS[0])) if names is None else names).items():
        setattr(copied, name, value.copy() if isinstance(value, dict | list) else value)
    return copied


def _set_tensorflow_seeds(context: Any, seeds: tuple[Any, ...]) -> None:
    for name, value in zip(_TENSORFLOW_SEEDS, seeds, strict=True):
        setattr(context, name, value)


def keras_state_module() -> Any | None:
    """Return the module of Keras's global state; None where it has not the names that are used here."""
    return _module_with(_KERAS_STATE, *_TRACKERS, "set_global_attribute")


def seed_keys() -> tuple[str, ...] | None:
    """Return the keys of Keras's seed and of its global generator; None where it has not the names."""
    modules = [_module_with(module, name) for module, name in _SEED_KEYS]
    if None in modules:
        return None
    return tuple(getattr(module, name) for module, (_, name) in zip(modules, _SEED_KEYS, strict=True))


def _tensorflow_context() -> Any | None:
    """Return TensorFlow's eager context; None on other backends, where a name is gone, and before its first seed.

    The names come into being with the first seed: only then is it known that they are what holds it.
    """
    if keras.backend.backend() != "tensorflow":
        return None
    module = _module_with(_TENSORFLOW_CONTEXT, "context")
    context = None if module is None else module.context()
    return context if all(hasattr(context, name) for name in _TENSORFLOW_SEEDS) else None


def _module_with(name: str, *attributes: str) -> Any | None:
    try:
        module = import_module(name)
    except ImportError:
        return None
    return module if all(hasattr(module, attribute) for attribute in attributes) else None
