"""The heavy packages that a driver has imported: each costs a second or more before the first trial."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys
from contextlib import contextmanager
from pathlib import Path
from tune_jobs.cli.main import main
from tune_jobs.engine import driver

imported = {}
heavy = ("tensorflow", "keras", "hyperopt", "sklearn", "matplotlib")

def look(when):
    imported[when] = [name for name in heavy if name in sys.modules]

@contextmanager
def ray_session(machine, workers, tell):
    look("as Ray starts")
    yield lambda: Path(sys.argv[1])

def workers_for(*_, **__):
    look("as trials start")
    Path(sys.argv[1], "imported.json").write_text(json.dumps(imported))
    raise KeyboardInterrupt

driver.ray_session, driver.workers_for = ray_session, workers_for
main(["run", "digits_mlp", "--storage", sys.argv[1]])
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    folder = tmp_path_factory.mktemp("runs")
    ended = subprocess.run([sys.executable, "-c", PROGRAM, str(folder)], capture_output=True, text=True, check=False)
    report = folder / "imported.json"
    assert report.exists(), ended.stderr
    return json.loads(report.read_text())  # type: ignore[no-any-return]


def test_ray_starts_before_what_the_search_and_the_data_need_is_imported(imported: dict[str, list[str]]) -> None:
    assert imported["as Ray starts"] == []


def test_the_driver_needs_no_keras(imported: dict[str, list[str]]) -> None:
    assert imported["as trials start"] == ["hyperopt", "sklearn"]


def test_a_command_tells_a_missing_file_without_importing_ray() -> None:
    program = (
        "import sys\nfrom tune_jobs.cli.main import main\n"
        "try:\n    main(['run', 'missing.py'])\n"
        "except SystemExit as ended:\n    print(ended.code, sorted({'ray', 'keras'} & sys.modules.keys()))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (ended.stdout, "missing.py does not exist" in ended.stderr) == ("2 []\n", True)
