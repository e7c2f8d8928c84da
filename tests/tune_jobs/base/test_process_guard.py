"""What a person's code takes from the process is given back; what it puts in the place of something stays."""

from __future__ import annotations

import builtins
import io
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tune_jobs.base.process_guard import guarded_process

AROUND = """
import builtins, io, os, sys
from pathlib import Path
from tune_jobs.base.process_guard import guarded_process
with guarded_process():
    {text}
with open(os.devnull) as file:
    assert file.fileno() > 2
sys.stdout.write("on stdout\\n")
sys.stdout.flush()
os.write(1, b"on 1\\n")
sys.stderr.write("on stderr\\n")
sys.stdin.read()
"""


@pytest.mark.parametrize(
    "text",
    [
        "sys.stdout.close(), sys.stderr.close(), sys.stdin.close()",
        "os.close(1), os.close(2), os.close(0)",
        "os.closerange(0, 3)",
        "sys.stdout.buffer.close()",
        "sys.stdout.detach()",
        "sys.stdout = sys.stderr = sys.stdin = None",
        "sys.stdout = 3",
        "sys.__stdout__.close()",
        "pass",
    ],
)
def test_streams_are_usable_afterwards(text: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AROUND.format(text=text)], capture_output=True, text=True, input="x", check=False
    )
    assert (done.stdout, done.stderr) == ("on stdout\non 1\n", "on stderr\n")


def test_a_stream_of_the_code_s_own_stays() -> None:
    before, own = sys.stdout, io.StringIO()
    try:
        with guarded_process():
            sys.stdout = own
        assert sys.stdout is own
    finally:
        sys.stdout = before


def test_streams_that_the_shell_has_closed_stay_closed() -> None:
    code = (
        "import sys; from tune_jobs.base.process_guard import guarded_process\n"
        "with guarded_process(): assert sys.stdout is None\n"
        "assert sys.stdout is None; sys.stderr.write('done')"
    )
    command = ["/bin/sh", "-c", f'"{sys.executable}" -c "{code}" >&-']
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == "done"


@pytest.mark.parametrize(
    "damage",
    [
        lambda: sys.modules.clear(),
        lambda: setattr(sys, "modules", {}),
        lambda: sys.modules.pop("json"),
        lambda: sys.modules.update({"tune_jobs": types.ModuleType("tune_jobs")}),
        lambda: sys.path.clear(),
        lambda: setattr(sys, "path", None),
        lambda: sys.meta_path.clear(),
        lambda: sys.path_hooks.clear(),
        lambda: delattr(builtins, "len"),
        lambda: setattr(builtins, "open", 3),
        lambda: sys.setrecursionlimit(300),
    ],
)
@pytest.mark.parametrize("raises", [False, True])
def test_what_imports_need_is_there_afterwards(damage: Callable[[], Any], raises: bool) -> None:
    def known() -> tuple[Any, ...]:
        lists = (list(sys.path), list(sys.meta_path), list(sys.path_hooks))
        return id(sys.modules), *lists, builtins.len, builtins.open, sys.getrecursionlimit()

    before, modules = known(), dict(sys.modules)
    try:
        with guarded_process():
            damage()
            if raises:
                raise ZeroDivisionError
    except ZeroDivisionError:
        assert raises
    assert known() == before
    assert sys.modules.items() >= modules.items()


def test_modules_that_the_code_imported_are_there_afterwards() -> None:
    sys.modules.pop("colorsys", None)
    with guarded_process():
        import colorsys

        sys.modules.clear()
    assert sys.modules["colorsys"] is colorsys


def test_a_module_that_the_code_has_loaded_anew_stays() -> None:
    import colorsys

    new = types.ModuleType("colorsys")
    try:
        with guarded_process():
            sys.modules["colorsys"] = new
            sys.modules[3] = 4  # type: ignore[index,assignment]
        assert sys.modules["colorsys"] is new
    finally:
        sys.modules["colorsys"] = colorsys
        del sys.modules[3]  # type: ignore[arg-type]


def test_a_folder_that_the_code_has_added_or_removed_stays_so() -> None:
    before = list(sys.path)
    try:
        with guarded_process():
            sys.path[:] = ["/added", *before[1:]]
        assert sys.path == ["/added", *before[1:]]
    finally:
        sys.path[:] = before


def test_no_descriptor_is_left_open() -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for _ in range(3):
        with guarded_process():
            pass
    assert count() == before
