"""What the live view draws."""

import io
import re

import pytest
from rich.console import Console

from tests.support.view_events import epoch, make_plan, paused, progress_after, run_started, started, trial_events
from tune_jobs.results import Noted, RunEnded, Status
from tune_jobs.views.progress.choose import view_for
from tune_jobs.views.progress.live import LiveView, frame
from tune_jobs.views.progress.plain import PlainView


def terminal(width=80, height=26):
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=height, _environ={})


def drawn(progress, now_s=165.0, width=80, height=26):
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=height, color_system=None)
    console.print(frame(progress, now_s, width, height))
    return console.file.getvalue()


def test_before_the_first_event():
    assert "starting Ray" in drawn(progress_after())


def test_what_a_person_wants_to_know():
    events = [run_started(), *trial_events(4, [0.9, 0.9722]), *trial_events(5, [0.7]), started(6), epoch(6, 1, 0.8)]
    text = drawn(progress_after(*events))
    assert "2 of 10 ended (2 stopped), 1 running" in text
    assert "4, at most 9 a trial" in text
    assert "val_accuracy 0.9722  trial 4, epoch 2" in text
    assert "20%  1m 05s" in text
    assert re.search(r"6 +running +1/9 +0.8000 +lr=0.003", text)
    assert re.search(r"5 +stopped +1 +0.7000 +lr=0.003", text)


def test_running_trials_come_first_in_order_and_then_the_newest():
    events = [started(9), started(8), *trial_events(0, [0.5]), *trial_events(1, [0.5])]
    text = drawn(progress_after(run_started(), *events))
    assert re.findall(r"^ +(\d+) +(?:running|stopped)", text, re.MULTILINE) == ["8", "9", "1", "0"]


@pytest.mark.parametrize("width", [40, 80, 140])
@pytest.mark.parametrize("height", [16, 26])
def test_it_fits_the_terminal(width, height):
    config = {f"parameter_{index}": "x" * 100 for index in range(20)}
    running = [started(number, config) for number in range(50)]
    note = Noted(time_s=101.0, trial=3, text="x" * 200)
    progress = progress_after(run_started(), *running, note, epoch(3, 1, 0.5), trials=100)
    lines = drawn(progress, width=width, height=height).splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert "more" in "".join(lines)


def test_the_latest_note_is_shown():
    notes = [Noted(time_s=101.0, trial=trial, text="it starts again\x1b[2J") for trial in (3, 4)]
    text = drawn(progress_after(run_started(), *notes))
    assert "trial 4: it starts again " in text
    assert "trial 3" not in text


def test_nothing_in_a_run_can_steer_the_terminal():
    config = {"a\x1b[2J": "\x1b]0;owned\x07[bold red]b[/]\n\x9b31m"}
    events = trial_events(0, [0.5], config=config)
    failed = trial_events(1, [], Status.FAILED, error="\x1b[2J[link=x]error")
    text = drawn(progress_after(run_started(), *events, *failed, metric="val_accuracy"), width=140)
    assert not set(text) & {"\x1b", "\x07", "\x9b"}
    assert r"a\x1b[2J=\x1b]0;owned\x07[bold red]b[/]\n\x9b31m" in text
    assert "[link=x]error" in text


def test_the_end_of_a_run_is_told_while_ray_ends():
    progress = progress_after(run_started(), RunEnded(time_s=1.0, reason="all trials", error=None))
    assert "Ray is ending" in drawn(progress)


def test_the_view_leaves_a_clean_terminal():
    console = terminal()
    view = LiveView(console, clock=lambda: 165.0)
    view.begin(make_plan())
    for event in [run_started(), *trial_events(0, [0.5])]:
        view.event(event)
    view.end()
    view.end()
    text = console.file.getvalue()
    assert "1 of 10 ended" in text
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l")  # the cursor is shown again
    assert text.endswith("\x1b[2K")  # the last line of the picture was removed


def test_views_that_never_began_can_end():
    LiveView(terminal()).end()
    PlainView(io.StringIO()).end()


def test_the_view_suits_the_output():
    assert isinstance(view_for(terminal()), LiveView)
    assert isinstance(view_for(Console(file=io.StringIO())), PlainView)
    dumb = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"})
    assert isinstance(view_for(dumb), PlainView)


def test_paused_trials_are_counted():
    text = drawn(progress_after(run_started(), started(4), epoch(4, 1, 0.9), paused(4), started(5)))
    assert "0 of 10 ended, 1 running, 1 paused" in text
    assert "10%" in text
