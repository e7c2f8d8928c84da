"""The processes of inputs: each input is carried out by a fork of this process, which ends it when it is silent."""

from __future__ import annotations

import json
import os
import resource
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fuzz.act import Act
from tests.fuzz.box import Box, copy_template, fingerprint
from tests.fuzz.draw import Draw
from tests.fuzz.kinds import act_of
from tests.fuzz.verdict import LIMIT_S, Outcome

GRACE_S = 4.0  # making the box, and loading what the fork has not loaded, do not count
_MEMORY_BYTES = 3 * 2**30
_LONGEST_OUTPUT = 200_000


@dataclass(frozen=True)
class Job:
    """An input to carry out.

    Attributes:
        seed: The seed of all inputs.
        number: The number of the input.
        kind: Its kind.
    """

    seed: int
    number: int
    kind: str


@dataclass
class _Child:
    job: Job
    process: int
    answers: int
    folder: Path
    started_s: float
    said: bytes = b""


def carry_out(
    jobs: Iterable[Job], template: Path, scratch: Path, at_once: int = 2, grace_s: float = GRACE_S
) -> Iterator[Outcome]:
    """Carry out inputs, some at once, and yield their outcomes as they come.

    Args:
        jobs: The inputs.
        template: The box that each gets a copy of.
        scratch: A folder for the boxes.
        at_once: The number of processes.
        grace_s: The seconds beyond the limit after which a process that is silent is ended.
    """
    waiting, children = iter(jobs), {}
    try:
        while True:
            while len(children) < at_once and (job := next(waiting, None)) is not None:
                child = _start(job, template, scratch)
                children[child.answers] = child
            if not children:
                return
            ready, _, _ = select.select(list(children), [], [], 0.1)
            for child in list(children.values()):
                if (outcome := _look_after(child, child.answers in ready, grace_s)) is not None:
                    del children[child.answers]
                    yield outcome
    finally:
        for child in children.values():
            _end(child)


def carry_out_here(job: Job, template: Path, folder: Path) -> Outcome:
    """Carry out one input in a fork, and keep its folder."""
    child = _start(job, template, folder)
    while (
        outcome := _look_after(child, bool(select.select([child.answers], [], [], 0.1)[0]), GRACE_S, keeps=True)
    ) is None:
        pass
    return outcome


def _start(job: Job, template: Path, scratch: Path) -> _Child:
    folder = scratch / f"{job.number}"
    folder.mkdir(parents=True)
    answers, said = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process == 0:
        status = 1
        try:
            os.close(answers)
            os.setsid()
            _be_child(job, template, folder, said)
            status = 0
        except BaseException:  # noqa: BLE001 - the fork must end here, whatever happens
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(said)
    return _Child(job, process, answers, folder, time.monotonic())


def _look_after(child: _Child, is_ready: bool, grace_s: float, *, keeps: bool = False) -> Outcome | None:
    """Return the outcome of a child that has ended, or is ended now because it is silent; else None."""
    if is_ready:
        part = os.read(child.answers, 2**16)
        child.said += part
        if part:
            return None
    elif time.monotonic() - child.started_s < LIMIT_S + grace_s:
        return None
    took_s = time.monotonic() - child.started_s
    status = _end(child)
    outcome = _outcome(child, status, took_s, ended_itself=is_ready)
    if not keeps:
        shutil.rmtree(child.folder, ignore_errors=True)
    return outcome


def _end(child: _Child) -> int:
    with suppress(ProcessLookupError):
        os.killpg(child.process, signal.SIGKILL)  # what it has started lives in its session, and ends with it
    with suppress(ProcessLookupError):
        os.kill(child.process, signal.SIGKILL)
    os.close(child.answers)
    return os.waitstatus_to_exitcode(os.waitpid(child.process, 0)[1])


def _outcome(child: _Child, status: int, took_s: float, *, ended_itself: bool) -> Outcome:
    output = child.folder / "output"
    text = output.read_bytes()[:_LONGEST_OUTPUT].decode("utf-8", "replace") if output.exists() else ""
    lines = [json.loads(line) for line in child.said.splitlines() if line]
    told: dict[str, Any] = {name: value for line in lines for name, value in line.items()}
    if ended_itself and "took_s" not in told:
        told["raised"] = f"the process died by itself ({status})"
    return Outcome(
        number=child.job.number,
        kind=child.job.kind,
        words=told.get("words", "?"),
        took_s=told.get("took_s", took_s),
        cpu_s=told.get("cpu_s"),
        status=told.get("status"),
        raised=told.get("raised"),
        outside=tuple(told.get("outside", ())),
        output=text,
    )


def _be_child(job: Job, template: Path, folder: Path, said: int) -> None:
    box = copy_template(template, folder / "box")
    _surround(box)
    draw = Draw(job.seed, job.number)
    with _output_to(folder / "output"):
        try:
            act = act_of(job.kind, draw, box)
        except Exception:  # noqa: BLE001 - the fuzzer's own mistake
            _say(said, words="making the input", raised=traceback.format_exc(), took_s=0.0)
            return
        _say(said, words=act.words)
        before = fingerprint(box.stranger)
        os.environ["TUNE_JOBS_FUZZ"] = "1"
        answer = _watched(act)
        if (after := fingerprint(box.stranger)) != before:
            changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
            answer["outside"] += [
                f"a stranger's {name} was changed" for name in sorted(changed) if not _may(act, box, name)
            ]
        _say(said, **answer)


def _may(act: Act, box: Box, name: str) -> bool:
    path = str((box.stranger / name).resolve())
    # A link that a person names is followed, as everywhere.
    writes = {real for allowed in act.writes for real in (str(allowed), os.path.realpath(allowed))}
    return any(path == allowed or path.startswith(f"{allowed}/") for allowed in writes)


def _watched(act: Act) -> dict[str, Any]:
    from tests.fuzz.verdict import is_foreseen
    from tests.fuzz.watch import Watch

    watch = Watch(act.writes)
    answer: dict[str, Any] = {}
    watch.begin()
    started_s, begun_cpu_s = time.monotonic(), time.process_time()
    try:
        answer["status"] = act.work()
    except BaseException as error:  # noqa: BLE001 - that is the subject
        if not is_foreseen(error):
            answer["raised"] = traceback.format_exc()[-4000:]
        else:
            answer["status"] = 2
            print(ascii(f"{type(error).__name__}: {str(error)[:1000]}"))
    answer["took_s"] = time.monotonic() - started_s
    answer["cpu_s"] = time.process_time() - begun_cpu_s
    watch.end()
    answer["outside"] = watch.outside[:5]
    return answer


def _say(said: int, **told: Any) -> None:
    os.write(said, json.dumps(told).encode() + b"\n")


def _surround(box: Box) -> None:
    os.chdir(box.root)
    for name in ("TUNE_JOBS_STORAGE", "RAY_ADDRESS", "RAY_API_SERVER_ADDRESS", "XDG_CACHE_HOME", "RAY_TMPDIR"):
        os.environ.pop(name, None)
    os.environ |= {"HOME": str(box.home), "TMPDIR": str(box.temporary), "COLUMNS": "100"}
    import tempfile

    tempfile.tempdir = str(box.temporary)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY_BYTES, used + _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _output_to(path: Path) -> Iterator[None]:
    """Send both streams of the process into a file, and nothing into its stdin."""
    sys.stdin = open(os.devnull)  # noqa: SIM115 - as long as the process lives
    os.dup2(sys.stdin.fileno(), 0)
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1)  # noqa: SIM115
    try:
        yield
    finally:
        with suppress(Exception):
            sys.stdout.flush()
