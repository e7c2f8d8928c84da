"""Lines of a journal: events as one line of standard JSON each, and the checks that a line must pass."""

from __future__ import annotations

import dataclasses
import json
import math
import reprlib
import sys
from collections.abc import Callable
from typing import Any, Never, get_args

from trainables.storage.file_format import FORMAT, NewerFormatError, check_format, stamp
from tune_jobs.base.plain_text import plain_text
from tune_jobs.results.journal.events import (
    Damaged,
    EpochReported,
    Event,
    Noted,
    ParametersMet,
    RunStarted,
    Status,
    TrialStarted,
)

MAX_TRIAL = 10**9
MAX_EPOCH = 10**6
MAX_NESTING = 32
JOURNAL_FORMAT = 1


class EventError(ValueError):
    """An event that cannot be written to, or read from, a line of a journal. The message says why."""


class PassedOverError(EventError):
    """An event that cannot be read from its line, and without which the rest of the journal makes sense."""


def encode(event: Event) -> bytes:
    """Return the line of an event, with the newline that makes it whole.

    Standard JSON has no NaN: a metric that is not finite is written as "nan", "inf" or "-inf". Half of a surrogate
    pair, which has no bytes in UTF-8, becomes a question mark.

    Args:
        event: The event.

    Raises:
        EventError: The event has a value that JSON cannot hold, or that ``decode`` would refuse.
    """
    fields: dict[str, Any] = {"event": event.EVENT} | {name: getattr(event, name) for name in event.__slots__}
    for name in _TEXTS & fields.keys():
        if type(fields[name]) is str:
            fields[name] = plain_text(fields[name])
    if isinstance(event, RunStarted):
        fields |= stamp(JOURNAL_FORMAT)
    try:
        if isinstance(event, EpochReported):
            fields["metrics"] = {name: _finite_or_name(float(value)) for name, value in event.metrics.items()}
            if not event.done:
                del fields["done"]  # nine in ten lines are such epochs
            if event.batches is None:
                del fields["batches"]
        if isinstance(event, TrialStarted) and event.heard is None:
            del fields["heard"]
        text = _ENCODER.encode(fields)
    except (TypeError, ValueError, RecursionError) as error:
        raise EventError(f"this {event.EVENT} event cannot be written as JSON: {error}") from error
    line = text.encode("utf-8", errors="replace") + b"\n"
    if _plain_epoch(fields) is None:
        decode(line)  # a line that readers would refuse must fail here, not when the run is over
    return line


def decode(line: bytes) -> Event | None:
    """Return the event of a line; None if only a newer version knows the event's name.

    Fields that an event does not have are ignored: a newer version may have added them.

    Args:
        line: The line, as bytes.

    Raises:
        EventError: The line is not standard JSON, a field is missing, or its value breaks the rule of the field.
        PassedOverError: So it is with parameters that a trial met: the trial itself is not in doubt.
        NewerFormatError: The line begins a part of the journal that only a newer version can read.
    """
    fields = _parse(line)
    name = fields.get("event")
    if type(name) is not str:
        raise EventError('it has no "event" that names what happened')
    if name == EpochReported.EVENT and (epoch := _plain_epoch(fields)) is not None:
        return epoch
    if FORMAT in fields:
        _check_format(fields)
    record = _RECORDS.get(name)
    if record is None:
        return None
    checked: dict[str, Any] = {}
    problem = PassedOverError if record is ParametersMet else EventError
    if _OPTIONAL[name]:  # an older version wrote lines without these fields
        fields = _OPTIONAL[name] | fields
    try:
        for field, check in _FIELD_CHECKS[name]:
            checked[field] = check(fields[field])
    except KeyError as error:
        raise problem(f"its {name} event has no {error}") from error
    except EventError as rule:
        raise problem(f"its {field} is {reprlib.repr(fields[field])}, but must be {rule}") from rule
    return record(**checked)


def _check_format(fields: dict[str, Any]) -> None:
    try:
        check_format(fields, JOURNAL_FORMAT)
    except NewerFormatError:
        raise
    except ValueError as error:
        raise EventError(str(error)) from error


def _plain_epoch(fields: dict[str, Any]) -> EpochReported | None:
    """Return an epoch if no field has to be converted or refused; None if each field has to be checked by itself.

    Nine in ten lines of a journal are such epochs, and a leaderboard reads them all.
    """
    time_s, trial, epoch = fields.get("time_s"), fields.get("trial"), fields.get("epoch")
    metrics, seconds, done = fields.get("metrics"), fields.get("seconds"), fields.get("done", False)
    if (
        type(time_s) is type(seconds) is float
        and type(trial) is type(epoch) is int
        and type(metrics) is dict
        and 0.0 <= time_s <= sys.float_info.max
        and 0 <= trial <= MAX_TRIAL
        and 1 <= epoch <= MAX_EPOCH
        and set(map(type, metrics.values())) <= _FLOATS
        and 0.0 <= seconds <= sys.float_info.max
        and type(done) is bool
        and "batches" not in fields
    ):
        return EpochReported(time_s=time_s, trial=trial, epoch=epoch, metrics=metrics, seconds=seconds, done=done)
    return None


