"""Benchmarks of this project, alone and beside its peers."""

from __future__ import annotations

import os

os.environ.setdefault("TUNE_JOBS_WARM", "off")
os.environ.setdefault("TUNE_JOBS_SHARING", "off")
