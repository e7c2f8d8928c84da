"""Every field of Experiment is recorded, resumed, described and has its options, or the table says that it has none."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import click
import pytest

from search_spaces import Float, SearchSpace
from tests.support.fakes import NeverTrained, experiment
from tune_jobs.base.objective import Objective
from tune_jobs.cli.commands.resume import resume
from tune_jobs.cli.commands.run import run
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.fields import AS_DECLARED, FIELDS, Field, Line, changeable_fields
from tune_jobs.experiment.record import change_record, differences, restore_experiment, write_record
from tune_jobs.experiment.resources import Resources
from tune_jobs.loading.loader import Loaded
from tune_jobs.schedulers import NoScheduler
from tune_jobs.searchers import Random
from tune_jobs.views.reports.experiment import description

NOT_ABOUT_THE_EXPERIMENT = {
    "experiment",
    "storage",
    "name",
    "if_exists",
    "warm_start",
    "repeats",
    "top",
    "address",
    "tensorboard",
    "mlflow",
    "wandb",
    "debug",
    "verbose",
}


class AlsoNeverTrained(NeverTrained):
    """Another trainable."""


OTHER_PARTS: Mapping[str, Any] = {
    "trainable": AlsoNeverTrained,
    "space": SearchSpace(x=Float(0.0, 2.0)),
    "objective": Objective("val_loss", "min"),
    "searcher": Random(),
    "scheduler": NoScheduler(),
    "resources": Resources(cpus=2),
    "objectives": (Objective("val_accuracy", "max"), Objective("parameters", "min")),
    "constraints": ("parameters <= 1e5",),
}


def other_value(kind: type[Experiment], name: str, value: Any) -> Any:
    """Return another value that the field may have, by its annotation."""
    if name in OTHER_PARTS:
        return OTHER_PARTS[name]
    hint = get_type_hints(kind)[name]
    for option in get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,):
        if get_origin(option) is Literal:
            return next(each for each in get_args(option) if each != value)
        if option is bool:
            return not value
        if option is int:
            return (value or 0) + 1
        if option is float:
            return 0.5 if value != 0.5 else 0.25
        if option is not NoneType:
            raise AssertionError(f"Give OTHER_PARTS another value of {name}: {hint}.")
    raise AssertionError(f"{name} can have no other value than None.")


def oversights(declared: Experiment) -> list[str]:
    """Return what was forgotten about the fields of an experiment's class, a sentence each."""
    names = [field.name for field in dataclasses.fields(declared)]
    missing = [f"{name} has no row in the table." for name in names if name not in FIELDS]
    unknown = [f"{name} has a row, but is no field." for name in FIELDS if name not in names]
    rows = [FIELDS[name] for name in names if name in FIELDS]
    return [*missing, *unknown, *(sentence for row in rows for sentence in row_oversights(declared, row))]


def row_oversights(declared: Experiment, row: Field) -> Iterator[str]:
    """Yield what was forgotten about one field."""
    value = other_value(type(declared), row.name, getattr(declared, row.name))
    changed = dataclasses.replace(declared, **{row.name: value})
    record = recorded(changed)
    if record.get(row.name) == recorded(declared)[row.name]:
        yield f"{row.name} is not in experiment.json."
    if row.read is None and not differences(declared, record):
        yield f"{row.name} is not resumed, and nothing tells that it has changed."
    if row.read is not None and getattr(restore_experiment(declared, record), row.name) != value:
        yield f"{row.name} is not resumed as it was."
    if row.is_changeable and recorded(declared) != change_record(record, declared):
        yield f"{row.name} is changed by resume, and not recorded."
    if row.is_described == (described(changed) == described(declared)):
        yield f"{row.name} is{' not' if row.is_described else ''} told by describe."
    yield from option_oversights(row)


def option_oversights(row: Field) -> Iterator[str]:
    """Yield the options that the command line lacks for a field."""
    of_run, of_resume = options_of(run), options_of(resume)
    for flag in row.flags:
        if flag not in of_run:
            yield f"{row.name} has no option {flag} of run."
        elif len(row.flags) == 1 and of_run[flag] != row.name:
            yield f"{flag} of run sets {of_run[flag]}, not {row.name}."
        if row.is_changeable != (of_resume.get(flag) == row.name):
            yield f"{row.name} can{'' if row.is_changeable else 'not'} be changed by resume: look at its {flag}."