def _parse(line: bytes) -> dict[str, Any]:
    try:
        text = line.decode("utf-8")
        fields, end = _DECODER.raw_decode(text)
        if text[end:].strip():
            raise ValueError(f"more text follows at character {end}")
        if b"\\u" in line:  # only an escape can hold half of a surrogate pair, which no file and no table can store
            json.dumps(fields, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise EventError(f"it is not standard JSON ({error})") from error
    if type(fields) is not dict:
        raise EventError("it is not a JSON object")
    return fields


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not a JSON value")


# One encoder and one decoder for all lines: json.dumps and json.loads make new ones at every call with an option.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_RECORDS: dict[str, type[Event]] = {record.EVENT: record for record in get_args(Event) if record is not Damaged}
_MISSING = dataclasses.MISSING
_OPTIONAL = {
    name: {field.name: field.default for field in dataclasses.fields(record) if field.default is not _MISSING}
    for name, record in _RECORDS.items()
}
_TEXTS = {"node", "reason", "error", "text"}
_ENDED = {status.value: status for status in Status if status not in (Status.RUNNING, Status.PAUSED)}
_FLOATS = {float}
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def _finite_or_name(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


# The checks compare types with `is`, because isinstance takes True for a whole number.


def _whole_number(least: int, most: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if type(value) is int and least <= value <= most:
            return value
        raise EventError(f"a whole number from {least} to {most}")

    return check


def _count_or_none(value: Any) -> int | None:
    if value is None or (type(value) is int and 0 <= value <= MAX_TRIAL):
        return value
    raise EventError(f"a whole number from 0 to {MAX_TRIAL}, or null")


def _amount(value: Any) -> float:
    if type(value) in (float, int) and 0 <= value <= sys.float_info.max:
        return float(value)
    raise EventError("a finite number, zero or more")


def _amount_or_none(value: Any) -> float | None:
    return None if value is None else _amount(value)


def _truth(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise EventError("true or false")


def _text(value: Any) -> str:
    if type(value) is str:
        return plain_text(value)
    raise EventError("a text")


def _text_or_none(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value and plain_text(value)
    raise EventError("a text or null")


def _status(value: Any) -> Status:
    if type(value) is str and value in _ENDED:
        return _ENDED[value]
    raise EventError(f"one of {', '.join(_ENDED)}")


def _config(value: Any) -> dict[str, Any]:
    if type(value) is dict and _is_plain(value, MAX_NESTING):
        return value
    raise EventError(f"an object of finite values, nested at most {MAX_NESTING} deep")


def _parameters(value: Any) -> dict[str, Any]:
    from tune_jobs.results.met_parameters import problem_with  # which needs NumPy

    if problem := problem_with(_config(value)):
        raise EventError(problem)
    return dict(value)


def _is_plain(value: Any, levels: int) -> bool:
    if isinstance(value, dict | list):
        children = value.values() if isinstance(value, dict) else value
        return levels > 0 and all(_is_plain(child, levels - 1) for child in children)
    return not isinstance(value, float) or math.isfinite(value)  # JSON spells infinity 1e999


def _metrics(value: Any) -> dict[str, float]:
    if type(value) is not dict:
        raise EventError("an object of metrics")
    for name, number in value.items():
        if type(number) is not float:
            value[name] = _metric(number)
    return value


def _metric(value: Any) -> float:
    if type(value) is int and abs(value) <= sys.float_info.max:
        return float(value)
    if type(value) is str and value in _NOT_FINITE:
        return _NOT_FINITE[value]
    raise EventError('an object of numbers, or "nan", "inf" and "-inf"')


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "time_s": _amount,
    "cpus": _amount,
    "gpus": _amount,
    "max_concurrent_trials": _whole_number(1, MAX_TRIAL),
    "trial": _whole_number(0, MAX_TRIAL),
    "config": _config,
    "parameters": _parameters,
    "node": _text,
    "nodes": _count_or_none,
    "epoch": _whole_number(1, MAX_EPOCH),
    "metrics": _metrics,
    "seconds": _amount,
    "done": _truth,
    "batches": _count_or_none,
    "data": _text_or_none,
    "donor": _count_or_none,
    "status": _status,
    "reason": _text,
    "error": _text_or_none,
    "epochs": _count_or_none,
    "heard": _count_or_none,
    "text": _text,
}
_FIELD_CHECKS = {name: [(field, _CHECKS[field]) for field in record.__slots__] for name, record in _RECORDS.items()}
_FIELD_CHECKS[TrialStarted.EVENT] = list(({**dict(_FIELD_CHECKS[TrialStarted.EVENT]), "gpus": _amount_or_none}).items())
_FIELD_CHECKS[Noted.EVENT] = [("time_s", _amount), ("trial", _count_or_none), ("text", _text)]
