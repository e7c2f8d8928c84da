"""The command `tune-jobs` for where its script is not on the PATH: `python -m tune_jobs`."""

from __future__ import annotations

from tune_jobs.cli.main import main

if __name__ == "__main__":
    main(prog_name="tune-jobs")
