"""The wall time of a search on a folder of images: this project beside KerasTuner with and without ``.cache()``.

    python -m benchmarks.image_folder [--images 12000] [--configurations 12] [--epochs 3] [--rounds 1]

The benchmark makes the images: JPEG files of 96 x 96 pixels in six classes. All programs train the same small
convolutional networks, in batches of 32. Decoding is part of this project's time: each round begins with an empty
cache. The bars are 0.5 of KerasTuner with image_dataset_from_directory as its users write it, and 0.8 of the same with
`.cache()`. `pip install -e .[bench,images]` installs what it needs.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import programs
from benchmarks.equal_work import OURS, table
from benchmarks.figures import parser_of, write_figures
from benchmarks.peers import image_work

PROGRAMS = {
    OURS: ["image_folder_here.py"],
    "KerasTuner": ["image_folder_kerastuner.py"],
    "KerasTuner with cache()": ["image_folder_kerastuner.py", "--cache"],
}
BARS = {"KerasTuner": 0.5, "KerasTuner with cache()": 0.8}


def make_images(folder: Path, count: int) -> None:
    """Write images: each is a random pattern with the colour of its class somewhere in it."""
    from PIL import Image

    generator = np.random.default_rng(0)
    colours = generator.integers(0, 256, (image_work.CLASSES, 3))
    for label in range(image_work.CLASSES):
        (folder / f"class_{label}").mkdir(parents=True)
    for number in range(count):
        label = number % image_work.CLASSES
        pattern = generator.integers(0, 256, (12, 12, 3))
        top, left = generator.integers(0, 8, 2)
        pattern[top : top + 5, left : left + 5] = colours[label]
        image = Image.fromarray(pattern.astype(np.uint8)).resize(image_work.SIZE, Image.Resampling.BILINEAR)
        image.save(folder / f"class_{label}" / f"{number:06d}.jpg", quality=90)


def configurations(count: int) -> list[dict[str, Any]]:
    """Return the first ones of a fixed sequence."""
    generator = np.random.default_rng(0)
    return [
        {"units": int(generator.choice([32, 64, 128])), "learning_rate": float(10 ** generator.uniform(-3.5, -2.5))}
        for _ in range(count)
    ]


def main() -> None:
    """Run the rounds."""
    parser = parser_of(__doc__)
    parser.add_argument("--images", type=int, default=12_000)
    parser.add_argument("--configurations", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    options = parser.parse_args()
    settings = {"images": options.images, "epochs": options.epochs, "cores": options.cores}
    rounds: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="bench-images-") as folder:
        make_images(Path(folder, "images"), options.images)
        order = {**settings, "images": f"{folder}/images", "configurations": configurations(options.configurations)}
        for number in range(options.rounds):
            rounds.append({})
            for name in options.only:
                rounds[-1][name] = programs.run(PROGRAMS[name], order)
                print(f"round {number + 1}: {name} {rounds[-1][name]['seconds']:.1f} s", flush=True)
                write_figures(options, {**settings, "rounds": rounds})
    print(table(rounds), flush=True)
    for name, bar in BARS.items():
        if name in options.only and OURS in options.only:
            ratios = [each[OURS]["seconds"] / each[name]["seconds"] for each in rounds]
            print(f"{name}: {min(ratios):.2f} to {max(ratios):.2f}, and at most {bar} is asked for", flush=True)


if __name__ == "__main__":
    main()
