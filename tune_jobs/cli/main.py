"""The command ``tune-jobs``."""

from __future__ import annotations

import click

from tune_jobs.cli import options
from tune_jobs.cli.commands.cluster import cluster
from tune_jobs.cli.commands.compare import compare, replay, suggest
from tune_jobs.cli.commands.evaluate import evaluate
from tune_jobs.cli.commands.experiments import describe, list_experiments
from tune_jobs.cli.commands.export import export
from tune_jobs.cli.commands.jobs import fetch, list_jobs, logs, status, stop
from tune_jobs.cli.commands.pictures.curves import curves
from tune_jobs.cli.commands.pictures.importance import importance
from tune_jobs.cli.commands.pictures.path import path
from tune_jobs.cli.commands.pictures.report import report
from tune_jobs.cli.commands.pictures.view import view
from tune_jobs.cli.commands.refit import refit
from tune_jobs.cli.commands.resume import resume
from tune_jobs.cli.commands.run import run
from tune_jobs.cli.commands.runs import leaderboard, runs
from tune_jobs.cli.commands.submit import submit
from tune_jobs.cli.commands.warm import warm
from tune_jobs.cli.exit_status import Commands


@click.group(
    cls=Commands,
    commands=[
        run,
        resume,
        list_experiments,
        describe,
        leaderboard,
        path,
        curves,
        evaluate,
        export,
        refit,
        compare,
        importance,
        suggest,
        report,
        replay,
        view,
        cluster,
        submit,
        list_jobs,
        status,
        logs,
        stop,
        fetch,
        runs,
        warm,
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with: tune-jobs run digits_mlp",
)
@options.diagnostics
@click.version_option(package_name="tune-jobs", message="%(package)s %(version)s")
def main() -> None:
    """Distributed hyperparameter tuning for Keras on Ray.

    EXPERIMENT is a shipped name (digits_mlp), a file (path/to/file.py, or file.py:NAME), or a module
    (pkg.mod:NAME). RUN is a run's folder, or its name within the storage. JOB is the name that `submit` printed.

    Exit status: 0 on success; 1 if a run failed; 2 if the request was wrong; 130 after Ctrl-C.
    """
