"""The place where a case is run: its folder, its commands, and what they print."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
LIMIT_S = 400.0


@dataclass(frozen=True)
class Said:
    """What a command printed.

    Attributes:
        text: Both streams, in order.
        status: The exit status; None: it had to be ended.
    """

    text: str
    status: int | None

    @property
    def last_line(self) -> str:
        """The last line that is not empty."""
        return next((line for line in reversed(self.text.splitlines()) if line.strip()), "")


@dataclass
class Lab:
    """The place of one case.

    Attributes:
        cases: The folder of all cases.
        folder: An empty folder for what the case writes.
        wrong: What was wrong so far, in words.
    """

    cases: Path
    folder: Path
    wrong: list[str] = field(default_factory=list)

    def expect(self, holds: object, otherwise: str) -> None:
        """Note that something is wrong, unless it holds."""
        if not holds:
            self.wrong.append(" ".join(otherwise.split())[:300])

    def run_script(self, case: str, *arguments: str) -> Said:
        """Run a case that is a program: a .py file with a main part, or a .sh file."""
        program = "bash" if case.endswith(".sh") else "python"
        return self._call(program, str(self.cases / case), *arguments)

    def tune_jobs(self, *arguments: str) -> Said:
        """Call ``tune-jobs``."""
        return self._call("tune-jobs", *arguments)

    def run(self, case: str, name: str = "case", **options: str) -> Said:
        """Run a case that has an EXPERIMENT, and expect that it ends well."""
        given = [part for option, value in options.items() for part in (f"--{option}", value)]
        said = self.tune_jobs("run", str(self.cases / case), "--name", name, "--storage", "runs", *given)
        self.expect(said.status == 0, f"run: exit {said.status}: {said.last_line}")
        return said

    def leaderboard(self, name: str = "case") -> list[dict[str, Any]]:
        """Return the rows of a run's leaderboard; none if there is no leaderboard."""
        said = self.tune_jobs("leaderboard", f"runs/{name}", "--format", "json", "--output", f"{name}.json")
        self.expect(said.status == 0, f"leaderboard: exit {said.status}: {said.last_line}")
        path = self.folder / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else []

    def events(self, name: str = "case") -> list[dict[str, Any]]:
        """Return the events in the journal of a run."""
        path = self.folder / "runs" / name / "journal.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def _call(self, program: str, *arguments: str) -> Said:
        programs = _programs(self.folder)
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith(("TUNE_JOBS_", "RAY_", "PYTEST_"))
        }
        variables |= {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(self.cases), "COLUMNS": "200"}
        log = self.folder / "said"
        with log.open("w") as file:
            process = subprocess.Popen(
                [str(programs / program) if program != "bash" else program, *arguments],
                cwd=self.folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                status: int | None = process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                status = None
        return Said(log.read_text(errors="replace"), status)


def _programs(folder: Path) -> Path:
    """Return a folder with ``python`` and ``tune-jobs`` of this repository, which come first on the path of a case."""
    programs = folder / "bin"
    if not programs.exists():
        programs.mkdir()
        lines: Sequence[tuple[str, str]] = (("python", ""), ("tune-jobs", " -m tune_jobs"))
        for name, module in lines:
            path = programs / name
            # The cases set PYTHONPATH themselves.
            path.write_text(f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}:$PYTHONPATH" exec "{sys.executable}"{module} "$@"\n')
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return programs


Check = Callable[[Lab], None]
