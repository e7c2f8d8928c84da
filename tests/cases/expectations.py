"""What is right for each case: the values of the README of the cases, as checks."""

from __future__ import annotations

import json
import math
import re
import shutil
import time
from typing import Any

from tests.cases.lab import Check, Lab, Said


def names_that_clash(lab: Lab) -> None:
    """Names of Ray's or ours do no harm, or are refused when the file is loaded, with another name to take."""
    said = lab.tune_jobs("run", str(lab.cases / "names_that_clash.py"), "--name", "case", "--storage", "runs")
    if said.status == 2:
        lab.expect(re.search(r"\b(stop|train)\b", said.text), f"refused without the name: {said.last_line}")
        return
    lab.expect(said.status == 0, f"exit {said.status}: {said.last_line}")
    _expect_no_failure(lab)


def list_of_inputs(lab: Lab) -> None:
    """A model with two inputs in a list trains, is evaluated, refitted and exported."""
    lab.run("list_of_inputs.py")
    _expect_no_failure(lab)
    _expect_the_rest(lab)


def not_built_yet(lab: Lab) -> None:
    """The best model comes back with its weights, and is evaluated, refitted and exported."""
    said = lab.run_script("not_built_yet.py", "runs")
    lab.expect(said.status == 0, f"exit {said.status}: {said.last_line}")
    lab.expect("parameters 161" in said.text, f"the model has other weights than 161: {said.last_line}")
    lab.run("not_built_yet.py")
    _expect_the_rest(lab)


