"""What no other process can receive is found before Ray starts: its name, who uses it, its type, and what to do."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.support.fakes import experiment
from tests.support.tiny_trainables import Tiny
from tune_jobs.engine import request_problems
from tune_jobs.engine.on_ray.sending import sending_notes, sending_problems

OBJECTS: dict[str, Callable[[], Any]] = {
    "_thread.lock": threading.Lock,
    "_thread.RLock": threading.RLock,
    "_io.BufferedReader": lambda: Path(__file__).open("rb"),  # noqa: SIM115 - the object is the subject
    "socket.socket": socket.socket,
    "sqlite3.Connection": lambda: sqlite3.connect(":memory:"),
    "generator": lambda: (number for number in range(3)),
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_an_object_in_a_closure_is_named(kind: str) -> None:
    thing = OBJECTS[kind]()

    class Uses(Tiny):
        def build_model(self, config: dict[str, Any]) -> Any:
            str(thing)
            return super().build_model(config)

    (problem,) = sending_problems(Uses)
    assert problem.startswith(f"trainable: `thing`, which Uses.build_model uses, is of type {kind}, and cannot be sent")
    assert "make it in build_model" in problem
    if hasattr(thing, "close"):
        thing.close()


def test_an_object_of_a_library_is_named_as_a_whole() -> None:
    with ThreadPoolExecutor(1) as pool:

        class Uses(Tiny):
            def build_model(self, config: dict[str, Any]) -> Any:
                return pool.submit(super().build_model, config).result()

        (problem,) = sending_problems(Uses)
    assert problem.startswith(
        "trainable: `pool`, which Uses.build_model uses, is of type concurrent.futures.thread.ThreadPoolExecutor, and"
    )


class Client:
    def __init__(self) -> None:
        self.url, self.guard = "http://here", threading.Lock()


def test_the_part_that_cannot_be_sent_is_named_wherever_it_hides() -> None:
    client, locks = Client(), {"first": [1, threading.Lock()]}

    def helper() -> Any:
        return lambda: client

    class Base(Tiny):
        attribute = threading.Lock()

        def fit_options(self, config: dict[str, Any]) -> Any:
            return locks

    class Uses(Base):
        def build_model(self, config: dict[str, Any]) -> Any:
            return helper()

        @staticmethod
        def other(default: Any = threading.RLock()) -> Any:  # noqa: B008 - that is the subject
            return default

    named = {problem.split(" uses, ")[0] for problem in sending_problems(Uses)}
    assert named == {
        "trainable: `client.guard`, which helper",
        "trainable: `locks['first'][1]`, which Base.fit_options",
        "trainable: `attribute`, which Base",
        "trainable: `default`, which Uses.other",
    }


class Exits:
    def __reduce__(self) -> Any:
        raise SystemExit("this client cannot be copied")


def test_an_object_that_exits_when_it_is_sent_is_named() -> None:
    client = Exits()

    class Uses(Tiny):
        def build_model(self, config: dict[str, Any]) -> Any:
            return client

    (problem,) = sending_problems(Uses)
    assert problem.startswith(
        "trainable: `client`, which Uses.build_model uses, is of type tests.tune_jobs.engine.on_ray"
    )


def test_what_can_be_sent_is_not_complained_about() -> None:
    assert sending_problems(Tiny) == []
    words = {"a": [1, 2]}

    class Uses(Tiny):
        def build_model(self, config: dict[str, Any]) -> Any:
            return words

    assert sending_problems(Uses) == []


def test_a_request_tells_it_with_all_others(tmp_path: Path) -> None:
    lock = threading.Lock()

    class Uses(Tiny):
        def build_model(self, config: dict[str, Any]) -> Any:
            with lock:
                return super().build_model(config)

    problems = request_problems(experiment(trainable=Uses), tmp_path, "a/b")
    assert len(problems) == 2
    assert "`lock`, which Uses.build_model uses" in problems[0]


def test_what_is_large_and_no_array_is_told_with_its_size() -> None:
    words, table, vector = ["word" * 100] * 3000, {"numbers": list(range(10**5))}, np.zeros(10**6)
    text = "x" * 10**6

    def helper() -> Any:
        return table

    class Uses(Tiny):
        vocabulary = tuple(f"{number:0200}" for number in range(10**4))

        def build_model(self, config: dict[str, Any]) -> Any:
            return words, vector, helper()

        def load_data(self) -> Any:
            return text

    notes = sending_notes(Uses, large_bytes=10**5)
    named = {note.split(" uses, ")[0]: note.split(" uses, ")[1] for note in notes}
    assert set(named) == {
        "trainable: `table['numbers']`, which helper",
        "trainable: `vocabulary`, which Uses",
        "trainable: `text`, which Uses.load_data",
    }
    assert named["trainable: `text`, which Uses.load_data"] == (
        "takes 1 MB, and each worker gets a copy: load it in load_data, whose arrays all workers share."
    )
    assert sending_notes(Uses) == []
    assert sending_notes(Tiny) == []


def test_a_model_in_a_closure_is_told_with_its_size() -> None:
    model = keras.Sequential([keras.Input((1000,)), keras.layers.Dense(1000)])

    class Uses(Tiny):
        def build_model(self, config: dict[str, Any]) -> Any:
            return model

    (note,) = sending_notes(Uses, large_bytes=2**20)
    assert note.startswith("trainable: `model")
    assert "which Uses.build_model uses, takes 4 MB" in note
