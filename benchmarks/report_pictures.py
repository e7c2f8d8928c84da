"""Pictures of a report for the documentation: its top, its parameters and a trial, wide and narrow, light and dark.

    python -m benchmarks.report_pictures RUN FOLDER

RUN is the folder of a run. The pictures are FOLDER/report.png, report-parameters.png (dark), report-narrow.png and
report-trial.png, each with the 128 colours that it needs most, so that they are small.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.report import FLAGS

_COLOURS = 128


def take(browser: Any, page: Path, output: Path, width: int, scheme: str, script: str = "") -> None:
    """Write a picture of what a window of this width shows of a page after a script."""
    height = 1000 if width > 600 else 844
    tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    tab.goto(f"file://{page}")
    tab.wait_for_selector(".js-plotly-plot .main-svg", timeout=60_000)
    if script:
        tab.evaluate(script)
    tab.wait_for_timeout(1500)
    with Image.open(io.BytesIO(tab.screenshot())) as picture:
        picture.convert("RGB").quantize(_COLOURS).save(output, optimize=True)
    tab.close()


def main() -> None:
    """Write the report of a run, and take the pictures."""
    from playwright.sync_api import sync_playwright

    from tune_jobs.report.write import write_report
    from tune_jobs.results.run import Run

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    run = Run(options.run)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        page = write_report([run], Path(scratch) / "report.html")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        open_best = f"Trial.open({run.best_trial})"
        to_parameters = "document.getElementById('figure-importance').scrollIntoView()"
        for name, width, scheme, script in (
            ("report", 1280, "light", ""),
            ("report-parameters", 1280, "dark", to_parameters),
            ("report-narrow", 390, "light", ""),
            ("report-trial", 1280, "light", open_best),
        ):
            take(browser, page, options.folder / f"{name}.png", width, scheme, script)
            print(options.folder / f"{name}.png", f"{(options.folder / f'{name}.png').stat().st_size / 1e3:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main()
