"""Loads the data of an experiment, and tells in sentences why it cannot."""

from __future__ import annotations

from trainables import Data, InvalidData, KerasTrainable
from tune_jobs.errors import RequestError


def load_data(trainable: type[KerasTrainable]) -> Data:
    """The data that a trainable loads, all splits of it.

    Raises:
        RequestError: ``load_data`` raised, or returned something else.
    """
    name = trainable.__name__
    try:
        data = trainable.standalone().load_data()
    except InvalidData as error:
        raise RequestError(*error.problems) from error
    except Exception as error:
        raise RequestError(f"{name}.load_data raised {type(error).__name__}: {error}") from error
    if not isinstance(data, Data):
        raise RequestError(
            f"{name}.load_data returned a {type(data).__name__}, but must return trainables.Data(train=(x, y), …)."
        )
    return data
