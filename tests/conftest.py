"""What all tests share."""

from __future__ import annotations

import sys
from pathlib import Path

# Helper modules of the tests (strategies, fakes) are imported by their names.
for folder in ("search_spaces_tests", "tune_jobs_tests", "tune_jobs_tests/results", "integration"):
    sys.path.insert(0, str(Path(__file__).parent / folder))
