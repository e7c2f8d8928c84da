"""Odd command lines: every command with every option, right and wrong values, too many and too few of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import click

from tests.fuzz.act import Act, command
from tests.fuzz.box import Box
from tests.fuzz.draw import Draw

_LEFT_OUT = {"--follow", "--help", "--debug"}  # a traceback is right with --debug
_RUNS = ("first", "runs/first", "swept", "group", "group-1", "./runs/first/", "runs/swept")
_EXPERIMENTS = ("blobs.py", "blobs.py:EXPERIMENT", "./blobs.py", "digits_mlp", "blobs:EXPERIMENT")
_OUTPUTS = (
    "out.csv",
    "out.json",
    "out.md",
    "out.parquet",
    "out.png",
    "out.svg",
    "out.pdf",
    "out.keras",
    "out",
    "stranger/new.png",
)
_READS = (
    *("leaderboard", "curves", "path", "compare", "runs", "evaluate", "export", "refit", "resume"),
    *("report", "importance", "suggest", "replay"),
)


def any_command(draw: Draw, box: Box) -> Act:
    """Return an act that calls a command with arguments that hardly fit it."""
    from tune_jobs.cli.main import main

    path, found = _command_of(draw, main)
    arguments = [*path]
    for parameter in found.params:
        if isinstance(parameter, click.Argument):
            count = 1 if parameter.nargs == 1 else draw.count(4)
            arguments += [_argument(draw, parameter.name or "") for _ in range(count)]
    options = [option for option in found.params if isinstance(option, click.Option)]
    usable = [option for option in options if not _LEFT_OUT.intersection(option.opts)]
    for option in draw.some(usable, 4):
        arguments += _option(draw, option)
    arguments = _jumbled(draw, arguments)
    return command(box, *arguments, writes=allowed(box, arguments))


def damaged_run_command(draw: Draw, box: Box, name: str = "first") -> Act:
    """Return an act that calls a command on a run with options that are right."""
    verb = draw.one((*_READS, "leaderboard", "curves", "runs", "resume"))
    arguments = [verb] if verb == "runs" else [verb, name]
    if verb == "compare":
        arguments.append(draw.one(("swept", "group", name)))
    if verb in ("export", "refit"):
        arguments.append("out.keras")
    if verb == "replay":
        arguments += ["--searcher", "random", "--seeds", "2", "--total-epochs", "100"]
    if verb == "curves":
        arguments += ["--output", draw.one(("out.png", "out.svg", "out.pdf"))]
    if verb == "leaderboard" and draw.chance(0.5):
        arguments += ["--format", draw.one(("csv", "json", "markdown"))]
    if verb in ("evaluate", "export", "refit", "resume"):
        arguments += draw.one(([], ["--trust-code"], ["--trust-code"], ["--trust-code", "--force"]))
    if verb == "resume" and draw.chance(0.5):
        arguments += ["--trials", "9"]
    return command(box, *arguments, writes=allowed(box, arguments))


def allowed(box: Box, arguments: Sequence[str]) -> list[Path]:
    """Return what a command line may write: the run that it names, or a new one, and its output."""
    verb = next((argument for argument in arguments if not argument.startswith("-")), "")
    words = [word for argument in arguments for word in (argument, argument.partition("=")[2])]
    paths = [box.root / word for word in words if 0 < len(word) < 200 and "\0" not in word]
    writes = [path for path in paths if os.path.isdir(path.parent) and not os.path.isdir(path) and path.suffix]
    writes += [path for option, path in _values(box, arguments) if option in ("--output", "--tensorboard", "--wandb")]
    if verb in ("run", "submit"):
        # A new run lies in the storage, which may be made.
        storages = [path for option, path in _values(box, arguments) if option == "--storage"] or [box.runs]
        writes += [path for storage in storages for path in (storage, *_missing_above(storage))]
    if any(argument.startswith("--mlflow") for argument in arguments):
        writes += [box.root / "home" / ".config"]  # MLflow's own notes on what it has told its makers
    if verb == "report":  # and if no option names them
        writes += [box.root / "report.html", box.root / "figures"]
    if verb in ("resume", "evaluate", "refit"):
        writes += [box.runs / "first", box.runs / "swept", box.runs / "group-1", box.runs / "group-2"]
    return writes


def _missing_above(path: Path) -> list[Path]:
    return [parent for parent in path.parents if not os.path.exists(parent)]


def _values(box: Box, arguments: Sequence[str]) -> list[tuple[str, Path]]:
    pairs = [
        *pairwise(arguments),
        *(tuple(argument.split("=", 1)) for argument in arguments if "=" in argument),
    ]
    return [(pair[0], box.root / pair[1]) for pair in pairs if pair[1] and "\0" not in pair[1]]


def _command_of(draw: Draw, group: click.Command) -> tuple[list[str], click.Command]:
    path: list[str] = []
    while isinstance(group, click.Group):
        name = draw.one(sorted(group.commands))
        path, group = [*path, name], group.commands[name]
    return path, group


def _argument(draw: Draw, name: str) -> str:
    if draw.chance(0.35):
        return draw.argument()
    match name:
        case "run" | "runs":
            return draw.one(_RUNS)
        case "experiment":
            return draw.one(_EXPERIMENTS)
        case "file":
            return draw.one((*_OUTPUTS, "cluster.yaml", "cluster.yaml"))
    return draw.one((*_RUNS, *_EXPERIMENTS, *_OUTPUTS, "cluster.yaml", "tune-jobs-1-x", "raysubmit_1"))


def _option(draw: Draw, option: click.Option) -> list[str]:
    flag = draw.one(option.opts)
    if option.is_flag:
        return [flag]
    if draw.chance(0.5):
        value = draw.argument()
    elif isinstance(option.type, click.Choice):
        value = draw.one([str(choice) for choice in option.type.choices])
    else:
        value = _plain_value(draw, flag)
    return [flag, value] if draw.chance(0.7) else [f"{flag}={value}"]


def _plain_value(draw: Draw, flag: str) -> str:
    match flag:
        case "--storage":
            return draw.one(
                (
                    "runs",
                    "elsewhere/runs",
                    "stranger/folder/runs",
                    "blobs.py",
                    "blobs.py/x",
                    "/dev/null",
                    "/proc/x",
                    "file://",
                )
            )
        case "--output":
            return draw.one((*_OUTPUTS, "stranger", "/dev/null", "no/folder/out.png"))
        case "--warm-start" | "--resume":
            return draw.one(_RUNS)
        case "--metric":
            return draw.one(("loss", "val_loss", "accuracy", "val_accuracy"))
        case "--experiment":
            return draw.one(_EXPERIMENTS)
        case "--working-dir" | "--requirements":
            return draw.one((".", "runs", "requirements.txt", "blobs.py", "stranger"))
        case "--address":
            return draw.one(
                ("auto", "local", "10.0.0.1:6379", "http://10.0.0.1:8265", "ray://x:1", "10.0.0.1:99999", "[::1]:1")
            )
        case "--name":
            return draw.one(("new", "first", "group", "a" * 100, "a" * 101))
    return str(draw.one((1, 2, 3, 4, 0.5, 10**9, 10**15)))


def _jumbled(draw: Draw, arguments: list[str]) -> list[str]:
    """Return the arguments, now and then with one too many, one too few, or in another order."""
    match draw.random.randrange(12):
        case 0:
            arguments.insert(draw.random.randint(1, len(arguments)), draw.argument())
        case 1 if len(arguments) > 1:
            del arguments[draw.random.randrange(1, len(arguments))]
        case 2:
            rest = arguments[1:]
            draw.random.shuffle(rest)
            arguments = [arguments[0], *rest]
        case 3:
            arguments += [draw.one(("--trials", "--name", "--seed", "--top", "--nothing", "--", "--storage="))]
    return [argument for argument in arguments if argument not in _LEFT_OUT]
