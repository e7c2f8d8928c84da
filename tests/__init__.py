"""The tests. A run beside them may not change what they see."""

from __future__ import annotations

import os

os.environ["TUNE_JOBS_WARM"] = "off"
os.environ["TUNE_JOBS_SHARING"] = "off"
