"""Damaged run folders: each file of every format with odd values, odd bytes, or something else in its place."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.act import Act, command
from tests.fuzz.box import Box
from tests.fuzz.commands import allowed, damaged_run_command
from tests.fuzz.damage import damaged_bytes, damaged_json, damaged_text, replace_by_special
from tests.fuzz.draw import Draw


def damaged_record(draw: Draw, box: Box) -> Act:
    """Return an act that reads a run whose experiment.json is damaged."""
    return _told(_damage(draw, box.run / "experiment.json"), damaged_run_command(draw, box))


def damaged_journal(draw: Draw, box: Box) -> Act:
    """Return an act that reads a run whose journal is damaged."""
    path = box.run / "journal.jsonl"
    if draw.chance(0.5):
        return _told(_damage(draw, path, sealed=draw.chance(0.6)), damaged_run_command(draw, box))
    lines = path.read_bytes().splitlines(keepends=True)
    for _ in range(draw.random.randint(1, 4)):
        index = draw.random.randrange(len(lines)) if lines else 0
        way = draw.one(("delete", "copy", "move", "unsealed", "met"))
        line = lines.pop(index) if way in ("delete", "move") and lines else lines[index] if lines else b"\n"
        if way == "move":
            lines.insert(draw.random.randint(0, len(lines)), line)
        elif way == "copy":
            lines.insert(index, line)
        elif way == "met":
            lines.insert(index, _line_about_what_was_met(draw))
        elif way == "unsealed" and lines:
            lines[index] = line.split(b', "line"')[0] + b"}\n"
    path.write_bytes(b"".join(lines))
    return _told("lines of the journal deleted, copied or moved", damaged_run_command(draw, box))


def damaged_evaluation(draw: Draw, box: Box) -> Act:
    """Return an act that reads a run whose scores on the test set are damaged."""
    return _told(_damage(draw, box.run / "evaluations" / "0000.json"), damaged_run_command(draw, box))


def damaged_model(draw: Draw, box: Box) -> Act:
    """Return an act that loads the best model of a run whose description of the model is damaged."""
    told = [_damage(draw, path) for path in box.run.glob("trials/*/model.json")]

    def work() -> int:
        import warnings

        import tune_jobs

        warnings.simplefilter("ignore")
        tune_jobs.load_run(box.run).load_best_model()
        return 0

    return Act(f"{told[0]}; load_run('runs/first').load_best_model()", work)


def damaged_checkpoint(draw: Draw, box: Box) -> Act:
    """Return an act that uses the weights of a run of which some are damaged."""
    told = []
    for path in box.run.glob("trials/*/epoch-*"):
        if draw.chance(0.5):
            told.append(_damage(draw, path / "state.json"))
        else:
            told.append(_damage_arrays(draw, path / "arrays.npz"))
    arguments = draw.one((["evaluate", "first"], ["export", "first", "out.keras"], ["evaluate", "first", "--top", "2"]))
    arguments = [*arguments, "--trust-code"]
    if draw.chance(0.5):
        return _told("; ".join(told), command(box, *arguments, writes=allowed(box, arguments)))

    def work() -> int:
        import warnings

        import tune_jobs

        warnings.simplefilter("ignore")
        tune_jobs.load_run(box.run).load_best_model()
        return 0

    return Act(f"{'; '.join(told)}; load_run('runs/first').load_best_model()", work)


def special_files(draw: Draw, box: Box) -> Act:
    """Return an act that uses a run in which a pipe, a link or a folder stands in place of a file."""
    names = [
        *("experiment.json", "journal.jsonl", "lock", "evaluations", "evaluations/0000.json", "trials", "trials/0000"),
        *(
            "trials/0000/model.json",
            "logs",
            "logs/ray.log",
            "logs/evaluation.log",
            "warm_start.jsonl",
            ".lease",
            "lease.json",
        ),
        *(
            "trials/0000/error.txt",
            "trials/0001",
            "../first",
            "../../blobs.py",
            "../../out.keras",
            "../../out.png",
            "../../runs",
        ),
        *("../../cluster.yaml", "evaluations/0001.json", "lock", "lock", "../next", "../../requirements.txt"),
        *(str(path.relative_to(box.run)) for path in box.run.glob("trials/*/epoch-*")),
        *(str(path.relative_to(box.run)) for path in box.run.glob("trials/*/epoch-*/*")),
    ]
    told = []
    for name in draw.some(names, 2) or ["lock"]:
        told.append(f"{name} is {replace_by_special(draw, Path(os.path.normpath(box.run / name)), box)}")
    if draw.chance(0.15):
        arguments = draw.one(
            (
                ["describe", "blobs.py"],
                ["run", "blobs.py", "--name", "next"],
                ["cluster", "check", "cluster.yaml"],
                ["run", "blobs.py", "--warm-start", "first"],
                ["submit", "blobs.py", "--requirements", "requirements.txt"],
            )
        )
        act = command(box, *arguments, writes=allowed(box, arguments))
    else:
        act = damaged_run_command(draw, box)
    return _told("; ".join(told), act)


def many_things(draw: Draw, box: Box) -> Act:
    """Return an act that reads a run with very many metrics, parameters, epochs or trials, or with very odd names."""
    count = draw.one((100, 1000, 10_000, 100_000))
    kind = draw.one(("metrics", "metrics that change", "trials", "epochs", "parameters", "names", "notes"))
    lines: list[dict[str, Any]] = [
        {"event": "run_started", "time_s": 1.0, "cpus": 1, "gpus": 0, "max_concurrent_trials": 1}
    ]
    config = {"rate": 0.1, "units": 1}
    start = {"event": "trial_started", "time_s": 2.0, "config": config, "node": "here"}
    epoch = {"event": "epoch", "time_s": 3.0, "trial": 0, "epoch": 1, "seconds": 1.0}
    good = {"val_accuracy": 0.5, "loss": 1.0}
    end = {
        "event": "trial_ended",
        "time_s": 4.0,
        "status": "completed",
        "reason": "all epochs",
        "error": None,
        "epochs": 1,
    }
    if kind == "trials":
        for trial in range(count // 4):
            lines += [{**start, "trial": trial}, {**epoch, "trial": trial, "metrics": good}, {**end, "trial": trial}]
    elif kind == "epochs":
        lines += [
            {**start, "trial": 0},
            *({**epoch, "epoch": number, "metrics": good} for number in range(1, count + 1)),
        ]
    elif kind == "metrics that change":
        lines += [{**start, "trial": 0}]
        lines += [{**epoch, "epoch": n, "metrics": {**good, f"m{n}": 1.0}} for n in range(1, count // 10 + 1)]
    elif kind == "notes":
        lines += [{"event": "note", "time_s": 2.0, "trial": None, "text": draw.text()} for _ in range(count)]
    else:
        metrics = {f"m{number}": number / 7 for number in range(min(count, 40_000))} if kind == "metrics" else {}
        names = {draw.text(): draw.one((0.5, "nan", "inf", 10**9)) for _ in range(20)} if kind == "names" else {}
        extra = {f"p{number}": number for number in range(min(count, 40_000))} if kind == "parameters" else {}
        lines += [
            {**start, "trial": 0, "config": {**config, **extra}},
            {**epoch, "metrics": {**good, **metrics, **names}},
        ]
        lines += [{**end, "trial": 0}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (box.run / "journal.jsonl").write_text(text)
    return _told(f"a journal with {count} {kind}", damaged_run_command(draw, box))


def _damage(draw: Draw, path: Path, *, sealed: bool = False) -> str:
    """Damage a file of JSON, or of lines of JSON, and return what was done."""
    content = path.read_bytes()
    way = draw.one(("value", "value", "value", "text", "bytes"))
    if way == "bytes":
        content = damaged_bytes(draw, content)
    else:
        lines = content.decode().splitlines(keepends=True) if path.suffix == ".jsonl" else [content.decode()]
        index = draw.random.randrange(len(lines))
        lines[index] = _damaged_line(draw, lines[index], way)
        content = "".join(lines).encode("utf-8", "surrogatepass")
    if sealed:
        content = _sealed_anew(content)
    path.write_bytes(content)
    return f"{path.name} with another {way}"


def _damaged_line(draw: Draw, line: str, way: str) -> str:
    if way == "text":
        return damaged_text(draw, line)
    return json.dumps(damaged_json(draw, json.loads(line))) + "\n"


def _sealed_anew(content: bytes) -> bytes:
    """Return the lines of a journal with right seals: what is wrong in them is not seen by their checksums."""
    from tune_jobs.results.journal.seal import seal

    lines = []
    for number, line in enumerate(content.splitlines(keepends=True), start=1):
        try:
            fields = json.loads(line)
            plain = {name: value for name, value in fields.items() if name not in ("line", "crc")}
            lines.append(seal(json.dumps(plain).encode() + b"\n", number))
        except (ValueError, AttributeError, RecursionError):
            lines.append(line)
    return b"".join(lines)


def _damage_arrays(draw: Draw, path: Path) -> str:
    """Damage the arrays of a checkpoint, and return what was done."""
    if draw.chance(0.4):
        path.write_bytes(damaged_bytes(draw, path.read_bytes()))
        return f"{path.name} with other bytes"
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    numbers = np.random.default_rng(draw.random.getrandbits(32))
    ways: dict[str, Callable[[str], Any]] = {
        "shape": lambda name: numbers.normal(size=draw.one(((), (0,), (1, 1), (3, 3), (4, 4, 4)))),
        "type": lambda name: arrays[name].astype(draw.one(("float64", "int8", "complex64", "U8", "bool", "M8[s]"))),
        "NaN": lambda name: np.full_like(arrays[name], np.nan, dtype="float32"),
        "huge": lambda name: np.full(arrays[name].shape, 1e301),
        "gone": lambda name: None,
    }
    told = []
    for name in draw.some(sorted(arrays), 3):
        way = draw.one(list(ways))
        arrays[name] = ways[way](name)
        told.append(f"{name}: {way}")
    kept = {name: array for name, array in arrays.items() if array is not None}
    if draw.chance(0.2):
        kept[draw.one(("best/0009", "x", "model/..", "best/x", "/etc/x"))] = np.zeros(2)
    buffer = io.BytesIO()
    np.savez(buffer, **kept)
    path.write_bytes(buffer.getvalue())
    return f"{path.name}: {', '.join(told)}"


def _line_about_what_was_met(draw: Draw) -> bytes:
    """Return a line about a parameter that a trial met late, in which something may be wrong."""
    parameter = {"kind": "Float", "lower": 0.0, "upper": 1.0, "when": [{"parent": "units", "is": 2}]}
    met = {"late": {"parameter": parameter, "value": 0.5, "declared": {}}}
    line = {
        "event": "parameters_met",
        "time_s": 3.0,
        "trial": 0,
        "config": {"rate": 0.1, "units": 1},
        "parameters": met,
    }
    return json.dumps(damaged_json(draw, line)).encode() + b"\n"


def _told(words: str, act: Act) -> Act:
    return Act(f"{words}; {act.words}", act.work, act.writes)
