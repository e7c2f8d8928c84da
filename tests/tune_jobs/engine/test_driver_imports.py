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


EXPERIMENT = """
import numpy as np
from search_spaces import Float, SearchSpace
from trainables import Data, KerasTrainable
from tune_jobs import ASHA, Experiment, HyperOpt, Objective, Resources

class Net(KerasTrainable):
    def load_data(self):
        return Data(train=(np.zeros((8, 1)), np.zeros(8)))

    def build_model(self, config):
        import keras

EXPERIMENT = Experiment(
    trainable=Net, space=SearchSpace(rate=Float(1e-3, 1e-1)), objective=Objective("val_loss", "min"), trials=2
)
"""

# What is replaced in the experiment, or which options are given, and words of the answer.
MISTAKES: dict[str, tuple[tuple[str, str], list[str], str]] = {
    "space": (("1e-3, 1e-1", "1e-1, 1e-3"), [], "`upper`"),
    "space, a dictionary": (("SearchSpace(rate=Float(1e-3, 1e-1))", "{'rate': [object()]}"), [], "space: rate"),
    "objective": (('"min"', '"least"'), [], "`mode`"),
    "scheduler": (("trials=2", "scheduler=ASHA(reduction_factor=0)"), [], "reduction_factor"),
    "searcher": (("trials=2", "searcher=HyperOpt(startup_trials=-1)"), [], "startup_trials"),
    "budget": (("trials=2", "trials=0"), [], "`trials`"),
    "resources": (("trials=2", "trials=2, resources=Resources(cpus=-1)"), [], "cpus"),
    "more CPUs than there are": (("", ""), ["--cpus", "100000"], "no trial could start"),
    "constraint": (("trials=2", "trials=2, constraints=['rate <']"), [], "constraints"),
    "trainable": (("def load_data", "def loads_data"), [], "load_data()"),
    "what cannot be sent": (
        ("def build_model", "lock = __import__('threading').Lock()\n    def build_model"),
        [],
        "lock",
    ),
    "name": (("", ""), ["--name", "a/b"], "`name`"),
    "storage": (("", ""), ["--storage", "/dev/null"], "/dev/null"),
    "warm start": (("", ""), ["--warm-start", "nowhere"], "nowhere"),
    "module": (("import numpy", "import nunpy"), [], "nunpy"),
    "syntax": (("class Net", "class class"), [], "line 7"),
}

MANY = """
import contextlib, io, json, sys
from pathlib import Path
from tune_jobs.cli.main import main

answers = {}
for name, options in json.loads(sys.argv[1]).items():
    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told):
            main(["run", *options])
    except SystemExit as ended:
        imported = sorted({"ray", "keras", "tensorflow", "pandas"} & sys.modules.keys())
        answers[name] = [ended.code, told.getvalue(), imported]
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, list[str]]]:
    folder, commands = tmp_path_factory.mktemp("mistakes"), {}
    for number, (name, (change, options, _)) in enumerate(MISTAKES.items()):
        file = folder / f"mistake_{number}.py"
        file.write_text(EXPERIMENT.replace(*change) if change[0] else EXPERIMENT)
        commands[name] = [str(file), *options]
    ended = subprocess.run(
        [sys.executable, "-c", MANY, json.dumps(commands)], capture_output=True, text=True, check=False, cwd=folder
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_before_ray_is_imported(name: str, answers: dict[str, tuple[int, str, list[str]]]) -> None:
    """The import of Ray and Keras takes seconds of the CPU, and a mistake is told within one."""
    status, told, imported = answers[name]
    assert (status, imported) == (2, [])
    assert MISTAKES[name][2] in told
