"""Ray's long messages in one line."""

from __future__ import annotations

from tune_jobs.engine.on_ray.errors import in_one_line


def test_the_last_named_error_tells_what_happened() -> None:
    message = "\x1b[36mray::x.train()\x1b[0m\n  File a\nray.exceptions.RayTaskError: outer\nValueError: inner   one\n"
    assert in_one_line(message) == "ValueError: inner one"


def test_else_the_first_line_and_never_nothing() -> None:
    assert in_one_line("\n  The actor died.\n\tclass_name: X\n") == "The actor died."
    assert in_one_line("") == "The worker died."