def options_of(command: click.Command) -> dict[str, str]:
    """Return the names of a command's parameters by option."""
    return {flag: str(option.name) for option in command.params for flag in option.opts}


def recorded(declared: Experiment) -> dict[str, Any]:
    """Return what experiment.json holds, but for the time."""
    record = write_record("a", declared, "name", None)
    return {**json.loads(json.dumps(record)), "created_s": 0.0}


def described(declared: Experiment) -> str:
    return description(Loaded(declared, "mine", "A question."))


def test_nothing_was_forgotten_about_any_field() -> None:
    assert oversights(experiment()) == []
    assert [field.name for field in dataclasses.fields(Experiment)] == list(FIELDS)


def test_every_other_option_of_run_is_about_the_experiment() -> None:
    of_fields = {flag for row in FIELDS.values() for flag in row.flags}
    others = {name for flag, name in options_of(run).items() if flag not in of_fields}
    assert others == NOT_ABOUT_THE_EXPERIMENT


def test_resume_changes_budgets_the_patience_with_failures_and_what_trains_together_and_no_more() -> None:
    assert changeable_fields() == (
        "trials",
        "time_budget_s",
        "total_epochs",
        "max_retries",
        "same_failures",
        "trial_timeout_s",
        "together",
    )
    assert set(changeable_fields()) <= set(options_of(resume).values())


@dataclasses.dataclass(frozen=True)
class Wider(Experiment):
    """An experiment with one more field, whose author forgets one thing after another."""

    pace_s: float = 1.0


@pytest.fixture
def wider() -> Experiment:
    declared = experiment()
    return Wider(**{field.name: getattr(declared, field.name) for field in dataclasses.fields(declared)})


ROW = Field("pace_s", 2.0, line=Line("pace", "{} s".format))


def test_a_field_without_a_row_is_noticed(wider: Experiment) -> None:
    assert oversights(wider) == ["pace_s has no row in the table."]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (ROW, "pace_s has no option --pace-s of run."),
        (dataclasses.replace(ROW, line=None), "pace_s is not told by describe."),
        (dataclasses.replace(ROW, is_described=False), "pace_s is told by describe."),
        (dataclasses.replace(ROW, write=lambda _: 3.0), "pace_s is not in experiment.json."),
        (dataclasses.replace(ROW, read=lambda _: 3.0), "pace_s is not resumed as it was."),
        (dataclasses.replace(ROW, read=None), "pace_s is not resumed, and nothing tells that it has changed."),
        (dataclasses.replace(ROW, is_changeable=True), "pace_s can be changed by resume: look at its --pace-s."),
        (dataclasses.replace(ROW, options=("--seed",)), "--seed of run sets seed, not pace_s."),
    ],
)
def test_a_row_that_is_not_carried_out_is_noticed(
    wider: Experiment, monkeypatch: pytest.MonkeyPatch, row: Field, sentence: str
) -> None:
    monkeypatch.setitem(FIELDS, "pace_s", row)
    assert sentence in oversights(wider)


def test_a_field_a_row_and_an_option_are_enough(wider: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FIELDS, "pace_s", ROW)
    monkeypatch.setattr(run, "params", [*run.params, click.Option(["--pace-s"], type=float)])
    assert oversights(wider) == []
    earlier = {name: value for name, value in recorded(wider).items() if name != "pace_s"}
    assert restore_experiment(wider, earlier).pace_s == 2.0  # type: ignore[attr-defined]


def test_a_field_that_a_record_lacks_has_the_value_that_was_right_then() -> None:
    assert FIELDS["fraction"].recorded({}) == 1.0
    assert FIELDS["seed"].recorded({}) is AS_DECLARED
    assert FIELDS["seed"].recorded_json({}) is None
    with pytest.raises(KeyError, match="resources"):
        FIELDS["resources"].recorded({})
