"""The files of a folder of images: the classes, the division into splits, and one decoded image."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainables.data.invalid import InvalidData

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "box", "hamming")

_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}


@dataclass(frozen=True)
class ImageFile:
    """An image of a folder.

    Attributes:
        path: The file.
        label: The index of its class.
        stat: Its name within the folder, its size and its time, which tell whether it was changed.
    """

    path: Path
    label: int
    stat: tuple[str, int, int]


@dataclass(frozen=True)
class ImageForm:
    """The form into which images are decoded.

    Attributes:
        height, width: In pixels.
        color_mode: "rgb", "rgba" or "grayscale".
        interpolation: Of images of another size, by Pillow's name.
        crop_to_aspect_ratio: Whether the middle of an image of another form is taken, instead of all of it squeezed.
    """

    height: int
    width: int
    color_mode: str
    interpolation: str
    crop_to_aspect_ratio: bool

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of a decoded image."""
        return self.height, self.width, CHANNELS[self.color_mode]

    def decode(self, path: Path) -> np.ndarray:
        """Return an image, dtype uint8, in this form.

        Raises:
            OSError, ValueError, SyntaxError: The file is no image, or is broken.
        """
        from PIL import Image

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as opened:
                opened.load()
                image = _with_eight_bits(opened).convert(_MODES[self.color_mode])
        if image.size != (self.width, self.height):
            resampling = Image.Resampling[self.interpolation.upper()]
            box = self._middle(*image.size) if self.crop_to_aspect_ratio else None
            image = image.resize((self.width, self.height), resampling, box=box)
        return np.asarray(image).reshape(self.shape)

    def _middle(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return the largest box of this form in the middle of an image."""
        scale = min(width / self.width, height / self.height)
        left, top = (width - scale * self.width) / 2, (height - scale * self.height) / 2
        return left, top, width - left, height - top


def _with_eight_bits(image: Any) -> Any:
    """Return an image whose numbers fit a byte: Pillow cuts those of 16 bits off at 255."""
    if not image.mode.startswith("I"):
        return image
    from PIL import Image

    numbers = np.asarray(image)
    shift = 8 if numbers.max(initial=0) > np.iinfo(np.uint8).max else 0
    return Image.fromarray((numbers.clip(0) >> shift).clip(max=255).astype(np.uint8))


def image_files(folder: Path, class_names: Sequence[str] | None) -> tuple[list[ImageFile], list[str]]:
    """Return the images of a folder, class by class, and the names of the classes.

    Args:
        folder: The folder; each of its folders is a class.
        class_names: The folders, in the order of their labels; None: all of them, sorted by name.

    Raises:
        InvalidData: There are no classes, a class has no images, or a folder is missing.
    """
    if not folder.is_dir():
        raise InvalidData([f"The folder of images {folder} does not exist."])
    found = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    names = found if class_names is None else list(class_names)
    if not names:
        raise InvalidData([f"The folder {folder} has no folders in it, but each class of images needs one of its own."])
    problems = [f"The class {name!r} has no folder in {folder}." for name in names if name not in found]
    files: list[ImageFile] = []
    for label, name in enumerate(names):
        if name in found:
            images = [_image_file(folder, path, label) for path in _images_below(folder / name)]
            files += images
            if not images:
                problems.append(f"The class {name!r} has no images in {folder / name} ({', '.join(SUFFIXES)}).")
    if problems:
        raise InvalidData(problems)
    return files, names


def _images_below(folder: Path) -> list[Path]:
    found = []
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(parent, name) for name in names if name.lower().endswith(SUFFIXES) and not name.startswith(".")]
    return sorted(found)


def _image_file(folder: Path, path: Path, label: int) -> ImageFile:
    stat = path.stat()
    return ImageFile(path, label, (path.relative_to(folder).as_posix(), stat.st_size, stat.st_mtime_ns))


def divided(files: Sequence[ImageFile], fractions: Sequence[float], seed: int) -> list[list[ImageFile]]:
    """Divide files at random into the first part, which keeps the rest, and one for each fraction; each class alike.

    Args:
        files: The files.
        fractions: The share of each further part, of each class.
        seed: The seed of the division.
    """
    parts: list[list[ImageFile]] = [[] for _ in range(len(fractions) + 1)]
    labels = np.array([file.label for file in files])
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        order = np.random.default_rng([seed, int(label)]).permutation(members)
        start = 0
        for index, fraction in enumerate(fractions, start=1):
            count = round(len(members) * fraction)
            parts[index] += [files[position] for position in sorted(order[start : start + count])]
            start += count
        parts[0] += [files[position] for position in sorted(order[start:])]
    return parts
