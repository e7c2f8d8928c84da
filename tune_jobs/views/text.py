"""Values as short text that is safe to print."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len, set_cell_size

from tune_jobs.base.plain_text import plain_text
from tune_jobs.results import Noted

_WIDEST_VALUE = 60
_WIDEST_ERROR = 160


def clean(text: object) -> str:
    """Return a text on one line, with characters spelled out that could steer a terminal."""
    whole = str(text)
    if whole.isprintable():
        return whole
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in whole)


def number(value: float, digits: int = 4) -> str:
    """Return a number with some significant digits. Whole numbers stay whole, and nothing is padded."""
    if isinstance(value, bool | int) or not math.isfinite(value):
        return str(value)
    if 10**digits <= abs(value) < 1e15:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def score(value: float | None) -> str:
    """Return a metric with four significant digits, with zeros so that a column lines up, or "-" for None."""
    if value is None:
        return "-"
    if not math.isfinite(value) or not 1e-3 <= abs(value) < 1e4:
        return number(value)
    return f"{value:#.4g}".rstrip(".")


def cut(text: str, most: int) -> str:
    """Return a text of a limited number of columns, with "…" if something is missing."""
    return text if cell_len(text) <= most else set_cell_size(text, most - 1) + "…"


def value_text(value: Any) -> str:
    """Return the value of a parameter as text."""
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(value_text, value))}]"
    return clean(value)


def config_text(config: Mapping[str, Any]) -> str:
    """Return a configuration on one line."""
    return ", ".join(f"{clean(name)}={cut(value_text(value), _WIDEST_VALUE)}" for name, value in config.items())


def duration(seconds: float) -> str:
    """Return a time span in its two largest units: "8s", "1m 05s", "2h 03m", "3d 04h"."""
    whole = max(0, round(seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d {hour:02}h"
    if hours:
        return f"{hours}h {minute:02}m"
    return f"{minutes}m {second:02}s" if minutes else f"{second}s"


def moment(time_s: float | None) -> str:
    """Return a unix time as local date and time, or "-" if it is unknown, or is no time at all."""
    if time_s is None:
        return "-"
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(time_s))
    except (OverflowError, ValueError, OSError):  # a damaged file may hold any number
        return "-"


def error_text(error: str) -> str:
    """Return an error on one line of limited length."""
    return cut(clean(" ".join(plain_text(error).split())), _WIDEST_ERROR)


def note_text(note: Noted) -> str:
    """Return a note on one line: "trial 7: …"."""
    about = "" if note.trial is None else f"trial {note.trial}: "
    return about + error_text(note.text)
