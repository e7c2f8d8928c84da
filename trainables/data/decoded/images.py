"""A folder of images as data: each file is decoded once, and all trials read the same memory-mapped arrays."""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from trainables.data.decoded.cache import CACHE_BYTES, DecodedCache, default_cache
from trainables.data.decoded.image_files import CHANNELS, INTERPOLATIONS, ImageFile, ImageForm, divided, image_files
from trainables.data.invalid import InvalidData
from trainables.data.splits import Data

_LOG = logging.getLogger(__name__)

_SPLITS = ("train", "validation", "test")
_MOST_NAMED = 20
_FILES_AT_ONCE = 64


def image_folder(
    folder: str | Path,
    image_size: tuple[int, int],
    *,
    validation_split: float = 0.0,
    test_split: float = 0.0,
    seed: int = 0,
    color_mode: str = "rgb",
    class_names: Sequence[str] | None = None,
    interpolation: str = "bilinear",
    crop_to_aspect_ratio: bool = False,
    cache: str | Path | None = None,
    cache_bytes: int = CACHE_BYTES,
) -> Data:
    """Return the images of a folder, of which each folder is a class, for ``load_data``.

    Each file is decoded once, by as many threads as there are cores, into a file that is mapped into memory: images may
    take more than the memory has room for, and no worker holds a copy. Later runs find the decoded file, unless an
    image was added, removed or changed. The numbers are bytes from 0 to 255: scale them in the model
    (``keras.layers.Rescaling(1 / 255)``), and augment them there or in ``FitOptions``. Both then run in the compiled
    step.

    Args:
        folder: The folder. Images lie in its folders, at any depth; their names are the names of the classes.
        image_size: Height and width of the decoded images. Others are resized by Pillow.
        validation_split: The share of each class to validate on, in [0, 1).
        test_split: The share of each class for the test set, in [0, 1).
        seed: The seed of the division.
        color_mode: "rgb", "rgba" or "grayscale".
        class_names: The folders, in the order of their labels 0, 1, …; None: all of them, sorted by name.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos", "box" or "hamming".
        crop_to_aspect_ratio: Whether the middle of an image of another form is taken, instead of all of it squeezed.
        cache: The folder of decoded files; None: ``.tune-jobs-cache`` in the folder of images if that can be written,
            else the one that the variable TUNE_JOBS_CACHE names, or the user's cache folder.
        cache_bytes: The most that decoded files in that folder may take: the least recently used ones are removed.

    Returns:
        x of shape (images, height, width, channels) and dtype uint8, y of shape (images,) and dtype int32, for each
        split, and the names of the classes.

    Raises:
        InvalidData: An argument is wrong, the folder has no classes, an image is broken (all of them are named), or
            there is no room for the decoded images.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from PIL import Image
        >>> from trainables import image_folder
        >>> flowers = Path(tempfile.mkdtemp())
        >>> for name in ("rose", "tulip"):
        ...     (flowers / name).mkdir()
        ...     for number in range(4):
        ...         Image.fromarray(np.full((40, 30, 3), number, np.uint8)).save(flowers / name / f"{number}.png")
        >>> data = image_folder(flowers, image_size=(20, 20), validation_split=0.25)
        >>> data.class_names, data.examples, data.train[0].shape
        (('rose', 'tulip'), {'train': 6, 'validation': 2}, (6, 20, 20, 3))
    """
    folder = Path(folder)
    fractions = {"validation": validation_split, "test": test_split}
    _check(image_size, fractions, color_mode, interpolation, cache_bytes)
    height, width = image_size
    form = ImageForm(height, width, color_mode, interpolation, crop_to_aspect_ratio)
    files, names = image_files(folder, class_names)
    parts = dict(zip(_SPLITS, divided(files, list(fractions.values()), seed), strict=True))
    _check_parts(parts, fractions, folder)
    settings = {
        "images of": str(folder.absolute()),
        "form": [*form.shape, interpolation, crop_to_aspect_ratio],
        "classes": names,
        "division": [seed, *fractions.values()],
    }
    entry = DecodedCache(Path(cache) if cache else default_cache(folder), cache_bytes).entry(
        settings,
        [file.stat for file in files],
        lambda target: _decode_all(parts, form, target),
        expected_bytes=len(files) * int(np.prod(form.shape)),
    )
    train, validation, test = (_read(entry, name, part) for name, part in parts.items())
    return Data(train or (), validation, test, tuple(names))


