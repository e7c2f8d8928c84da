"""The command that runs the cases: ``python -m tests.cases FOLDER``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.cases.expectations import EXPECTATIONS
from tests.cases.lab import Lab

_NEEDED = ("base.py", "six_epochs.py")  # what cases import or run; they are no cases themselves


def main(arguments: list[str] | None = None) -> int:
    """Run the cases, print the table, and return 1 if one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.cases", description="Runs the cases of a folder.")
    parser.add_argument("folder", type=Path, help="the folder of the cases")
    parser.add_argument("--only", action="append", metavar="WORD", help="run cases whose names hold this word")
    options = parser.parse_args(arguments)
    folder: Path = options.folder.resolve()
    if not folder.is_dir():
        print(f"There is no folder {options.folder}: the cases are not part of the repository. Name their folder.")
        return 2
    chosen = [name for name in EXPECTATIONS if not options.only or any(word in name for word in options.only)]
    wrong = {name: found for name in chosen if (found := _wrong(folder, name))}
    for name in sorted(unknown_cases(folder)):
        print(f"{name:24} unknown: nothing says what is right")
    print(f"\n{len(chosen) - len(wrong)} of {len(chosen)} cases are right")
    return 1 if wrong else 0


def unknown_cases(folder: Path) -> set[str]:
    """Return the cases of a folder about which nothing is known here."""
    files = [*folder.glob("*.py"), *folder.glob("*.sh"), *folder.glob("*/run.sh")]
    return {str(path.relative_to(folder)) for path in files} - {*EXPECTATIONS, *_NEEDED}


def _wrong(folder: Path, name: str) -> list[str]:
    """Run a case, print its row, and return what is wrong."""
    begun_s = time.monotonic()
    if (folder / name).is_file():
        with tempfile.TemporaryDirectory(prefix="case-", ignore_cleanup_errors=True) as place:
            lab = Lab(folder, Path(place))
            try:
                EXPECTATIONS[name](lab)
            except Exception as error:  # noqa: BLE001 - a case that ends half-way leaves nothing to check
                lab.wrong.append(f"the check ended in {type(error).__name__}: {error}")
            wrong = lab.wrong
    else:
        wrong = [f"the folder has no {name}"]
    print(f"{name:24} {'wrong' if wrong else 'right':6} {time.monotonic() - begun_s:5.0f} s")
    for text in wrong:
        print(f"{'':24} - {text}")
    sys.stdout.flush()
    return wrong


if __name__ == "__main__":
    sys.exit(main())
