"""The benchmarks' modules are imported by their names, as their programs do."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
