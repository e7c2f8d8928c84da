"""The options that all benchmarks have, and the file of their figures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.surroundings import surroundings


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser with the first line of a program's docstring and the option that all benchmarks have."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0] if doc else None)
    parser.add_argument("--json", type=Path, help="the file for the figures")
    return parser


def write_figures(options: argparse.Namespace, figures: Any) -> None:
    """Write the figures to the file that was asked for, if any, with machine, date and versions."""
    if options.json:
        options.json.write_text(json.dumps({**surroundings(), "figures": figures}, indent=2) + "\n")
