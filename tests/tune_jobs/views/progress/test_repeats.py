"""Progress tells which repeat is running."""

import io
from dataclasses import replace

from rich.console import Console

from tests.support.view_events import make_plan
from tune_jobs.results.run import Repeat
from tune_jobs.views.progress.live import frame
from tune_jobs.views.progress.plain import PlainView
from tune_jobs.views.progress.progress import Progress


def test_both_views_tell_which_repeat_is_running():
    plan = replace(make_plan(), repeat=Repeat("x", 2, 5))
    stream = io.StringIO()
    PlainView(stream).begin(plan)
    console = Console(file=io.StringIO(), width=100)
    console.print(frame(Progress.of(plan), now_s=0.0, width=100, height=30))
    for text in (stream.getvalue(), console.file.getvalue()):
        assert f"{plan.name} (repeat 2 of 5) in " in text


def test_a_run_by_itself_is_no_repeat():
    stream = io.StringIO()
    PlainView(stream).begin(make_plan())
    assert "repeat" not in stream.getvalue()