def two_phases(lab: Lab) -> None:
    """What is compiled again trains on; cut and resumed, it is what it would have been."""
    lab.run("two_phases.py")
    _expect_no_failure(lab)
    whole = _results(lab.leaderboard())
    run = lab.folder / "runs" / "case"
    if not run.exists():
        return
    shutil.copytree(run, lab.folder / "runs" / "cut")
    journal = lab.folder / "runs" / "cut" / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    epochs = [index for index, line in enumerate(lines) if json.loads(line)["event"] == "epoch"]
    journal.write_text("".join(lines[: epochs[len(epochs) // 2] + 1]))
    resumed = lab.tune_jobs("resume", "runs/cut")
    lab.expect(resumed.status == 0, f"resume: exit {resumed.status}: {resumed.last_line}")
    lab.expect(_results(lab.leaderboard("cut")) == whole, "cut and resumed, the leaderboard is another one")
    lab.expect("starts again" not in json.dumps(lab.events("cut")), "a resumed trial starts again")


def text_labels(lab: Lab) -> None:
    """A frame is a dict of its columns, and its words reach a StringLookup."""
    lab.run("text_labels.py")
    _expect_no_failure(lab)


def late_metric(lab: Lab) -> None:
    """A trial waits for an objective that has no value yet, and is a candidate when the value comes."""
    lab.run("late_metric.py")
    rows = lab.leaderboard()
    lab.expect(all(row["status"] not in ("diverged", "failed") for row in rows), f"statuses: {_statuses(rows)}")
    values = [row["val_precision"] for row in rows if row.get("rank") is not None]
    lab.expect(any(isinstance(value, float) and math.isfinite(value) for value in values), "no trial has a value")


def regression_split(lab: Lab) -> None:
    """Continuous targets are drawn plainly."""
    said = lab.run_script("regression_split.py")
    lab.expect((said.status, said.last_line) == (0, "80 20"), f"exit {said.status}: {said.last_line}")


def own_program(lab: Lab) -> None:
    """Streams and handlers are after a run what they were before it."""
    said = lab.run_script("own_program.py", ".")
    for line in (
        "its handler writes to the same stream: True",
        "the file has the line: True",
        "a run under a stdout with write and flush alone: ended",
    ):
        lab.expect(line in said.text, f"not printed: {line!r}; last: {said.last_line}")


def module_data(lab: Lab) -> None:
    """The size of what travels with the class is told in one line before Ray starts, or it works."""
    said = lab.run_script("module_data.py", "runs")
    if said.status == 0:
        lab.expect(re.search(r"\{'(completed|stopped)'", said.last_line), said.last_line)
        lab.expect("'failed'" not in said.last_line, said.last_line)
        return
    told = all(word in said.last_line for word in ("X", "load_data")) and re.search(r"MB|MiB|bytes", said.last_line)
    lab.expect(told, f"exit {said.status}: {said.last_line}")


def a_lock_inside(lab: Lab) -> None:
    """One sentence says which name of which function cannot be sent, and what to do."""
    said = lab.run_script("a_lock_inside.py", "runs")
    lab.expect(said.status == 1, f"exit {said.status}")
    named = all(word in said.last_line for word in ("lock", "build_model", "cannot be sent"))
    lab.expect(named, f"the last line: {said.last_line}")
    lab.expect("Serialization FAILED" not in said.text, "Ray's inspection was printed")


def leaves_by_itself(lab: Lab) -> None:
    """A SystemExit is a failure of its trial with its text, and is not tried again."""
    begun_s = time.monotonic()
    lab.run("leaves_by_itself.py")
    rows = lab.leaderboard()
    failed = [row for row in rows if row["status"] == "failed"]
    lab.expect(failed, f"no trial failed: {_statuses(rows)}")
    lab.expect(all("the rate is too high for me" in str(row.get("error")) for row in failed), f"errors: {failed}")
    starts = [event["trial"] for event in lab.events() if event["event"] == "trial_started"]
    lab.expect(len(starts) == len(set(starts)), f"trials were tried again: {starts}")
    lab.expect(time.monotonic() - begun_s < 90, "it took more than 90 s")


def changed_helper(lab: Lab) -> None:
    """Code that has changed since the training is named before a figure is printed."""
    said = lab.run_script("changed_helper/run.sh", "runs")
    figures = [index for index, line in enumerate(said.text.splitlines()) if re.search(r"accuracy\s+0?\.\d", line)]
    changed = next((index for index, line in enumerate(said.text.splitlines()) if "changed" in line), None)
    lab.expect(figures, f"no first figure: {said.last_line}")
    lab.expect(changed is not None and "helper" in said.text, f"nothing says that helper.py changed: {said.last_line}")
    lab.expect(changed is None or sum(index < changed for index in figures) <= 2, "figures came before the sentence")


def odd_options(lab: Lab) -> None:
    """One line each, exit status 2, and nothing of a stranger's is written."""
    said = lab.run_script("odd_options.sh", "odd")
    parts = _sections(said)
    lab.expect(len(parts) == 9, f"{len(parts)} parts instead of 9: {said.last_line}")
    for title, text in parts.items():
        allowed = ("exit 0", "exit 2") if "500 conditions" in title else ("exit 2",)
        lab.expect(any(status in text for status in allowed), f"{title}: {_end(text)}")
        lab.expect("not foreseen" not in text and "Traceback" not in text, f"{title}: {_end(text)}")
    lab.expect("has 9 bytes, had 9" in said.text, f"a stranger's file: {said.last_line}")


def surroundings(lab: Lab) -> None:
    """A home is not needed, nothing of others is removed, and a checkpoint brings the history of its epochs."""
    said = lab.run_script("surroundings.sh", "around")
    parts = _sections(said)
    lab.expect(len(parts) == 3, f"{len(parts)} parts instead of 3: {said.last_line}")
    for title, text in parts.items():
        lab.expect(not re.search(r"exit [1-9]", text), f"{title}: {_end(text)}")
    kept = next((text for title, text in parts.items() if "next run" in title), "")
    lab.expect(kept.count("experiment.json") == 2, f"the earlier run: {_end(kept)}")
    lab.expect("epochs in the curves: 6 ;" in said.text, "the curves lack epochs")
    lab.expect("note" in said.text.lower().rpartition("epochs in the curves")[2], "nothing says what was brought back")


EXPECTATIONS: dict[str, Check] = {
    "names_that_clash.py": names_that_clash,
    "list_of_inputs.py": list_of_inputs,
    "not_built_yet.py": not_built_yet,
    "two_phases.py": two_phases,
    "text_labels.py": text_labels,
    "late_metric.py": late_metric,
    "regression_split.py": regression_split,
    "own_program.py": own_program,
    "module_data.py": module_data,
    "a_lock_inside.py": a_lock_inside,
    "leaves_by_itself.py": leaves_by_itself,
    "changed_helper/run.sh": changed_helper,
    "odd_options.sh": odd_options,
    "surroundings.sh": surroundings,
}


def _expect_no_failure(lab: Lab) -> None:
    rows = lab.leaderboard()
    lab.expect(rows, "the leaderboard is empty")
    lab.expect(all(row["status"] in ("completed", "stopped") for row in rows), f"statuses: {_statuses(rows)}")


def _expect_the_rest(lab: Lab) -> None:
    """Expect that a run can be evaluated, exported and refitted."""
    for arguments in (["evaluate", "runs/case"], ["export", "runs/case", "e.keras"], ["refit", "runs/case", "r.keras"]):
        said = lab.tune_jobs(*arguments)
        lab.expect(said.status == 0, f"{arguments[0]}: exit {said.status}: {said.last_line}")


def _results(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what of a leaderboard does not depend on the clock."""
    names = ("trial", "status", "val_accuracy", "best_epoch", "epochs", "rate")
    return [tuple(row.get(name) for name in names) for row in rows]


def _statuses(rows: list[dict[str, Any]]) -> str:
    return ", ".join(f"{row['status']} ({row.get('error') or ''})" for row in rows)[:250]


def _sections(said: Said) -> dict[str, str]:
    parts = re.split(r"^--- (.*)$", said.text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _end(text: str) -> str:
    return " / ".join(text.strip().splitlines()[-3:])
