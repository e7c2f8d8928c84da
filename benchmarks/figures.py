"""What the benchmarks share: their options, and the file that their figures go into."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.surroundings import surroundings


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """A parser that tells the first line of a program's docstring, with the option that all of them have."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0] if doc else None)
    parser.add_argument("--json", type=Path, help="where the figures go")
    return parser


def write_figures(asked: argparse.Namespace, figures: Any) -> None:
    """Writes the figures where they were asked for, with machine, date and versions."""
    if asked.json:
        asked.json.write_text(json.dumps({**surroundings(), "figures": figures}, indent=2) + "\n")
