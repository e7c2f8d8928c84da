"""The journal: events are read back, wherever the file was cut, and hostile lines are refused."""

from __future__ import annotations

import contextlib
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import with_examples
from tests.support.result_strategies import EVENTS, property_settings
from tune_jobs.results import (
    EpochReported,
    Event,
    JournalError,
    JournalWriter,
    Noted,
    RunEnded,
    Status,
    TrialEnded,
    TrialStarted,
    read_journal,
)
from tune_jobs.results.journal.lines import MAX_NESTING, decode, encode
from tune_jobs.results.journal.reading import MAX_LINE_BYTES

EPOCH = {"event": "epoch", "time_s": 1.0, "trial": 7, "epoch": 3, "metrics": {"loss": 0.5}, "seconds": 0.6}
STARTED = {"event": "trial_started", "time_s": 1.0, "trial": 7, "config": {}, "node": "host"}
ENDED = {"event": "trial_ended", "time_s": 1.0, "trial": 7, "status": "failed", "reason": "", "error": None}
NOTE = {"event": "note", "time_s": 1.0, "trial": None, "text": "why"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def same(events: Sequence[object]) -> list[str]:
    """A form in which NaN equals NaN, and 0.0 differs from -0.0."""
    return [repr(event) for event in events]


def line(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode() + b"\n"


@property_settings
@given(st.lists(EVENTS))
def test_what_is_written_is_read_back(events: list[Event]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.jsonl")
        with JournalWriter(path) as writer:
            for event in events:
                writer.write(event)
        assert same(read_journal(path)) == same(events)


@with_examples(300)
@given(st.lists(EVENTS, max_size=5), EVENTS, st.data())
def test_a_journal_cut_anywhere_is_a_prefix_and_can_be_continued(
    events: list[Event], another: Event, data: st.DataObject
) -> None:
    lines = [encode(event) for event in events]
    whole = b"".join(lines)
    cut = data.draw(st.integers(0, len(whole)))
    survivors = events[: whole[:cut].count(b"\n")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.jsonl")
        path.write_bytes(whole[:cut])
        assert same(read_journal(path)) == same(survivors)
        with JournalWriter(path) as writer:
            writer.write(another)
        assert same(read_journal(path)) == same([*survivors, another])


def test_a_torn_line_longer_than_a_block_is_cut_off(path: Path) -> None:
    whole = line(EPOCH)
    path.write_bytes(whole + b"x" * 200_000)
    with JournalWriter(path) as writer:
        assert writer.torn_bytes == 200_000
    assert path.read_bytes() == whole
    with JournalWriter(path) as writer:
        assert writer.torn_bytes == 0


@property_settings
@given(EVENTS)
def test_every_line_is_standard_json_without_a_line_break(event: Event) -> None:
    text = encode(event).decode()
    assert text.count("\n") == 1
    json.loads(text, parse_constant=pytest.fail)


def test_the_format_is_the_documented_one() -> None:
    event = EpochReported(
        time_s=1.5, trial=7, epoch=3, metrics={"loss": math.nan, "a": math.inf, "b": -math.inf}, seconds=0.6
    )
    assert json.loads(encode(event)) == {
        "event": "epoch",
        "time_s": 1.5,
        "trial": 7,
        "epoch": 3,
        "metrics": {"loss": "nan", "a": "inf", "b": "-inf"},
        "seconds": 0.6,
    }


def test_each_line_can_be_read_at_once(path: Path) -> None:
    event = decode(line(EPOCH))
    with JournalWriter(path) as writer:
        for count in range(1, 4):
            writer.write(event)
            assert len(read_journal(path)) == count


def test_the_ends_of_trials_and_runs_reach_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr("os.fsync", synced.append)
    with JournalWriter(path) as writer:
        writer.write(decode(line(EPOCH)))
        assert not synced
        writer.write(decode(line(ENDED)))
        writer.write(RunEnded(time_s=2.0, reason="trials", error=None))
    assert len(synced) == 2


@pytest.mark.parametrize(
    "event",
    [
        TrialStarted(time_s=1.0, trial=0, config={"x": math.nan}, node="host"),
        TrialStarted(time_s=1.0, trial=0, config={"x": object()}, node="host"),
        TrialStarted(time_s=1.0, trial=-1, config={}, node="host"),
        TrialEnded(time_s=1.0, trial=0, status=Status.RUNNING, reason="", error=None),
        Noted(time_s=1.0, trial="../7", text="why"),
        EpochReported(time_s=1.0, trial=0, epoch=1, metrics={"loss": None}, seconds=1.0),
        RunEnded(time_s=1.0, reason="x" * MAX_LINE_BYTES, error=None),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_could_not_be_read_back_is_not_written(path: Path, event: Event) -> None:
    with JournalWriter(path) as writer, pytest.raises(JournalError, match=r"journal\.jsonl"):
        writer.write(event)
    assert path.read_bytes() == b""


def test_half_a_surrogate_pair_is_written_as_a_question_mark() -> None:
    event = RunEnded(time_s=1.0, reason="file \udcff", error=None)
    assert decode(encode(event)).reason == "file ?"


HOSTILE = {
    "html": b"<html><script>alert(1)</script></html>\n",
    "empty": b"\n",
    "not utf-8": b'{"event": "\xff"}\n',
    "utf-16": '{"event": "x"}'.encode("utf-16") + b"\n",
    "nothing but nul": b"\0" * 100 + b"\n",
    "two objects": b"{} {}\n",
    "no object": b"[1]\n",
    "no event": b"{}\n",
    "event is a list": line({"event": []}),
    "deep nesting": b"[" * 100_000 + b"]" * 100_000 + b"\n",
    "deep config": line(STARTED | {"config": json.loads("[" * MAX_NESTING + "]" * MAX_NESTING)}),
    "nested config": line(STARTED | {"config": {"x": json.loads("[" * MAX_NESTING + "]" * MAX_NESTING)}}),
    "huge line": b'{"event": "' + b"x" * MAX_LINE_BYTES + b'"}\n',
    "endless digits": b'{"event": "epoch", "time_s": ' + b"9" * 10_000 + b"}\n",
    "half a surrogate pair": b'{"event": "run_ended", "time_s": 1, "reason": "\\ud800", "error": null}\n',
    "NaN literal": line(EPOCH | {"metrics": {"loss": math.nan}}),
    "infinite config": line(STARTED).replace(b"{}", b'{"x": 1e999}'),
    "time is huge": line(EPOCH | {"time_s": 10**400}),
    "time is infinite": line(EPOCH).replace(b"1.0", b"1e999"),
    "seconds are negative": line(EPOCH | {"seconds": -1}),
    "done is a number": line(EPOCH | {"done": 1}),
    "trial is true": line(EPOCH | {"trial": True}),
    "trial is a float": line(EPOCH | {"trial": 7.0}),
    "trial is a path": line(EPOCH | {"trial": "../7"}),
    "epoch is zero": line(EPOCH | {"epoch": 0}),
    "epoch is huge": line(EPOCH | {"epoch": 10**9}),
    "metrics are a list": line(EPOCH | {"metrics": [1]}),
    "metric is a list": line(EPOCH | {"metrics": {"loss": []}}),
    "metric is a text": line(EPOCH | {"metrics": {"loss": "NaN"}}),
    "metric is huge": line(EPOCH | {"metrics": {"loss": 10**400}}),
    "config is a list": line(STARTED | {"config": []}),
    "node is null": line(STARTED | {"node": None}),
    "status is unknown": line(ENDED | {"status": "fine"}),
    "status is running": line(ENDED | {"status": "running"}),
    "status is an object": line(ENDED | {"status": {}}),
    "error is a number": line(ENDED | {"error": 1}),
    "note of a path": line(NOTE | {"trial": "../7"}),
    "note without text": line(NOTE | {"text": None}),
    **{f"without {field}": line({k: v for k, v in EPOCH.items() if k != field}) for field in EPOCH},
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_broken_line_is_an_error_that_names_file_line_and_remedy(path: Path, hostile: bytes) -> None:
    path.write_bytes(line(EPOCH) + hostile + line(EPOCH))
    with pytest.raises(JournalError, match=r"journal\.jsonl, line 2 .*[Rr]emove") as caught:
        read_journal(path)
    assert len(str(caught.value)) < 1000


@property_settings
@given(st.lists(st.binary(max_size=20) | st.sampled_from([line(EPOCH), b"\n", b"[[", b'{"event"']), max_size=5))
def test_any_bytes_are_events_or_a_journal_error(parts: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.jsonl")
        path.write_bytes(b"".join(parts))
        with contextlib.suppress(JournalError):
            assert len(read_journal(path)) <= parts.count(line(EPOCH))


@property_settings
@given(
    st.sampled_from([EPOCH, STARTED, ENDED, NOTE]),
    st.data(),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2),
)
def test_a_field_of_any_type_is_plain_data_or_a_value_error(
    record: dict[str, Any], data: st.DataObject, value: Any
) -> None:
    field = data.draw(st.sampled_from(sorted(record)))
    try:
        event = decode(line(record | {field: value}))
    except ValueError:
        return
    assert event is None or same([decode(encode(event))]) == same([event])


def test_the_error_says_what_is_wrong(path: Path) -> None:
    path.write_bytes(line(EPOCH | {"epoch": "three"}))
    with pytest.raises(JournalError, match="its epoch is 'three', but must be a whole number"):
        read_journal(path)


def test_other_versions_may_have_other_events_and_fields(path: Path) -> None:
    unknown = line({"event": "telemetry", "trial": "any"}) + line({"event": "checkpoint", "trial": 7, "path": "x"})
    path.write_bytes(unknown + line(EPOCH | {"memory_bytes": 7}))
    assert same(read_journal(path)) == same([decode(line(EPOCH))])


def test_what_an_older_version_did_not_know_has_its_default() -> None:
    started = {"event": "run_started", "time_s": 1.0, "cpus": 2.0, "gpus": 0.0, "max_concurrent_trials": 2}
    assert decode(line(started)).nodes is None
    assert decode(line(started | {"nodes": 3})).nodes == 3
    assert not decode(line(EPOCH)).done
    assert decode(line(EPOCH | {"done": True})).done
    assert decode(line(started)).data is None
    assert decode(line(EPOCH | {"batches": 12})).batches == 12


def test_only_the_line_of_a_last_epoch_says_that_the_trial_was_done() -> None:
    epoch = decode(line(EPOCH))
    assert b"done" not in encode(epoch)
    assert b'"done": true' in encode(replace(epoch, done=True))


def test_only_the_line_of_an_epoch_of_unknown_length_has_its_number_of_batches() -> None:
    epoch = decode(line(EPOCH))
    assert b"batches" not in encode(epoch)
    assert b'"batches": 7' in encode(replace(epoch, batches=7))


def test_whole_numbers_are_taken_for_amounts_and_metrics() -> None:
    event = decode(line(EPOCH | {"time_s": 1, "seconds": 2, "metrics": {"loss": 3}}))
    assert same([event.time_s, event.seconds, event.metrics]) == ["1.0", "2.0", "{'loss': 3.0}"]


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_journal_that_cannot_be_opened_is_an_error_with_a_remedy(tmp_path: Path, name: str) -> None:
    with pytest.raises(JournalError, match=r"cannot be read .* Name the folder of a run"):
        read_journal(tmp_path / name)


def test_reading_imports_no_pandas() -> None:
    # A process of its own: this one has imported pandas for other tests.
    code = "import sys, tune_jobs.results; print({'pandas', 'numpy', 'ray', 'keras'} & set(sys.modules))"
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert printed.strip() == "set()"
