"""Private names of HyperOpt. Without them proposals take longer, and stay the same."""

from __future__ import annotations
