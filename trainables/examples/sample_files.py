"""Files for examples that are tried without data of one's own: images, texts and a table."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np


def images() -> Path:
    """Return a folder of handwritten digits as PNG files, a folder a class."""
    return _made("images", _write_images)


def texts() -> Path:
    """Return a folder of lines as text files, a folder a class: the data set of scikit-learn that they describe."""
    return _made("texts", _write_texts)


def table() -> Path:
    """Return a folder with ``customers.csv``: made-up customers, of whom one in eleven leaves."""
    return _made("table", _write_table)


def _made(name: str, write: Callable[[Path], None]) -> Path:
    """Return a folder of this user's, written unless it is there."""
    folder = Path(tempfile.gettempdir(), f"tune-jobs-examples-{os.getuid()}", name)
    if not folder.exists():
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        half = Path(tempfile.mkdtemp(dir=folder.parent))
        write(half)
        try:
            half.replace(folder)
        except OSError:  # another process was faster
            shutil.rmtree(half)
    return folder


def _write_images(folder: Path) -> None:
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    for number, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        (folder / str(label)).mkdir(exist_ok=True)
        enlarged = Image.fromarray((image * 15).astype(np.uint8)).resize((32, 32), Image.Resampling.BILINEAR)
        enlarged.save(folder / str(label) / f"{number:04d}.png")


def _write_texts(folder: Path) -> None:
    for name in ("breast_cancer", "california_housing", "diabetes", "digits", "iris", "kddcup99", "wine_data"):
        description = resources.files("sklearn.datasets.descr").joinpath(f"{name}.rst").read_text(encoding="utf-8")
        lines = [line.strip(" :-=|+*") for line in description.splitlines()]
        (folder / name).mkdir()
        for number, line in enumerate(line for line in lines if len(line) > 30):
            (folder / name / f"{number:04d}.txt").write_text(line, encoding="utf-8")


def _write_table(folder: Path) -> None:
    generator = np.random.default_rng(0)
    plans, cities = ["basic", "family", "business"], ["Bonn", "Lyon", "Oslo", "Turin", "Porto"]
    with (folder / "customers.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["plan", "city", "age", "monthly_fee", "calls", "left"])
        for _ in range(3000):
            plan, city = generator.integers(3), generator.integers(5)
            age, fee, calls = generator.integers(18, 90), generator.gamma(4, 10), generator.poisson(2)
            score = 0.9 * calls + 0.03 * fee - 0.02 * age + (1.5 if plan == 0 else 0) + (1 if city == 2 else 0) - 6
            left = int(generator.random() < 1 / (1 + np.exp(-score)))
            writer.writerow([plans[plan], cities[city], age, f"{fee:.2f}", calls, left])