def _check(
    image_size: tuple[int, int], fractions: dict[str, float], color_mode: str, interpolation: str, cache_bytes: int
) -> None:
    problems = []
    if not (
        isinstance(image_size, tuple | list)
        and len(image_size) == 2
        and all(isinstance(size, int) and size > 0 for size in image_size)
    ):
        problems.append(f"The value of `image_size` is {image_size!r}, but must be (height, width) in pixels.")
    problems += [
        f"The value of `{name}_split` is {value!r}, but must be in [0, 1)."
        for name, value in fractions.items()
        if not (isinstance(value, int | float) and 0 <= value < 1)
    ]
    if not problems and sum(fractions.values()) >= 1:
        problems.append(
            f"The values of `validation_split` and `test_split` are {' and '.join(map(str, fractions.values()))}, but "
            "together they must leave images to train on."
        )
    for name, value, known in (
        ("color_mode", color_mode, list(CHANNELS)),
        ("interpolation", interpolation, list(INTERPOLATIONS)),
    ):
        if value not in known:
            problems.append(f"The value of `{name}` is {value!r}, but must be one of {', '.join(known)}.")
    if not isinstance(cache_bytes, int) or cache_bytes <= 0:
        problems.append(f"The value of `cache_bytes` is {cache_bytes!r}, but must be a number of bytes.")
    if importlib.util.find_spec("PIL") is None:
        problems.append("image_folder needs Pillow: pip install 'tune-jobs[images]', or pip install pillow.")
    if problems:
        raise InvalidData(problems)


def _check_parts(parts: dict[str, list[ImageFile]], fractions: dict[str, float], folder: Path) -> None:
    problems = [
        f"The value of `{name}_split` is {fraction}, but no class of {folder} has enough "
        "images for that: take a larger share."
        for name, fraction in fractions.items()
        if fraction and not parts[name]
    ]
    if problems:
        raise InvalidData(problems)


def _decode_all(parts: dict[str, list[ImageFile]], form: ImageForm, target: Path) -> None:
    broken: list[str] = []
    for name, files in parts.items():
        if not files:
            continue
        _LOG.info("Decoding %d images of %s", len(files), name)
        np.save(target / f"{name}_y.npy", np.array([file.label for file in files], np.int32))
        images = np.lib.format.open_memmap(target / f"{name}_x.npy", "w+", np.uint8, (len(files), *form.shape))
        broken += _decode_into(images, files, form)
        images.flush()
    if broken:
        more = f"and {len(broken) - _MOST_NAMED} more" if len(broken) > _MOST_NAMED else ""
        raise InvalidData([f"The image {line}" for line in broken[:_MOST_NAMED]] + [f"… {more}."] * bool(more))


def _decode_into(images: np.ndarray, files: Sequence[ImageFile], form: ImageForm) -> list[str]:
    """Decode files, some at once, and return the reasons for those that cannot be decoded."""

    def decode(start: int) -> list[str]:
        reasons = []
        for index, file in enumerate(files[start : start + _FILES_AT_ONCE], start):
            try:
                images[index] = form.decode(file.path)
            except Exception as error:  # noqa: BLE001 - Pillow's decoders raise a dozen different ones
                what = str(error).replace(str(file.path), "it").replace(repr(str(file.path)), "it")
                reasons.append(f"{file.path} cannot be decoded: {what.rstrip('.')}.")
        return reasons

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [reason for reasons in pool.map(decode, range(0, len(files), _FILES_AT_ONCE)) for reason in reasons]


def _read(entry: Path, name: str, files: Sequence[ImageFile]) -> tuple[np.ndarray, np.ndarray] | None:
    if not files:
        return None
    return np.load(entry / f"{name}_x.npy", mmap_mode="r"), np.load(entry / f"{name}_y.npy")
