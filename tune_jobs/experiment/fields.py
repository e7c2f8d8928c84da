"""The table of the fields of an experiment: how each is recorded, resumed, described and compared.

Every field of ``Experiment`` has one row here. The record (experiment.json), resuming, ``tune-jobs describe`` and the
cautions of a comparison read the row. So a plain field stands in three places: its declaration in ``Experiment``, its
row, and its option in ``tune_jobs.cli.run_options``. A test compares them with ``dataclasses.fields(Experiment)``.

The module imports nothing heavy, because ``tune-jobs compare`` and ``tune-jobs submit`` read the table as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import methodcaller
from typing import Any, Final, NamedTuple

from search_spaces.messages import short_repr
from tune_jobs.base.objective import Objective
from tune_jobs.errors import RequestError
from tune_jobs.results.layout import EXPERIMENT_FILE


class Absent(Enum):
    """The meaning of a field that an experiment.json does not have."""

    DAMAGED = "all versions wrote the field, so the file is damaged"
    AS_DECLARED = "the run goes on with what the experiment declares today"


DAMAGED: Final = Absent.DAMAGED
AS_DECLARED: Final = Absent.AS_DECLARED


class Line(NamedTuple):
    """A line of ``tune-jobs describe`` that is about one field alone.

    Attributes:
        name: The first word of the line.
        words: Returns the rest of the line for a value of the field; "" if nothing is to be told.
    """

    name: str
    words: Callable[[Any], str]


class Caution(NamedTuple):
    """The sentence below a comparison of runs in which a field differs.

    Attributes:
        order: The position among the cautions.
        sentence: What is said; None: the field's name, and its value in each strategy.
    """

    order: int
    sentence: str | None = None


@dataclass(frozen=True)
class Field:
    """One field of ``Experiment``.

    Attributes:
        name: The field's name, in Python and in experiment.json.
        earlier: The value in a run whose experiment.json lacks the field, because the run was begun before the field
            existed. ``AS_DECLARED`` and ``DAMAGED`` say that there is no such value.
        write: Converts a value to JSON.
        read_beside: Converts JSON to a value, beside the value that the experiment's file declares today; None:
            ``read`` does.
        read: Converts JSON to a value. None: a resumed run takes the field from the experiment's file, and
            ``record.differences`` tells whether it has changed since.
        is_changeable: True if ``tune-jobs resume`` may change the field.
        options: The options of ``tune-jobs run`` that set the field; None: the one that has the field's name.
        is_described: True if ``tune-jobs describe`` tells the field's value.
        line: The line that tells it; None: the description tells it together with other fields.
        caution: The caution about runs that differ in the field; None: such runs are compared without one.
    """

    name: str
    earlier: Any
    write: Callable[[Any], Any] = lambda value: value
    read: Callable[[Any], Any] | None = lambda value: value
    read_beside: Callable[[Any, Any], Any] | None = None
    is_changeable: bool = False
    options: tuple[str, ...] | None = None
    is_described: bool = True
    line: Line | None = None
    caution: Caution | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """The options of ``tune-jobs run`` that set the field, as they are typed."""
        return (f"--{self.name.replace('_', '-')}",) if self.options is None else self.options

    def recorded_json(self, record: Mapping[str, Any]) -> Any:
        """Return the JSON of the value that a run was begun with; None if an earlier version did not record it.

        Args:
            record: The run's experiment.json.
        """
        return record.get(self.name, None if isinstance(self.earlier, Absent) else self.write(self.earlier))

    def recorded(self, record: Mapping[str, Any], declared: Any = None) -> Any:
        """Return the value that a run was begun with.

        Args:
            record: The run's experiment.json.
            declared: The value that the experiment's file declares today, if it is known.

        Returns:
            The value, or ``AS_DECLARED``.

        Raises:
            KeyError: The record lacks the field, and all versions wrote it.
            TypeError: The record has something else than the field's arguments.
        """
        if self.read is None:
            return AS_DECLARED
        if self.name in record:
            recorded = record[self.name]
            return self.read_beside(recorded, declared) if self.read_beside else self.read(recorded)
        if self.earlier is DAMAGED:
            raise KeyError(self.name)
        return self.earlier


def _read_objectives(declared: Sequence[Mapping[str, Any]]) -> tuple[Objective, ...]:
    return tuple(Objective(**arguments) for arguments in declared)


# Searchers and resources are imported only to read a field of theirs: see the module's docstring.
def _read_objective(arguments: Mapping[str, Any]) -> Any:
    return Objective(**arguments)


def _read_searcher(arguments: Mapping[str, Any], declared: Any) -> Any:
    from tune_jobs.searchers import SEARCHERS

    return _read_part(SEARCHERS, arguments, declared)


def _read_scheduler(arguments: Mapping[str, Any], declared: Any) -> Any:
    from tune_jobs.schedulers import SCHEDULERS

    return _read_part(SCHEDULERS, arguments, declared)


def _read_part(registry: Mapping[str, Callable[..., Any]], arguments: Mapping[str, Any], declared: Any) -> Any:
    settings = dict(arguments)
    kind = settings.pop("kind")
    if getattr(declared, "NAME", None) == kind:  # it may be a user's own
        restore = getattr(declared, "restored", None)
        return restore(settings) if restore else type(declared)(**settings)
    if kind not in registry:
        raise RequestError(
            f"The run's {EXPERIMENT_FILE} says that it was begun with `{kind}`, but the experiment declares "
            f"{short_repr(declared)} now, and no class of tune-jobs has the name `{kind}`: declare what the run was "
            "begun with, and resume again."
        )
    return registry[kind](**settings)


def _read_resources(arguments: Mapping[str, Any]) -> Any:
    from tune_jobs.experiment.resources import Resources

    return Resources(**arguments)


def _write_class(kind: type[Any]) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _executions_words(executions: int) -> str:
    return "1 a trial" if executions == 1 else f"{executions} a trial, which is judged by their mean"


def _together_words(together: int) -> str:
    return "" if together == 1 else f"{together} trials in one worker, where their models are equal"


def _fraction_words(fraction: float) -> str:
    if fraction == 1:
        return "all"
    part = f"{100 * fraction:.4g} % of those to train and to validate on"
    return f"{part}, of each class alike (of a source, a plain share); the test set is whole"


def _constraints_words(constraints: Sequence[str]) -> str:
    return ", ".join(constraints)


_to_json = methodcaller("to_json")

# In the order of the fields of Experiment, which is also their order in experiment.json.
_ROWS = (
    Field("trainable", DAMAGED, write=_write_class, read=None, options=(), caution=Caution(1)),
    Field("space", DAMAGED, write=_to_json, read=None, options=(), caution=Caution(5, "the search spaces differ")),
    Field("objective", DAMAGED, write=_to_json, read=_read_objective, options=()),
    Field("searcher", DAMAGED, write=_to_json, read_beside=_read_searcher),
    Field("scheduler", DAMAGED, write=_to_json, read_beside=_read_scheduler),
    Field("max_epochs", AS_DECLARED, caution=Caution(4)),
    Field("trials", AS_DECLARED, is_changeable=True),
    Field("time_budget_s", AS_DECLARED, is_changeable=True),
    Field("total_epochs", AS_DECLARED, is_changeable=True),
    Field("executions", 1, line=Line("executions", _executions_words), caution=Caution(3)),
    Field("fraction", 1.0, line=Line("examples", _fraction_words), caution=Caution(2)),
    Field(
        "resources",
        DAMAGED,
        write=_to_json,
        read=_read_resources,
        options=("--cpus", "--gpus", "--memory-bytes"),
    ),
    Field("max_concurrent_trials", AS_DECLARED, options=("--max-concurrent",)),
    Field("on_oom", "fail"),
    Field("seed", AS_DECLARED, line=Line("seed", str)),
    Field("checkpoint_every_s", AS_DECLARED, options=(), is_described=False),
    Field("max_retries", AS_DECLARED, is_changeable=True, is_described=False),
    Field("same_failures", AS_DECLARED, is_changeable=True, is_described=False),
    Field("trial_timeout_s", AS_DECLARED, is_changeable=True, is_described=False),
    Field("keep", "all", is_described=False),
    Field(
        "objectives",
        (),
        write=lambda objectives: [objective.to_json() for objective in objectives],
        read=_read_objectives,
        options=(),
        caution=Caution(6, "they have other further objectives"),
    ),
    Field(
        "constraints",
        (),
        write=list,
        read=tuple,
        options=(),
        line=Line("constraints", _constraints_words),
        caution=Caution(7),
    ),
    Field("together", 1, line=Line("together", _together_words), is_changeable=True),
)

FIELDS: Final = {field.name: field for field in _ROWS}
"""The fields of ``Experiment`` by name, in their order."""


def changeable_fields() -> tuple[str, ...]:
    """Return the names of the fields that ``tune-jobs resume`` may change."""
    return tuple(name for name, field in FIELDS.items() if field.is_changeable)
