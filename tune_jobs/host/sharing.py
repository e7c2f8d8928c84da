"""The runs of a user on this machine: how many trials each may have, so that together they use each CPU once.

Each run has a file in a folder of the user's, locked as long as the run goes on: the kernel releases the lock, however
the run ends. Every run reads the files of all, and works out the same division.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "TUNE_JOBS_SHARING"
OFF = "off"
_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - the folder within is this user's alone
_MOST_BYTES = 4096


@dataclass(frozen=True, order=True)
class Claim:
    """The CPUs that a run would use if it were alone.

    Attributes:
        begun_s: The time at which it began, in Unix time.
        id: A name that no other run has.
        cpus: The CPUs of one trial.
        trials: The trials that it would run side by side.
    """

    begun_s: float
    id: str
    cpus: float
    trials: int


def divided(claims: Sequence[Claim], cpus: float) -> dict[str, int]:
    """Return how many trials each run may have side by side, by its id.

    Each has one at least. What is left goes to the run with the fewest CPUs, one trial after another.

    Args:
        claims: The runs.
        cpus: The CPUs of the machine.
    """
    shares = {claim.id: 1 for claim in claims}
    free = cpus - sum(claim.cpus for claim in claims)
    while True:
        growing = [claim for claim in claims if shares[claim.id] < claim.trials and claim.cpus <= free]
        if not growing:
            return shares
        least = min(growing, key=lambda claim: (shares[claim.id] * claim.cpus, claim))
        shares[least.id] += 1
        free -= least.cpus


@contextmanager
def shared_machine(cpus: float, of_trial: float, trials: int) -> Iterator[Callable[[], int] | None]:
    """Tell the other runs of this user on this machine that this one goes on.

    Args:
        cpus: The CPUs of the machine.
        of_trial: The CPUs of one trial.
        trials: The trials that this run would have side by side if it were alone.

    Yields:
        A function that returns how many it may have now; None where runs cannot tell each other.
    """
    folder = _folder()
    if folder is None:
        yield None
        return
    own = Claim(time.time(), f"{os.getpid()}-{secrets.token_hex(8)}", of_trial, trials)
    path = folder / own.id
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        yield None
        return
    with os.fdopen(descriptor, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        json.dump([own.begun_s, own.cpus, own.trials], file)
        file.flush()
        try:
            yield lambda: divided([own, *_others(folder, own.id)], cpus)[own.id]
        finally:
            path.unlink(missing_ok=True)


def _folder() -> Path | None:
    chosen = os.environ.get(VARIABLE)
    if chosen == OFF:
        return None
    for parent in [chosen] if chosen else _FOLDERS:
        folder = Path(parent) / f"tune-jobs-runs-{os.getuid()}"
        with suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
            status = folder.lstat()
            if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid():
                return folder
    return None


def _others(folder: Path, own: str) -> list[Claim]:
    return [claim for path in folder.iterdir() if path.name != own and (claim := _read(path)) is not None]


def _read(path: Path) -> Claim | None:
    """Return the claim of a run that goes on; remove the file of one that was killed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            with suppress(ValueError, TypeError):
                begun_s, cpus, trials = json.loads(file.read(_MOST_BYTES))
                return Claim(float(begun_s), path.name, float(cpus), int(trials))
            return None
        except OSError:
            return None
        if path.name.count("-") == 1 and os.fstat(file.fileno()).st_size:  # it has begun, and nobody holds it
            path.unlink(missing_ok=True)
    return None
