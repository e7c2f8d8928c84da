"""The token that a cluster may ask for, found where Ray finds it. It is never written and never shown."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tune_jobs.base.named_files import read_file
from tune_jobs.errors import RequestError

TOKEN_SOURCES = "RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH, which names a file, or ~/.ray/auth_token"  # noqa: S105

_MOST_BYTES = 64 * 2**10


@dataclass(frozen=True)
class Token:
    """A token.

    Attributes:
        value: The secret.
        source: The variable or the file in which it was found.
    """

    value: str = field(repr=False)
    source: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request that carries it."""
        return {"Authorization": f"Bearer {self.value}"}


def find_token(environment: Mapping[str, str] = os.environ) -> Token | None:
    """Return the token of this user from the first source that exists, in Ray's order; None: there is none.

    Args:
        environment: The environment variables.

    Raises:
        RequestError: The source is a file that cannot be read, or its content is no token.
    """
    if value := environment.get("RAY_AUTH_TOKEN", "").strip():
        return _checked(value, "RAY_AUTH_TOKEN")
    if path := environment.get("RAY_AUTH_TOKEN_PATH", ""):
        return _read(Path(path), f"RAY_AUTH_TOKEN_PATH ({path})")
    try:
        default = Path(environment.get("HOME") or Path.home(), ".ray", "auth_token")
    except RuntimeError:  # no home is known
        return None
    return _read(default, str(default)) if default.is_file() else None


def _read(path: Path, source: str) -> Token:
    try:
        value = read_file(path, _MOST_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise RequestError(
            f"The token in {source} cannot be read ({reason}). Write it there, or remove that setting."
        ) from None
    return _checked(value, source)


def _checked(value: str, source: str) -> Token:
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise RequestError(
            f"{source} holds no token, but must hold one, on one line: copy the token of the head into it."
        )
    return Token(value, source)
