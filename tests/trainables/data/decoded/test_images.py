"""A folder of images: what is decoded, how it is divided, and what is said about what cannot be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from trainables import InvalidData, image_folder
from trainables.data.decoded.cache import CACHE_NAME, MARKER

SIZE = (12, 16)


def picture(path: Path, value: int = 0, size: tuple[int, int] = SIZE, mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = size
    Image.new(mode, (width, height), value if mode == "L" else (value, value, value)).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten images of each of two classes, each in one colour that says which it is."""
    for label, name in enumerate(("cat", "dog")):
        for number in range(10):
            picture(tmp_path / "pets" / name / f"{number}.png", 100 * label + number)
    return tmp_path / "pets"


def colours(split: Any) -> list[int]:
    return [int(image[0, 0, 0]) for image in split[0]]


def test_images_are_bytes_in_a_mapped_file_and_labels_are_those_of_their_folders(folder: Path) -> None:
    data = image_folder(folder, SIZE)
    x, y = data.train
    assert (x.shape, x.dtype, y.dtype) == ((20, *SIZE, 3), np.uint8, np.int32)
    assert isinstance(x, np.memmap)
    assert x.ctypes.data % 64 == 0  # TensorFlow takes only aligned memory without a copy
    assert data.class_names == ("cat", "dog")
    assert [colour // 100 for colour in colours(data.train)] == y.tolist()
    assert sorted(colours(data.train)) == [*range(10), *range(100, 110)]


def test_each_class_is_divided_alike_and_nothing_is_in_two_splits(folder: Path) -> None:
    data = image_folder(folder, SIZE, validation_split=0.2, test_split=0.1, seed=3)
    assert data.examples == {"train": 14, "validation": 4, "test": 2}
    splits = [data.train, data.validation, data.test]
    assert sorted(colour for split in splits for colour in colours(split)) == [*range(10), *range(100, 110)]
    assert [np.bincount(split[1]).tolist() for split in splits] == [[7, 7], [2, 2], [1, 1]]
    again = image_folder(folder, SIZE, validation_split=0.2, test_split=0.1, seed=3)
    other = image_folder(folder, SIZE, validation_split=0.2, test_split=0.1, seed=4)
    assert colours(again.validation) == colours(data.validation)
    assert colours(other.validation) != colours(data.validation)


def test_other_sizes_and_colours(tmp_path: Path) -> None:
    wide = np.zeros((10, 40, 3), np.uint8)
    wide[:, 15:25] = 200  # the middle
    (tmp_path / "a").mkdir()
    Image.fromarray(wide).save(tmp_path / "a" / "wide.png")
    squeezed, _ = image_folder(tmp_path, (10, 10)).train
    cropped, _ = image_folder(tmp_path, (10, 10), crop_to_aspect_ratio=True).train
    grey, _ = image_folder(tmp_path, (10, 40), color_mode="grayscale").train
    clear, _ = image_folder(tmp_path, (10, 40), color_mode="rgba").train
    assert 0 < squeezed.mean() < 100
    assert (cropped == 200).all()
    assert (grey.shape, clear.shape) == ((1, 10, 40, 1), (1, 10, 40, 4))
    np.testing.assert_array_equal(grey[0, :, :, 0], wide[:, :, 0])


def test_the_kinds_of_files_and_folders_in_folders(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "x.JPG", 50)
    picture(tmp_path / "a" / "deeper" / "x.bmp", 50)
    picture(tmp_path / "a" / "grey.png", 50, mode="L")
    picture(tmp_path / "a" / ".hidden.png", 99)
    picture(tmp_path / ".thumbnails" / "x.png", 99)
    sixteen = np.full(SIZE, 50 * 256, np.uint16)
    Image.fromarray(sixteen).save(tmp_path / "a" / "sixteen.png")
    (tmp_path / "a" / "notes.txt").write_text("no image")
    x, _ = image_folder(tmp_path, SIZE).train
    assert len(x) == 4
    assert (np.abs(x.astype(int) - 50) <= 1).all()


def test_it_is_what_keras_reads(folder: Path) -> None:
    import keras

    x, y = image_folder(folder, SIZE).train
    theirs = keras.utils.image_dataset_from_directory(folder, image_size=SIZE, batch_size=None, shuffle=False)
    images, labels = zip(*theirs.as_numpy_iterator(), strict=True)
    np.testing.assert_array_equal(x, np.stack(images).astype(np.uint8))
    np.testing.assert_array_equal(y, labels)


def test_classes_in_an_order_of_ones_own(folder: Path) -> None:
    data = image_folder(folder, SIZE, class_names=["dog", "cat"])
    assert [colour < 100 for colour in colours(data.train)] == data.train[1].astype(bool).tolist()
    assert image_folder(folder, SIZE, class_names=["dog"]).examples == {"train": 10}


def test_a_file_is_decoded_once_until_it_changes(folder: Path) -> None:
    def made() -> list[int]:
        return [path.stat().st_ino for path in (folder / CACHE_NAME).glob("*/train_x.npy")]

    image_folder(folder, SIZE)
    first = made()
    image_folder(folder, SIZE)
    assert made() == first
    picture(folder / "cat" / "0.png", 77)
    os.utime(folder / "cat" / "0.png", (1, 1))
    assert 77 in colours(image_folder(folder, SIZE).train)
    (folder / "dog" / "9.png").unlink()
    assert image_folder(folder, SIZE).examples == {"train": 19}


def test_a_cache_that_was_damaged_is_made_anew(folder: Path, tmp_path: Path) -> None:
    before = colours(image_folder(folder, SIZE, cache=tmp_path / "cache").train)
    (entry,) = (tmp_path / "cache").iterdir()
    os.truncate(entry / "train_x.npy", 100)
    assert colours(image_folder(folder, SIZE, cache=tmp_path / "cache").train) == before


def test_all_broken_images_are_named_at_once_and_nothing_is_left(folder: Path) -> None:
    (folder / "cat" / "3.png").write_bytes(b"no image")
    whole = (folder / "dog" / "4.png").read_bytes()
    (folder / "dog" / "4.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidData) as caught:
        image_folder(folder, SIZE, validation_split=0.2)
    assert len(caught.value.problems) == 2
    assert {name for name in ("cat/3.png", "dog/4.png") if name in str(caught.value)} == {"cat/3.png", "dog/4.png"}
    assert all(problem.endswith(".") and "cannot be decoded" in problem for problem in caught.value.problems)
    assert list((folder / CACHE_NAME).iterdir()) == []


def test_of_many_broken_images_some_are_named_and_all_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for number in range(30):
        (tmp_path / "a" / f"{number}.jpg").write_bytes(b"")
    with pytest.raises(InvalidData) as caught:
        image_folder(tmp_path, SIZE)
    assert len(caught.value.problems) == 21
    assert "10 more" in caught.value.problems[-1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image_size": 96}, "`image_size` is 96"),
        ({"image_size": (0, 5)}, "(height, width)"),
        ({"validation_split": 1.5}, "`validation_split` is 1.5"),
        ({"validation_split": 0.6, "test_split": 0.5}, "must leave images to train on"),
        ({"color_mode": "bgr"}, "`color_mode` is 'bgr'"),
        ({"interpolation": "sharp"}, "`interpolation` is 'sharp'"),
        ({"class_names": ["cat", "cow"]}, "The class 'cow' has no folder"),
        ({"test_split": 0.01}, "`test_split` is 0.01"),
        ({"cache_bytes": 100}, "may have 100"),
    ],
)
def test_mistakes_are_told_in_words(folder: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidData) as caught:
        image_folder(folder, **{"image_size": SIZE, **options})
    assert words in str(caught.value)


def test_all_wrong_arguments_are_told_at_once(folder: Path) -> None:
    with pytest.raises(InvalidData) as caught:
        image_folder(folder, (1,), color_mode="x", interpolation="y", test_split=-1)  # type: ignore[arg-type]
    assert len(caught.value.problems) == 4


def test_folders_without_classes_or_images(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="does not exist"):
        image_folder(tmp_path / "nowhere", SIZE)
    with pytest.raises(InvalidData, match="each class"):
        image_folder(tmp_path, SIZE)
    (tmp_path / "empty").mkdir()
    picture(tmp_path / "full" / "a.png")
    with pytest.raises(InvalidData, match="'empty' has no images"):
        image_folder(tmp_path, SIZE)


def test_a_folder_that_cannot_be_written_has_its_cache_elsewhere(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder)
    monkeypatch.setenv("TUNE_JOBS_CACHE", str(tmp_path / "mine"))
    image_folder(folder, SIZE)
    assert [path.name for path in (tmp_path / "mine").glob(f"*/{MARKER}")] == [MARKER]
    assert not (folder / CACHE_NAME).exists()
