"""Loading of experiments: shipped names, files, modules, and the mistakes in them."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tune_jobs.errors import RequestError
from tune_jobs.experiment.code_fingerprint import helper_fingerprints
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.overrides import Overrides
from tune_jobs.experiment.record import write_record
from tune_jobs.loading.loader import check_reference, load, split_reference
from tune_jobs.loading.shipped import list_shipped

PARTS = '''"""What is asked."""
from search_spaces import Float, Int, SearchSpace
from trainables import KerasTrainable
from tune_jobs.base.objective import Objective
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.schedulers import ASHA, NoScheduler
from tune_jobs.searchers import HyperOpt, Random


class Net(KerasTrainable):
    def build_model(self, config):
        return "a model"

    def load_data(self):
        return "data"


def experiment(**changes):
    fields = dict(trainable=Net, space=SearchSpace(units=Int(1, 4)), objective=Objective("loss", "min"), trials=3)
    return Experiment(**{**fields, **changes})


'''


@pytest.fixture(autouse=True)
def _restored_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("PYTHONPATH", "")
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    def write(text: str, name: str = "mine.py") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PARTS + text, encoding="utf-8")
        return str(path)

    return write


def problems_of(reference: str, change: Callable[[Experiment], Experiment] | None = None) -> tuple[str, ...]:
    with pytest.raises(RequestError) as caught:
        load(reference, change)
    return caught.value.problems


def test_shipped_experiments_are_listed_and_load() -> None:
    names = list_shipped()
    assert {"digits_mlp", "fashion_mnist_mlp"} <= set(names)
    for name, summary in names.items():
        assert summary.endswith("?")
        loaded = load(name)
        assert loaded.name == name
        assert loaded.description.startswith(summary)


def test_a_file(write: Callable[..., str]) -> None:
    loaded = load(write("EXPERIMENT = experiment(trials=5)"))
    assert (loaded.name, loaded.experiment.trials, loaded.description) == ("mine", 5, "What is asked.")


def test_a_file_relative_to_the_current_folder(write: Callable[..., str]) -> None:
    write("EXPERIMENT = experiment()", "lab/mine.py")
    assert load("lab/mine.py").name == "mine"


def test_one_of_several_in_a_file(write: Callable[..., str]) -> None:
    path = write("A = experiment(trials=1)\nB = experiment(trials=2)\nALIAS = A\n_BASE = experiment()")
    assert problems_of(path) == (f"{path} has 2 experiments, so one must be named: {path}:A or {path}:B.",)
    loaded = load(f"{path}:B")
    assert (loaded.name, loaded.experiment.trials) == ("mine-B", 2)
    assert load(f"{path}:_BASE").experiment.trials == 3


def test_a_module(write: Callable[..., str]) -> None:
    write("EXPERIMENT = experiment()", "my_package/inner.py")
    assert load("my_package.inner:EXPERIMENT").name == "inner"
    assert load("my_package.inner").name == "inner"


def test_the_files_beside_a_file_can_be_imported_by_it(write: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "beside_it.py").write_text("TRIALS = 7\n")
    path = write("from beside_it import TRIALS\nEXPERIMENT = experiment(trials=TRIALS)", "lab/mine.py")
    assert load(path).experiment.trials == 7
    assert sys.path[0] == str(tmp_path / "lab")


def test_a_file_may_be_named_like_any_module(write: Callable[..., str]) -> None:
    assert load(write("EXPERIMENT = experiment()", "json.py")).name == "json"
    assert pickle.__name__ == "pickle"
    assert hasattr(sys.modules["json"], "dumps")


def test_the_code_of_a_file_travels_to_a_process_that_has_no_file(write: Callable[..., str], tmp_path: Path) -> None:
    from ray import cloudpickle

    path = write("NUMBER = 41\nEXPERIMENT = experiment()\nNet.answer = lambda self: NUMBER + 1")
    trainable = load(path).experiment.trainable
    sent = tmp_path / "sent"
    sent.write_bytes(cloudpickle.dumps(trainable))
    code = (
        "from ray import cloudpickle; from pathlib import Path; "
        f"Net = cloudpickle.loads(Path({str(sent)!r}).read_bytes()); "
        "assert Net.answer(None) == 42; assert Net.build_model(None, {}) == 'a model'"
    )
    (tmp_path / "mine.py").unlink()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_all_mistakes_of_an_experiment_are_listed_at_once(write: Callable[..., str]) -> None:
    text = """EXPERIMENT = experiment(
        space=SearchSpace(units=Int(4, 1), rate=Float(0, 1, log=True)), trials=0, max_epochs=-1,
        objective=Objective("", "most"), scheduler=ASHA(reduction_factor=1), searcher=Random,
    )"""
    problems = "\n".join(problems_of(write(text)))
    for part in ("units", "rate", "trials", "max_epochs", "metric", "mode", "reduction_factor", "Random()"):
        assert part in problems


def test_overrides_are_checked_with_the_rest(write: Callable[..., str]) -> None:
    path = write("EXPERIMENT = experiment(trials=0)")
    assert load(path, Overrides(fields={"trials": 2}).apply).experiment.trials == 2
    problems = problems_of(path, Overrides(cpus=-1.0, fields={"max_epochs": 0, "trials": None}).apply)
    assert len(problems) == 3


def test_a_searcher_of_the_same_kind_keeps_its_settings(write: Callable[..., str]) -> None:
    path = write("EXPERIMENT = experiment(searcher=HyperOpt(startup_trials=3), scheduler=NoScheduler())")
    same = load(path, Overrides("hyperopt", "none", gpus=0.5).apply).experiment
    assert same.searcher.startup_trials == 3
    assert (same.resources.cpus, same.resources.gpus) == (1, 0.5)
    other = load(path, Overrides("grid", "asha").apply).experiment
    assert (other.searcher.NAME, other.scheduler.NAME) == ("grid", "asha")


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("nothing_like_it.py", f"The file nothing_like_it.py does not exist. Shipped are: {', '.join(list_shipped())}"),
        ("digit_mlp.py", "Did you mean digits_mlp?"),
        ("digit_mlp", "There is no experiment 'digit_mlp'. Did you mean digits_mlp?"),
        ("nothing_like_it", f"Shipped are: {', '.join(list_shipped())}."),
        ("no.such_module:X", "There is no module no.such_module: no is neither installed nor in"),
        ("email.no_such", "There is no module email.no_such"),
        (".", "There is no experiment '.'"),
        ("", "There is no experiment ''"),
        ("./", "is a folder, but must be a file"),
        ("digits_mlp:NONE", "digits_mlp has no NONE. Its experiments: EXPERIMENT."),
        ("digits_mlp:SPACE", "digits_mlp:SPACE is of type SearchSpace, but must be an Experiment."),
    ],
)
def test_a_reference_to_nothing_is_refused_with_a_hint(reference: str, sentence: str) -> None:
    assert sentence in problems_of(reference)[0]


@pytest.mark.parametrize(
    "reference", ["digits_mpl", "missing.py", "no.such.1", "folder/", "wrong.py", "wrong.py:EXPERIMENT"]
)
def test_what_nothing_can_be_loaded_by_is_told_before_anything_is_imported(
    reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "wrong.py").write_text("raise SystemExit\ndef f(:\n")
    with pytest.raises(RequestError) as early:
        check_reference(reference)
    with pytest.raises(RequestError) as late:
        load(reference)
    assert early.value.problems == late.value.problems


def test_what_may_be_loaded_is_neither_refused_nor_executed_before(tmp_path: Path) -> None:
    file = tmp_path / "right.py"
    file.write_text("raise SystemExit\n")
    for reference in ("digits_mlp", "no.such", "pkg:NAME", str(file), f"{file}:NAME"):
        check_reference(reference)


def test_a_misspelt_file_is_refused_with_the_likely_one(write: Callable[..., str]) -> None:
    write("", "cifar.py")
    assert problems_of("cifer.py") == ("The file cifer.py does not exist. Did you mean cifar.py?",)
    assert "Did you mean the file cifar.py?" in problems_of("cifar")[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = 1\nundefined\n", "line {1}: NameError: name 'undefined' is not defined"),
        ("def broken(:\n", "mine.py, line {0} cannot be imported: SyntaxError: invalid syntax"),
        ("import no_such_package\n", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("raise SystemExit(3)\n", "line {0} cannot be imported: SystemExit: 3"),
        ("def f():\n    raise ValueError('two\\nlines')\nf()", "line {1} cannot be imported: ValueError: two lines"),
        ("SearchSpace.from_json(3)", "mine.py, line {0}: The space is 3, but must be"),
    ],
)
def test_a_file_that_cannot_be_imported(write: Callable[..., str], text: str, sentence: str) -> None:
    first = PARTS.count("\n") + 1
    (problem,) = problems_of(write(text))
    expected = sentence.replace("line {1}:", "line {1} cannot be imported:").format(first, first + 1)
    assert expected in problem


def test_a_file_without_an_experiment(write: Callable[..., str]) -> None:
    path = write("EXPERIMENT = {'trials': 3}")
    assert problems_of(path)[0].startswith(f"{path} has no experiment. Assign one: EXPERIMENT = ")
    assert (
        "is of type dict, but must be an Experiment. It has no experiments at all."
        in problems_of(f"{path}:EXPERIMENT")[0]
    )


def test_a_file_is_read_anew(write: Callable[..., str]) -> None:
    load(write("EXPERIMENT = experiment(trials=5)"))
    assert load(write("EXPERIMENT = experiment(trials=1234)")).experiment.trials == 1234


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("a.py", ("a.py", None)),
        ("a.py:B", ("a.py", "B")),
        ("C:\\a.py", ("C:\\a.py", None)),
        ("a:b:C", ("a:b", "C")),
        (":B", (":B", None)),
    ],
)
def test_split_reference(reference: str, parts: tuple[str, str | None]) -> None:
    assert split_reference(reference) == parts


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        ("GeneratorExit('x')", "GeneratorExit: x"),
        ("KeyboardInterrupt('own')", "KeyboardInterrupt: own"),
        ("SystemExit(3)", "SystemExit: 3"),
        ("type('Own', (BaseException,), {})('x')", "Own: x"),
        ("type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})()", "Mute: it has no message that can be told"),
    ],
)
def test_whatever_a_file_raises_is_told(raised: str, told: str, write: Callable[..., str]) -> None:
    with pytest.raises(RequestError) as error:
        load(write(f"raise {raised}\n"))
    (problem,) = error.value.problems
    assert problem.startswith(f"mine.py, line {len(PARTS.splitlines()) + 1} cannot be imported: {told}. Correct it")


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("n" * 300 + ".py", "File name too long"),
        ("a/" * 3000 + "b.py", "File name too long"),
        ("a\0b.py", "embedded null byte"),
        ("n" * 5000, "There is no experiment"),
    ],
)
def test_a_name_that_no_file_can_have(reference: str, told: str) -> None:
    with pytest.raises(RequestError) as error:
        load(reference)
    (problem,) = error.value.problems
    assert told in problem
    assert len(problem) < 400


def test_a_file_that_takes_its_module_out_of_the_list_still_has_its_experiment(write: Callable[..., str]) -> None:
    loaded = load(write("import sys\nEXPERIMENT = experiment()\nsys.modules[__name__] = 1\n"))
    assert isinstance(helper_fingerprints(loaded.experiment.trainable), dict)


def test_a_pipe_is_no_experiment(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(RequestError, match=r"pipe\.py is a pipe or a device, but must be a file"):
        load("pipe.py")


def test_a_file_that_is_mostly_a_hole_is_no_experiment(tmp_path: Path) -> None:
    (tmp_path / "hole.py").write_text("x = 1\n")
    os.truncate(tmp_path / "hole.py", 10 * 2**40)
    for call in (load, check_reference):
        with pytest.raises(RequestError, match=r"hole\.py is no Python file: it is larger than 16,777,216 bytes\."):
            call("hole.py")


@pytest.mark.parametrize("kind", ["a device", "a pipe", "a folder", "a link to itself", "a hole", "nothing"])
def test_the_file_that_a_module_names_is_read_only_if_it_is_one(
    write: Callable[..., str], tmp_path: Path, kind: str
) -> None:
    named = tmp_path / "named.py"
    match kind:
        case "a device":
            named.symlink_to("/dev/zero")
        case "a pipe":
            os.mkfifo(named)
        case "a folder":
            named.mkdir()
        case "a link to itself":
            named.symlink_to("named.py")
        case "a hole":
            named.touch()
            os.truncate(named, 10 * 2**40)
    loaded = load(write(f"__file__ = {str(named)!r}\nEXPERIMENT = experiment()\n"))
    begun_s = time.process_time()
    write_record("first", loaded.experiment, loaded.name, loaded.reference)
    assert time.process_time() - begun_s < 1


def test_a_module_that_cannot_give_a_name(write: Callable[..., str]) -> None:
    write("def __getattr__(name):\n    raise KeyError(name)\n")
    with pytest.raises(RequestError, match=r"mine\.py cannot give BEST: KeyError: 'BEST'"):
        load("mine.py:BEST")


def test_a_module_that_puts_something_else_in_its_place(write: Callable[..., str]) -> None:
    write("import sys\nsys.modules[__name__] = 1\n")
    with pytest.raises(RequestError, match=r"mine is of type int, but must be a module"):
        load("mine:BEST")


@pytest.mark.parametrize("name", ["__name__", "__file__", "__package__", "__spec__", "__path__", "__builtins__"])
def test_a_name_of_python_s_own_that_a_file_has_taken_is_told(write: Callable[..., str], name: str) -> None:
    write(f"{name} = 1\n", "taken.py")
    for reference, start in (("taken.py", "taken.py"), ("taken:EXPERIMENT", ("taken.py", "The module"))):
        (problem,) = problems_of(reference)
        sys.modules.pop("taken", None)
        assert problem.startswith(start)
        assert f": The value of `{name}` is 1, but Python itself needs this name, for" in problem


def test_a_text_in_place_of_a_module_s_name_does_no_harm(write: Callable[..., str]) -> None:
    assert load(write("__name__ = 'other'\nEXPERIMENT = experiment()")).name == "mine"


def test_the_current_folder_that_a_file_wants_is_told_and_not_entered(
    write: Callable[..., str], tmp_path: Path
) -> None:
    write("import os\nos.chdir('/')\nEXPERIMENT = experiment()")
    loaded = load("mine.py")
    assert Path.cwd() == tmp_path
    assert (loaded.folder, loaded.reference) == (Path("/"), f"{tmp_path / 'mine.py'}:EXPERIMENT")
    with loaded.in_its_folder():
        assert Path.cwd() == Path("/")
    assert Path.cwd() == tmp_path
    write("EXPERIMENT = experiment()", "other.py")
    other = load("other.py")
    assert other.folder is None
    with other.in_its_folder():
        assert Path.cwd() == tmp_path


def test_a_file_that_closes_or_empties_what_the_process_needs(write: Callable[..., str]) -> None:
    text = "import sys, threading, os\nos.close(1); sys.stdout.close(); sys.stderr.close(); sys.modules.clear()\n"
    path = write(f"EXPERIMENT = experiment()\n{text}")
    code = f"from tune_jobs.loading.loader import load; print(load({path!r}).name)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout, done.returncode) == ("mine\n", 0), done.stderr
