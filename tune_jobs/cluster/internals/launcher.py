"""Ray's own reading of a launcher file, with no cloud and no network: its defaults, its schema, its options.

They buy a mistake found at a desk instead of on machines that already cost money: keys that Ray does not know, values
of a wrong kind, options that ``ray start`` no longer has.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tune_jobs.cluster.internals import private, unknown

_UTIL = "ray.autoscaler._private.util"
_SCHEMA = "ray-schema.json"
_SCRIPTS = "ray.scripts.scripts"
_LOGGER = "ray.autoscaler"


class FileRefused(Exception):  # noqa: N818 - what happened, as a person says it
    """An error that Ray raised for a launcher file.

    What Ray raises is documented nowhere. It trusts its input, so a value of a wrong type may raise anything.

    Attributes:
        error: Ray's error.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def with_defaults(config: dict[str, Any]) -> dict[str, Any]:
    """Return a launcher file's content with Ray's defaults, as ``ray up`` would see it.

    Args:
        config: The content of the file; it is not changed.

    Raises:
        NotInThisRay: Ray cannot be asked.
        FileRefused: Ray cannot read it.
    """
    [prepare] = private(_UTIL, "prepare_config")
    with _refusals():
        prepared: dict[str, Any] = prepare(copy.deepcopy(config))
    if not isinstance(prepared, dict):
        raise unknown(f"{_UTIL}.prepare_config returns {type(prepared).__name__}")
    return prepared


def judge(prepared: dict[str, Any]) -> None:
    """Let Ray judge the content of a launcher file, with all that its schema does not say.

    Args:
        prepared: The content, with Ray's defaults.

    Raises:
        NotInThisRay: Ray cannot be asked.
        FileRefused: Ray has something against it.
    """
    [validate] = private(_UTIL, "validate_config")
    with _refusals():
        validate(prepared)


def schema() -> dict[str, Any]:
    """Return Ray's JSON schema of launcher files.

    Raises:
        NotInThisRay: It is not where it was.
    """
    [file] = private("ray.autoscaler", "__file__")
    try:
        content: dict[str, Any] = json.loads(Path(file).with_name(_SCHEMA).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise unknown(error) from error
    return content


def start_options() -> set[str]:
    """Return the options that ``ray start`` has.

    Raises:
        NotInThisRay: The command cannot be asked.
    """
    [command] = private(_SCRIPTS, "start")
    try:
        return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    except (TypeError, AttributeError) as error:
        raise unknown(f"{_SCRIPTS}.start: {error}") from error


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Turn whatever Ray raises into FileRefused, and drop what it prints and logs as well."""
    logger = logging.getLogger(_LOGGER)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    except Exception as error:
        raise FileRefused(error) from error
    finally:
        logger.setLevel(level)
