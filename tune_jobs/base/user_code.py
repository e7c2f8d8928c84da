"""Calls of the user's code by a command: whatever it raises is an error of the request, and ends nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trainables.data import InvalidData
from trainables.exits import described, exits_raised, is_of_the_code
from tune_jobs.base.process_guard import guarded_process
from tune_jobs.errors import RequestError

if TYPE_CHECKING:
    from trainables import KerasTrainable


@contextmanager
def user_code(name: str) -> Iterator[None]:
    """Call code of the user's within the block.

    Args:
        name: The name of what is called, such as ``Mnist.build_model``.

    Raises:
        RequestError: The code raised an error, or wanted to end the process by ``sys.exit`` or ``os._exit``.
    """
    try:
        with guarded_process(), exits_raised():
            yield
    except InvalidData as error:
        raise RequestError(*error.problems) from error
    except RequestError:
        raise
    except BaseException as error:
        if not is_of_the_code(error):
            raise
        raise RequestError(f"{name} raised {described(error)}") from error


def instance_of(trainable: type[KerasTrainable]) -> KerasTrainable:
    """Return an instance of a trainable for work outside a run.

    Args:
        trainable: The class.

    Raises:
        RequestError: It cannot be made, or nothing can be asked of it.
    """
    with user_code(f"{trainable.__name__}.__init__"):
        instance = trainable.standalone()
        getattr(instance, "build_model")  # noqa: B009 - a __getattribute__ of the user's may raise anything
    return instance
