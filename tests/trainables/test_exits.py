"""A SystemExit or a KeyboardInterrupt of a user's code is a failure of the trial; a Ctrl-C is not."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import keras
import pytest

from tests.support.outcomes import BeginTrial
from tests.support.tiny_trainables import Tiny
from trainables import FitOptions
from trainables.exits import described, exits_raised, is_of_the_code
from tune_jobs.base.user_code import user_code
from tune_jobs.engine.data import load_data
from tune_jobs.errors import RequestError

REAL_EXIT = os._exit


def leave() -> None:
    sys.exit("the rate is too high for me")


def interrupt() -> None:
    raise KeyboardInterrupt("by code")


def cancel() -> None:
    raise asyncio.CancelledError("by code")


def press_ctrl_c() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):  # Python delivers it between two instructions
            pass
    finally:
        signal.signal(signal.SIGINT, before)


def sigterm_of_ray() -> None:
    from ray import _raylet

    _raylet.raise_sys_exit_with_custom_error_message("The process receives a SIGTERM.", exit_code=1)


LEAVING = {
    leave: "SystemExit: the rate is too high for me",
    interrupt: "KeyboardInterrupt: by code",
    cancel: "CancelledError: by code",
}


def caught(work: Callable[[], None]) -> BaseException:
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - that is the subject
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("work", "expected"),
    [*((work, True) for work in LEAVING), (press_ctrl_c, False), (sigterm_of_ray, False)],
)
def test_who_raised_decides(work: Callable[[], None], expected: bool) -> None:
    assert is_of_the_code(caught(work)) is expected


def test_an_interrupt_that_no_code_raised_is_none_of_the_code() -> None:
    assert not is_of_the_code(KeyboardInterrupt())


class Leaving(Tiny):
    """Leaves where ``config`` says."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        if config["where"] == "build_model":
            config["leave"]()
        return super().build_model(config)

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        if config["where"] == "fit_options":
            config["leave"]()
        if config["where"] != "callback":
            return FitOptions()
        callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: config["leave"]())
        return FitOptions(callbacks=[callback])


@pytest.mark.parametrize("where", ["build_model", "fit_options", "callback"])
@pytest.mark.parametrize("work", LEAVING)
def test_leaving_is_a_failure_of_the_trial_with_its_text(
    begin: BeginTrial, work: Callable[[], None], where: str
) -> None:
    worker = begin(Leaving, {"where": where, "leave": work})
    report = worker.step()
    assert (report["error"], report["done"]) == (LEAVING[work], True)
    assert work.__name__ in report["traceback"]
    worker.reset_config({"where": "nowhere"})
    assert worker.step()["error"] is None


@pytest.mark.parametrize("work", [press_ctrl_c, sigterm_of_ray])
def test_the_end_of_a_process_is_not_caught(begin: BeginTrial, work: Callable[[], None]) -> None:
    worker = begin(Leaving, {"where": "build_model", "leave": work})
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        worker.step()


def test_without_a_run_leaving_does_not_end_the_process() -> None:
    worker = Leaving.standalone({"where": "build_model", "leave": leave})
    with pytest.raises(RuntimeError, match=r"^SystemExit: the rate is too high for me$"):
        worker.step()


@pytest.mark.parametrize("work", LEAVING)
def test_leaving_in_load_data_is_a_mistake_in_the_request(work: Callable[[], None]) -> None:
    class Unloaded(Tiny):
        def load_data(self) -> Any:
            work()

    with pytest.raises(RequestError) as raised:
        load_data(Unloaded)
    assert raised.value.problems == (f"Unloaded.load_data raised {LEAVING[work]}",)


def test_a_ctrl_c_in_load_data_stays_a_ctrl_c() -> None:
    class Slow(Tiny):
        def load_data(self) -> Any:
            press_ctrl_c()

    with pytest.raises(KeyboardInterrupt):
        load_data(Slow)


def end_at_once() -> None:
    os._exit(3)


def test_a_worker_that_ends_itself_is_a_failure_of_the_trial(begin: BeginTrial) -> None:
    worker = begin(Leaving, {"where": "build_model", "leave": end_at_once})
    assert worker.step()["error"] == "SystemExit: os._exit(3) was called"
    assert os._exit is REAL_EXIT


def test_a_process_that_the_code_forks_ends_as_it_wants() -> None:
    with exits_raised():
        process = os.fork()
        if process == 0:
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 7


def test_another_thread_ends_the_process_as_it_wants() -> None:
    code = "import os, threading; from trainables.exits import exits_raised\nwith exits_raised():\n"
    code += "    thread = threading.Thread(target=os._exit, args=(5,)); thread.start(); thread.join()"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 5


@pytest.mark.parametrize("raised", [GeneratorExit("x"), SystemExit(2), ZeroDivisionError(), KeyboardInterrupt("own")])
def test_what_code_of_the_user_raises_under_a_command_is_told(raised: BaseException) -> None:
    with pytest.raises(RequestError) as error, user_code("Own.build_model"):
        raise raised
    (problem,) = error.value.problems
    assert problem.startswith(f"Own.build_model raised {type(raised).__name__}")


def test_an_error_that_has_no_words_is_told() -> None:
    class Mute(Exception):  # noqa: N818
        def __str__(self) -> str:
            raise ValueError

    assert described(Mute()) == "Mute: it has no message that can be told"


GRAPH = """Graph execution error:

Detected at node while/loss/Cast defined at (most recent call last):
  File "/a/worker.py", line 323, in <module>

  File "/a/core.py", line 161, in convert_to_tensor

Cast string to float is not supported
\t [[{{node while/loss/Cast}}]] [Op:__inference_run_span_1104]"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GRAPH, "Cast string to float is not supported (in the graph, at while/loss/Cast)"),
        ("Graph execution error:\n\nno room", "Graph execution error: no room"),
        ('File "a.py", line 3, in f', 'File "a.py", line 3, in f'),
    ],
)
def test_of_an_error_in_a_graph_the_reason_is_told(text: str, expected: str) -> None:
    assert described(ValueError(text)) == f"ValueError: {expected}"
