"""How a mistake is put into words: name, value, rule, remedy."""

import difflib
import reprlib
from collections.abc import Iterable

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80
_short.maxlist = _short.maxtuple = _short.maxdict = 12


def shown(value: object) -> str:
    """Return a repr that is short and never fails, whatever the value is."""
    try:
        return _short.repr(value)
    except ValueError:  # Python refuses to print integers of more than 4,300 digits
        return f"an {type(value).__name__} too long to print"


def mistake(name: str, value: object, rule: str, remedy: str) -> str:
    """Return the sentence that reports one mistake in one named value."""
    return f"The value of `{name}` is {shown(value)}, but must be {rule}: {remedy}."


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return a remedy that names the nearest known name, or all of them when none is near."""
    names = list(known)
    near = difflib.get_close_matches(str(name)[:100], names, n=1)
    if near:
        return f"you may have meant `{near[0]}`"
    return f"there is {', '.join(f'`{each}`' for each in names) or 'none'}"
