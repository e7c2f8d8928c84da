"""The class of a run's workers, which Ray makes actors of: it holds an instance of the user's class."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray import cloudpickle

from trainables.data import Data
from trainables.data.mapped import UnreadableFile, opened
from trainables.exits import described, is_of_the_code
from trainables.keras_trainable import KerasTrainable
from trainables.report import Report
from trainables.settings import TrialSettings

_SHARED_BYTES = 2**20


@dataclass(frozen=True)
class SentClass:
    """A trainable on its way to the workers.

    Attributes:
        name: The name of the class.
        pickled: The class, without its large arrays.
        arrays: The bytes of arrays of a MiB or more that the class uses. Ray's object store holds them once for all
            workers of a machine, which read them there.
        folders: The folder in which the driver found each module that is not installed, by the module's name.
    """

    name: str
    pickled: bytes
    arrays: tuple[np.ndarray, ...]
    folders: Mapping[str, str]


def pack(trainable: type[KerasTrainable], folders: Mapping[str, str] | None = None) -> SentClass:
    """Return a class as workers receive it, with everything that they cannot import.

    Args:
        trainable: The class.
        folders: The folder in which the driver found each module that is not installed.

    Raises:
        Exception: Something in it cannot be sent; each kind of object raises another error.
    """
    arrays: list[np.ndarray] = []

    def stays_inside(buffer: Any) -> bool:
        memory = buffer.raw()
        if memory.nbytes < _SHARED_BYTES:
            return True
        arrays.append(np.frombuffer(memory, np.uint8))
        return False

    pickled = cloudpickle.dumps(trainable, protocol=5, buffer_callback=stays_inside)  # type: ignore[no-untyped-call]
    return SentClass(trainable.__name__, pickled, tuple(arrays), dict(folders or {}))


def unpack(sent: SentClass) -> type[KerasTrainable]:
    """Return the class that was packed.

    Raises:
        Exception: This process lacks something that the class needs.
    """
    for folder in dict.fromkeys(sent.folders.values()):
        if os.pathsep in folder and folder not in sys.path:  # PYTHONPATH cannot name it
            sys.path.append(folder)
    kind: type[KerasTrainable] = cloudpickle.loads(sent.pickled, buffers=sent.arrays)
    return kind


class Worker:
    """One worker of a run: it trains one trial after another with an instance of the user's class.

    Only methods of this class are called from outside. It sets no attribute of the user's instance, and reads none.

    Args:
        sent: The user's class.
        data: The data to train on; None: this worker opens it.
        settings: The settings of the run.
    """

    def __init__(self, sent: SentClass, data: Data | None, settings: TrialSettings) -> None:
        self._held: KerasTrainable | None = None
        self._unusable: Report | None = None
        self._settings = settings
        try:
            self._kind = unpack(sent)
            self._data = data and opened(data)
        except UnreadableFile as error:
            self._unusable = Report(done=True, mistake=str(error))
        except BaseException as error:
            if not is_of_the_code(error):
                raise
            self._unusable = Report(done=True, mistake=unpack_problem(error, sent))

    def train(self, config: dict[str, Any] | None = None) -> Report:
        """Train one epoch, and return the report about it.

        Args:
            config: The configuration of the trial that begins with this epoch, with its control values; None: the trial
                of the last epoch goes on.
        """
        if self._unusable is not None:
            return self._unusable
        if self._held is None:
            self._held = self._kind.standalone(config, self._data, self._settings)
        elif config is not None:
            type(self._held).reset_config(self._held, config)
        # By its class: an attribute that the user has set on the instance is not meant.
        return type(self._held).step(self._held)

    def node_id(self) -> str:
        """Return the id of the node. The answer comes when this worker has imported what it needs."""
        return ray.get_runtime_context().get_node_id()

    def cleanup(self) -> None:
        """End the last trial of this worker."""
        if self._held is not None:
            type(self._held).cleanup(self._held)

    def leave(self) -> None:
        """End the last trial of this worker, and its process."""
        self.cleanup()
        ray.actor.exit_actor()  # type: ignore[no-untyped-call]


def unpack_problem(error: BaseException, sent: SentClass) -> str:
    """Return why this process cannot use a class, and what to do about it.

    Args:
        error: The error that ``unpack`` raised.
        sent: The class.
    """
    worker = f"A worker on the node {platform.node()}"
    if not isinstance(error, ImportError) or error.name is None:
        return f"{worker} cannot load {sent.name}: {described(error)}. It needs the same packages as the driver."
    top = error.name.partition(".")[0]
    origin = f"The driver has it from {sent.folders[top]}" if top in sent.folders else "The driver has it installed"
    here = ", ".join(entry for entry in sys.path if entry and "site-packages" not in Path(entry).parts)
    return (
        f"{worker} cannot import the module {error.name}, which {sent.name} needs ({described(error)}). {origin}; the "
        f"worker looks in {here} and in its installed packages. Add that folder to the PYTHONPATH with which Ray is "
        "started there, or install the package there."
    )
