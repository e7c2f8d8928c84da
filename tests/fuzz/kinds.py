"""The kinds of inputs, and how many of a hundred are of each kind."""

from __future__ import annotations

from tests.fuzz import commands, declarations, folders, launcher, sources
from tests.fuzz.act import Act
from tests.fuzz.box import Box
from tests.fuzz.draw import Draw

_KINDS = {
    "command line": (22, commands.any_command),
    "experiment file": (21, sources.experiment_file),
    "declaration": (18, declarations.declaration),
    "record": (9, folders.damaged_record),
    "journal": (9, folders.damaged_journal),
    "special file": (8, folders.special_files),
    "launcher file": (5, launcher.launcher_file),
    "checkpoint": (3, folders.damaged_checkpoint),
    "model": (2, folders.damaged_model),
    "evaluation": (2, folders.damaged_evaluation),
    "many things": (1, folders.many_things),
}
KINDS = tuple(_KINDS)


def kind_of(seed: int, number: int) -> str:
    """Return the kind of an input."""
    draw = Draw(seed, -number - 1).random
    return draw.choices(KINDS, [share for share, _ in _KINDS.values()])[0]


def act_of(kind: str, draw: Draw, box: Box) -> Act:
    """Prepare the box of an input, and return its act."""
    return _KINDS[kind][1](draw, box)
