"""The size of a report, the time to write it, and the time until a browser shows it.

    python -m benchmarks.report [--trials 30 1000 10000] [--epochs 50] [--json FILE]

No trial is stopped, so that every curve has all epochs. The browser is Debian's Chromium without a GPU; without it, the
times of opening are left out. ``open`` is the time until the first figure stands, ``all`` the time to draw every figure
of the page one after another, and ``sort`` the time of a click on a column of the table.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import parser_of, write_figures
from benchmarks.searched_runs import make_searched_run

FLAGS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


def measure(trials: int, epochs: int, folder: Path) -> dict[str, Any]:
    """Return the figures of a report of so many trials."""
    from tune_jobs.report.write import write_report

    run = make_searched_run(folder, f"run-{trials}", trials, epochs, is_stopping=False)
    begun_s = time.perf_counter()
    page = write_report([run], folder / f"{trials}.html")
    took_s = time.perf_counter() - begun_s
    row = {"trials": trials, "epochs": epochs, "megabytes": page.stat().st_size / 1e6, "write_s": took_s}
    return {**row, **(opened(page) if shutil.which("chromium") else {})}


def opened(page: Path) -> dict[str, float]:
    """Return the times of opening a page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        begun_s = time.perf_counter()
        tab.goto(f"file://{page}")
        tab.wait_for_selector(".js-plotly-plot .main-svg", timeout=60_000)
        open_s = time.perf_counter() - begun_s
        begun_s = time.perf_counter()
        tab.evaluate("Figures.drawAll()")
        all_s = time.perf_counter() - begun_s
        begun_s = time.perf_counter()
        tab.get_by_role("button", name="learning_rate").click()
        tab.wait_for_selector("th[aria-sort=descending]")
        sort_s = time.perf_counter() - begun_s
        browser.close()
    return {"open_s": open_s, "all_s": all_s, "sort_s": sort_s}


def main() -> None:
    """Measure reports of several sizes."""
    parser = parser_of(__doc__)
    parser.add_argument("--trials", type=int, nargs="+", default=[30, 1000, 10_000])
    parser.add_argument("--epochs", type=int, default=50)
    arguments = parser.parse_args()
    rows = []
    print("trials  epochs  MB     write s  open s  all s  sort s")
    with tempfile.TemporaryDirectory() as folder:
        for trials in arguments.trials:
            row = measure(trials, arguments.epochs, Path(folder))
            rows.append(row)
            times = "  ".join(f"{row.get(name, float('nan')):6.2f}" for name in ("open_s", "all_s", "sort_s"))
            print(
                f"{trials:6}  {arguments.epochs:6}  {row['megabytes']:5.2f}  {row['write_s']:7.2f}  {times}", flush=True
            )
    write_figures(arguments, rows)


if __name__ == "__main__":
    main()
