"""Calls of the user's code by a command: whatever it raises is an error of the request, and ends nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trainables.data import InvalidData
from trainables.exits import described, exits_raised, is_of_the_code
from tune_jobs.errors import RequestError


@contextmanager
def user_code(name: str) -> Iterator[None]:
    """Call code of the user's within the block.

    Args:
        name: The name of what is called, such as ``Mnist.build_model``.

    Raises:
        RequestError: The code raised an error, or wanted to end the process by ``sys.exit`` or ``os._exit``.
    """
    try:
        with exits_raised():
            yield
    except InvalidData as error:
        raise RequestError(*error.problems) from error
    except RequestError:
        raise
    except BaseException as error:
        if not is_of_the_code(error):
            raise
        raise RequestError(f"{name} raised {described(error)}") from error
