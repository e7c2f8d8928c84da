"""The command in processes of its own: how fast it answers, what it imports, what a terminal sees."""

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from tests.support.cli_runs import make_digits_run

COMMAND = "from tune_jobs.cli.main import main; main(prog_name='tune-jobs')"
HEAVY = ("ray", "tensorflow", "keras", "hyperopt", "pandas", "numpy", "rich", "search_spaces", "trainables")


def run_command(*arguments, code=COMMAND):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=1200)


def modules_after(*arguments):
    # The group is run in such a way that it returns, so that what it imported can be told.
    code = (
        "import sys; from tune_jobs.cli.main import main; main(sys.argv[1:], standalone_mode=False); "
        f"print('imported', *[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    result = run_command(*arguments, code=code)
    assert result.returncode == 0, result.stderr
    return set(result.stderr.split("imported")[-1].split())


def test_help_imports_nothing_heavy():
    assert modules_after("--help") == set()
    assert modules_after("run", "--help") == set()
    assert modules_after("list") == set()


def test_help_answers_at_once():
    def cpu_seconds():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run_command("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cpu_seconds() for _ in range(3)) < 0.3  # of the processor, not of the clock: others may be busy


def test_results_need_neither_ray_nor_tensorflow(tmp_path):
    make_digits_run(tmp_path)
    for arguments in (("leaderboard", tmp_path / "first"), ("runs", "--storage", tmp_path)):
        assert not modules_after(*arguments) & {"ray", "tensorflow", "keras", "hyperopt"}


@pytest.mark.parametrize("arguments", [["leaderboard"], ["--help"]])
def test_a_disk_without_room_for_the_output_is_told(tmp_path, arguments):
    make_digits_run(tmp_path)
    with Path("/dev/full").open("w") as full:
        folder = [] if arguments == ["--help"] else [str(tmp_path / "first")]
        command = [sys.executable, "-c", COMMAND, *arguments, *folder]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert result.returncode == 1
    assert "Error: No space left on device: the output cannot be written. Make room there," in result.stderr
    assert "not foreseen" not in result.stderr


def test_wrong_usage_exits_with_2():
    assert run_command("leaderboard").returncode == 2
    assert run_command("no-such-command").returncode == 2
    assert run_command("run", "x", "--trials", "many").returncode == 2


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    make_digits_run(tmp_path)
    code = f'{sys.executable} -c "{COMMAND}" leaderboard {tmp_path / "first"} --format json | head -c 1'
    result = subprocess.run(["/bin/sh", "-c", code], capture_output=True, text=True, timeout=1200)
    assert (result.stdout, result.stderr) == ("[", "")


def test_a_terminal_sees_the_table_that_fits(tmp_path):
    make_digits_run(tmp_path)
    arguments = ["-c", COMMAND, "leaderboard", str(tmp_path / "first")]
    text = pexpect.run(
        f'{sys.executable} -c "{COMMAND}" {" ".join(arguments[2:])}',
        env={**os.environ, "COLUMNS": "60", "TERM": "xterm"},
        encoding="utf-8",
    )
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert max(map(len, plain.splitlines())) <= 60
    assert "No room for" in plain


LIVE = """
import os, sys, time
from rich.console import Console
from tune_jobs.cli.screen import console_of, own_stdout
from tune_jobs.views.progress.choose import view_for
from tests.support.view_events import epoch, make_plan, run_started, started, trial_events
context = own_stdout()
stream = context.__enter__()
kept = os.dup(1)
log = os.open({log!r}, os.O_WRONLY | os.O_CREAT)
view = view_for(console_of(stream))
view.begin(make_plan())
os.dup2(log, 1)
os.write(1, b"noise of Ray")
for event in [run_started(time.time()), *trial_events(0, [0.9]), started(1), epoch(1, 1, 0.95)]:
    view.event(event)
time.sleep(0.8)
view.end()
os.dup2(kept, 1)
print("the end", flush=True)
"""


@pytest.mark.parametrize("columns", [80, 140])
def test_a_terminal_sees_a_live_view_that_leaves_nothing_behind(tmp_path, columns):
    script = tmp_path / "live.py"
    script.write_text(LIVE.format(log=str(tmp_path / "log")))
    environment = {
        **os.environ,
        "TERM": "xterm-256color",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[4]), *filter(None, sys.path)]),
    }
    child = pexpect.spawn(
        sys.executable, [str(script)], dimensions=(26, columns), encoding="utf-8", env=environment, timeout=120
    )
    child.expect("the end")
    seen = child.before
    child.close()
    assert "1 of 10 ended (1 stopped), 1 running" in seen
    assert "val_accuracy 0.9500" in seen
    assert "noise" not in seen
    assert (tmp_path / "log").read_text() == "noise of Ray"
    assert seen.rfind("\x1b[?25h") > seen.rfind("\x1b[?25l")
    assert seen.rstrip("\r\n").endswith("\x1b[2K")


def test_a_current_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = f"import os, runpy, sys; os.rmdir({str(gone)!r}); sys.argv = ['tune-jobs', 'run', 'digits_mlp']; "
    code += "runpy.run_module('tune_jobs', run_name='__main__')"
    child = subprocess.run([sys.executable, "-c", code], cwd=gone, capture_output=True, text=True, check=False)
    assert child.stderr == (
        "Error: The current folder cannot be used (No such file or directory): change to one that exists, and try "
        "again.\n"
    )
    assert child.returncode == 2


def test_without_a_stdout_commands_end_as_they_do_with_one() -> None:
    command = f'exec "{sys.executable}" -m tune_jobs list >&-'
    assert subprocess.run(["/bin/sh", "-c", command], check=False).returncode == 0
