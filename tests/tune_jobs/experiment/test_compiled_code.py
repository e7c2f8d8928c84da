"""Code without a source file is compared as it was compiled: each change that matters is named, and no other is."""

from __future__ import annotations

import importlib
import py_compile
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.fakes import experiment
from tune_jobs.experiment.code_fingerprint import code_differences
from tune_jobs.experiment.record import write_record

CELL = '''
from collections import namedtuple
from dataclasses import dataclass
from functools import partial, wraps

import helper_of_mine
import tune_jobs.base.words
from trainables import KerasTrainable

UNITS = [8, 16]
KNOWN = {"relu", "tanh", "gelu"}
UNUSED = 1
Point = namedtuple("Point", "x y")

@dataclass
class Sizes:
    width: int = 3

def loud(function):
    @wraps(function)
    def wrapper(*arguments):
        return function(*arguments)
    return wrapper

@loud
def scale(x, by=2):
    """Scale."""
    return [x * each for each in UNITS] if "relu" in {"relu", "selu"} else KNOWN

def unused():
    return 1

class Net(KerasTrainable):
    batch = 4

    def build_model(self, config):
        return scale(config), Sizes(), Point(1, 2), partial(helper_of_mine.shift, 1)

    def load_data(self):
        return (lambda: UNITS)()
'''
HELPER = "def shift(x, y):\n    return x + y\n"


@pytest.fixture(autouse=True)
def no_modules_left() -> Iterator[None]:
    yield
    for name in ("cell_of_mine", "helper_of_mine", "file_of_mine"):
        sys.modules.pop(name, None)


@pytest.fixture
def cell() -> Callable[..., type[Any]]:
    """A cell of a notebook: its class, whose module has no file."""
    _module("helper_of_mine", HELPER)

    def run(old: str = "", new: str = "") -> type[Any]:
        assert old in CELL
        return _module("cell_of_mine", CELL.replace(old, new) if old else CELL).Net  # type: ignore[no-any-return]

    return run


def _module(name: str, text: str) -> ModuleType:
    module = ModuleType(name)
    sys.modules[name] = module  # a dataclass looks for it
    exec(compile(text, f"<{name}>", "exec"), vars(module))  # noqa: S102 - as a notebook does
    return module


def record_of(trainable: type[Any]) -> dict[str, Any]:
    return write_record("first", experiment(trainable=trainable), "lab", None)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("x * each", "x + each", "scale"),
        ("by=2", "by=3", "scale"),
        ("[8, 16]", "[8, 32]", "UNITS"),
        ("batch = 4", "batch = 5", "Net.batch"),
        ("Point(1, 2)", "Point(1, 3)", "Net.build_model"),
        ("(lambda: UNITS)", "(lambda: KNOWN)", "Net.load_data"),
        ('"selu"}', '"elu"}', "scale"),
        ("width: int = 3", "width: int = 4", "Sizes.width"),
        ("UNUSED = 1", "UNUSED = 2", None),
        ('"""Scale."""', '"""Scale a value."""', None),
        ("UNUSED = 1", "\n\n# a comment", None),
        ("return 1", "return 2", None),
    ],
)
def test_a_change_in_a_notebook_is_named_where_it_matters(
    cell: Callable[..., type[Any]], old: str, new: str, named: str | None
) -> None:
    record = record_of(cell())
    assert not code_differences(cell(), record)
    differences = code_differences(cell(old, new), record)
    if named is None:
        assert not differences
    else:
        (sentence,) = differences
        assert sentence.startswith("The code has changed: ")
        assert named in sentence.removeprefix("The code has changed: ").rstrip(".").split(", ")


def test_a_helper_in_another_module_without_a_file_is_compared(cell: Callable[..., type[Any]]) -> None:
    record = record_of(cell())
    _module("helper_of_mine", HELPER.replace("+", "-"))
    assert code_differences(cell(), record) == ["The code has changed: shift."]


def test_what_another_version_of_python_has_compiled_is_said_to_be_incomparable(
    cell: Callable[..., type[Any]],
) -> None:
    record = record_of(cell())
    record["compiled"]["python"] = "3.9"
    (sentence,) = code_differences(cell(), record)
    assert "Net.build_model" in sentence
    assert "was compiled by Python '3.9', so that it cannot be compared in Python 3." in sentence


@pytest.mark.parametrize("compiled", [None, 1, {}, {"code": []}, {"python": 3, "code": {}}])
def test_an_older_or_a_damaged_record_has_nothing_to_compare(cell: Callable[..., type[Any]], compiled: object) -> None:
    assert not code_differences(cell(), {**record_of(cell()), "compiled": compiled})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def load(folder: Path, text: str = CELL) -> type[Any]:
    (folder / "file_of_mine.py").write_text(text)
    for name in ("file_of_mine", "helper_of_mine"):
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    return importlib.import_module("file_of_mine").Net  # type: ignore[no-any-return]


def test_files_are_compared_by_their_text_alone(folder: Path) -> None:
    (folder / "helper_of_mine.py").write_text(HELPER)
    assert record_of(load(folder)).get("compiled") is None


def test_a_helper_that_is_there_as_bytecode_only_is_compared(folder: Path) -> None:
    source, record = folder / "text.py", None
    for text, differs in ((HELPER, False), (f"# a comment\n{HELPER}", False), (HELPER.replace("+", "*"), True)):
        source.write_text(text)
        py_compile.compile(str(source), str(folder / "helper_of_mine.pyc"), "gone.py")
        trainable = load(folder)
        record = record or record_of(trainable)
        assert code_differences(trainable, record) == (["The code has changed: shift."] if differs else [])


def test_a_helper_in_c_is_compared_as_a_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "helper_of_mine.py").write_text("shift = len\n")
    trainable = load(folder)
    library = folder / "helper_of_mine.so"
    library.write_bytes(b"machine code")
    monkeypatch.setattr(sys.modules["helper_of_mine"], "__file__", str(library))
    record = record_of(trainable)
    assert not code_differences(trainable, record)
    library.write_bytes(b"other machine code")
    assert code_differences(trainable, record) == ["The code has changed: helper_of_mine."]


def test_an_object_that_raises_whatever_it_is_asked_harms_nothing(cell: Callable[..., type[Any]]) -> None:
    class Odd:
        def __getattribute__(self, name: str) -> Any:
            raise KeyError(name)

    trainable = cell()
    sys.modules["cell_of_mine"].scale.__wrapped__.__globals__["UNITS"] = Odd()  # type: ignore[attr-defined]
    record_of(trainable)


def test_the_same_code_has_the_same_digest_in_every_process() -> None:
    program = (
        "from tune_jobs.experiment.compiled_code import compiled_code\n"
        "namespace = {'__name__': 'cell_of_mine'}\n"
        "exec(\"KNOWN = {'a', 'b', 'c', 'd'}\\ndef f(x, y=None):\\n    return x in {'a', 'b', 'c', 'd'}, KNOWN\", "
        "namespace)\n"
        "print(sorted(compiled_code([namespace['f']], lambda value: False).items()))\n"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1
    assert "KNOWN" in texts.pop()
