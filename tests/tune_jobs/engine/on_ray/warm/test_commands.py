"""A command that is handed over to a process beside a warm Ray does as it would do by itself; without a Ray."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tune_jobs.engine.on_ray.warm import commands
from tune_jobs.host.fork_launcher import receive
from tune_jobs.host.warm_socket import VARIABLE, commands_socket, name_of_users_own

ROOT = Path(__file__).parents[5]
TELLS = """
import os, sys, random, hyperopt
mask = os.umask(0)
seen = [os.getcwd(), f"{mask:o}", os.environ["OF_THE_RUN"], sys.argv[1:], sys.stdout.encoding]
raise RuntimeError(" ".join(map(str, [os.getpid(), *seen])))
"""


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """The variables of commands, for which a process is there that carries them out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, secrets.token_hex(8))
        patch.setenv("PYTHONPATH", str(ROOT))
        name = commands_socket(name_of_users_own())
        own, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen([sys.executable, "-P", "-m", commands.__name__, name], stdin=theirs.fileno())
        answer = receive(own)
        assert answer is not None
        assert answer.content == {"refusal": None}
        yield dict(os.environ)
        own.close()
        assert process.wait(20) == 0


def _heed_ctrl_c() -> None:
    """Let a command heed Ctrl-C, although the tests themselves may be run in the background, where it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def begun(folder: Path, environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tune_jobs", "run", *words]
    variables = {"OF_THE_RUN": "yes", **environment}
    return subprocess.Popen(
        command,
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        umask=0o27,
        preexec_fn=_heed_ctrl_c,
    )


def told(folder: Path, environment: dict[str, str], code: str = TELLS) -> tuple[bool, str]:
    """Run a file that raises an error; return whether another process did it, and what it said."""
    (folder / "told.py").write_text(code)
    process = begun(folder, environment, "told.py", "--trials", "3")
    _, error = process.communicate(timeout=60)
    assert process.returncode == 2, error
    (number, said), *_ = re.findall(r"RuntimeError: (\d+) (.*)\. Correct it", error)
    return int(number) != process.pid, said


def test_it_has_the_commands_folder_variables_umask_arguments_and_streams(
    environment: dict[str, str], tmp_path: Path
) -> None:
    expected = f"{tmp_path} 27 yes ['run', 'told.py', '--trials', '3'] utf-8"
    assert told(tmp_path, environment) == (True, expected)
    assert told(tmp_path, {**environment, VARIABLE: "off"}) == (False, expected)


def test_code_of_now_is_loaded(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "part.py").write_text("SEEN = 'old'\n")
    code = "import os, part\nraise RuntimeError(f'{os.getpid()} {part.SEEN}')\n"
    assert told(tmp_path, environment, code) == (True, "old")
    (tmp_path / "part.py").write_text("SEEN = 'newer'\n")
    assert told(tmp_path, environment, code) == (True, "newer")


@pytest.mark.parametrize("change", ["variable", "module", "python", "limit"])
def test_a_command_with_other_surroundings_does_it_by_itself(
    change: str, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "hyperopt.py").write_text("")
    changed = {
        "variable": {"TF_DETERMINISTIC_OPS": "1"},
        "module": {"PYTHONPATH": f"{tmp_path / 'own'}:{ROOT}"},
        "python": {"PYTHONOPTIMIZE": "1"},
        "limit": {},
    }
    if change == "limit":
        (tmp_path / "told.py").write_text(TELLS)
        line = f"ulimit -n 512; exec {sys.executable} -m tune_jobs run told.py"
        variables = {**environment, "OF_THE_RUN": "yes"}
        process = subprocess.Popen(["/bin/sh", "-c", line], cwd=tmp_path, env=variables, stderr=subprocess.PIPE)
        assert f"RuntimeError: {process.pid} ".encode() in process.communicate(timeout=60)[1]
    else:
        assert not told(tmp_path, {**environment, **changed[change]})[0]


WAITS = "import os, time\nopen('number', 'w').write(str(os.getpid()))\nos.rename('number', 'there')\ntime.sleep(60)\n"


def waiting(folder: Path, environment: dict[str, str]) -> tuple[subprocess.Popen[str], int]:
    """Begin a command that waits; return its process, and the number of the one that carries it out."""
    (folder / "waits.py").write_text(WAITS)
    process = begun(folder, environment, "waits.py")
    begun_s = time.monotonic()
    while not (folder / "there").exists():
        assert time.monotonic() - begun_s < 60
        time.sleep(0.01)
    return process, int((folder / "there").read_text())


def test_ctrl_c_reaches_it(environment: dict[str, str], tmp_path: Path) -> None:
    process, number = waiting(tmp_path, environment)
    assert number != process.pid
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=20)
    assert (process.returncode, error.splitlines()[-1]) == (130, "Interrupted.")


def test_it_is_killed_with_the_command_and_the_command_with_it(environment: dict[str, str], tmp_path: Path) -> None:
    process, number = waiting(tmp_path, environment)
    process.kill()
    process.communicate(timeout=20)
    begun_s = time.monotonic()
    while Path(f"/proc/{number}").exists():
        assert time.monotonic() - begun_s < 20
        time.sleep(0.01)
    (tmp_path / "there").unlink()
    process, number = waiting(tmp_path, environment)
    os.kill(number, signal.SIGTERM)
    _, error = process.communicate(timeout=20)
    assert (process.returncode, error.splitlines()[-1]) == (130, "Interrupted.")
