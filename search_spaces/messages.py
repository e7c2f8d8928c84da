"""The wording of a mistake: name, value, rule, remedy."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80
_short.maxlist = _short.maxtuple = _short.maxdict = 12

_MAX_NAMES = 20  # more would hide the sentence in which they stand


def short_repr(value: object) -> str:
    """Return a repr that is short and never fails, whatever the value is."""
    try:
        return _short.repr(value)
    except Exception:  # noqa: BLE001 - Python refuses integers of more than 4,300 digits, a __repr__ may raise anything
        kind = type(value).__name__
        return f"an {kind} too long to print" if isinstance(value, int) else f"an object of type {kind}"


def mistake(name: str, value: object, rule: str, remedy: str) -> str:
    """Return the sentence that reports one mistake.

    Args:
        name: The argument that has the mistake.
        value: What was given for it.
        rule: What the value must be; the words follow "must be".
        remedy: What to write instead, without a full stop.
    """
    return f"The value of `{name}` is {short_repr(value)}, but must be {rule}: {remedy}."


def did_you_mean(name: object, known_names: Iterable[str]) -> str:
    """Return a remedy that gives the known name most like an unknown one; else the first known names."""
    names = list(known_names)
    near = difflib.get_close_matches(str(name)[:100], names, n=1)
    if near:
        return f"you may have meant `{near[0]}`"
    shown = [f"`{known}`" for known in names[:_MAX_NAMES]]
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return f"there is {', '.join(shown) or 'none'}{more}"
