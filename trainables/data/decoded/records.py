"""Files of records as data: each file is parsed once, and all trials read the same memory-mapped arrays."""

from __future__ import annotations

import hashlib
import inspect
import json
import linecache
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from trainables.data.decoded.cache import CACHE_BYTES, DecodedCache, default_cache
from trainables.data.frames import arrays_of
from trainables.data.invalid import InvalidData
from trainables.data.nested import Arrays, Split, leaves, length

_STRUCTURE = "structure.json"
_MOST_NAMED = 20
_MOST_SOURCE_BYTES = 16 * 2**20


def record_files(
    paths: str | Path | Sequence[str | Path],
    parse: Callable[[Path], Any],
    *,
    version: int | str = 0,
    cache: str | Path | None = None,
    cache_bytes: int = CACHE_BYTES,
) -> Split:
    """Return the records of files, one file after another, as (x, y) or (x, y, sample_weight) for ``Data``.

    Each file is parsed once, some of them at once in threads, and its arrays are written into files that are mapped
    into memory: all records together may take more than the memory has room for. Later runs find them there, unless a
    file was added, removed or changed, or the source text of ``parse`` was.

    Args:
        paths: The files, or a pattern such as ``"records/*.csv"``, whose files are sorted by name.
        parse: Returns the records of a file as arrays (x, y), with an axis of records, in any structure that ``Data``
            takes. Return the smallest type that holds the numbers. A generator yields single records (x, y).
        version: Change it when something that ``parse`` calls has changed.
        cache: The folder of parsed files; None: ``.tune-jobs-cache`` beside the first file if that can be written, else
            the one that the variable TUNE_JOBS_CACHE names, or the user's cache folder.
        cache_bytes: The most that files in that folder may take: the least recently used ones are removed.

    Raises:
        InvalidData: There are no files, some of them cannot be parsed (all are named), or their arrays do not fit
            together.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from trainables import Data, record_files
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("a", "b"):
        ...     np.savetxt(folder / f"{name}.csv", np.arange(6).reshape(2, 3), delimiter=",")
        >>> def parse(path):
        ...     table = np.loadtxt(path, delimiter=",", dtype="float32", ndmin=2)
        ...     return table[:, :2], table[:, 2]
        >>> data = Data(train=record_files(f"{folder}/*.csv", parse))
        >>> data.examples, data.train[0].shape
        ({'train': 4}, (4, 2))
    """
    files = _files(paths)
    stats = [(file.absolute().as_posix(), stat.st_size, stat.st_mtime_ns) for file in files for stat in [file.stat()]]
    settings = {
        "records of": paths if isinstance(paths, str) else [str(file) for file in files],
        "parse": getattr(parse, "__qualname__", type(parse).__name__),
    }
    entry = DecodedCache(Path(cache) if cache else default_cache(files[0].absolute().parent), cache_bytes).entry(
        settings, [*stats, _source(parse), str(version)], lambda target: _parse_all(files, parse, target)
    )
    return _read(entry)


def _files(paths: str | Path | Sequence[str | Path]) -> list[Path]:
    if isinstance(paths, str | Path):
        pattern = Path(paths)
        parts = pattern.parts
        fixed = next((index for index, part in enumerate(parts) if set(part) & set("*?[")), len(parts))
        base = Path(*parts[:fixed])
        files = sorted(base.glob(str(Path(*parts[fixed:])))) if fixed < len(parts) else [base]
        files = [file for file in files if not file.is_dir()] if fixed < len(parts) else files
    else:
        files = [Path(path) for path in paths]
    if not files:
        raise InvalidData([f"No file matches {str(paths)!r}: record_files needs one at least."])
    if missing := [file for file in files if not file.is_file()]:
        raise InvalidData([f"The file of records {file} does not exist." for file in missing[:_MOST_NAMED]])
    return files


def _source(parse: Any) -> str:
    """Return what tells a function from a changed one, as far as it can be known."""
    function = inspect.unwrap(getattr(parse, "func", parse))
    try:
        file = inspect.getsourcefile(function) or ""
        if file not in linecache.cache:  # which has the cells of a notebook
            status = Path(file).stat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_SOURCE_BYTES:
                raise OSError(f"{file} is no source file")  # a module may name a device as its file
        text = inspect.getsource(function)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        text = repr(code and (code.co_code, code.co_consts))
    values = [getattr(function, "__defaults__", None), getattr(parse, "args", ()), getattr(parse, "keywords", {})]
    return hashlib.sha256(f"{text} {values!r}".encode()).hexdigest()


def _parse_all(files: Sequence[Path], parse: Callable[[Path], Any], target: Path) -> None:
    """Parse every file into arrays of its own, and then put them one after another."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(lambda number: _parse_one(number, files[number], parse, target), range(len(files))))
    problems = [outcome for outcome in outcomes if isinstance(outcome, str)]
    if problems:
        more = [f"… and {len(problems) - _MOST_NAMED} more files."] if len(problems) > _MOST_NAMED else []
        raise InvalidData([*problems[:_MOST_NAMED], *more])
    kept = [(file, outcome) for file, outcome in zip(files, outcomes, strict=True) if not isinstance(outcome, str)]
    structures = {json.dumps(_skeleton(structure)) for _, (structure, _) in kept}
    if len(structures) > 1:
        raise InvalidData(
            [f"The files of records have different structures, such as {' and '.join(sorted(structures)[:2])}."]
        )
    structure, leaf_count = kept[0][1]
    for leaf in range(leaf_count):
        _put_together(
            [target / f"{number:06d}-{leaf}.npy" for number in range(len(files))], target / f"{leaf}.npy", files
        )
    (target / _STRUCTURE).write_text(json.dumps(_skeleton(structure)), encoding="utf-8")


def _parse_one(number: int, file: Path, parse: Callable[[Path], Any], target: Path) -> str | tuple[Arrays, int]:
    """Write the arrays of a file; return their structure and number, or why the file cannot be parsed."""
    try:
        parsed = parse(file)
        records = _stacked(parsed) if isinstance(parsed, Iterator) else tuple(map(arrays_of, parsed))
        arrays = list(leaves(records))
        if len(records) not in (2, 3) or not arrays:
            return f"{file}: parse returned {len(records)} parts, but must return (x, y) or (x, y, sample_weight)."
        if wrong := [array for array in arrays if not isinstance(array, np.ndarray) or array.dtype == object]:
            return (
                f"{file}: parse returned a {type(wrong[0]).__name__}, but must return arrays of numbers or of strings."
            )
        if len({len(array) for array in arrays}) > 1:
            return f"{file}: parse returned arrays of {', '.join(str(len(array)) for array in arrays)} records."
        for leaf, array in enumerate(arrays):
            np.save(target / f"{number:06d}-{leaf}.npy", array)
    except Exception as error:  # noqa: BLE001 - a user's parse may raise anything
        return f"{file} cannot be parsed: {type(error).__name__}: {error}"
    return _numbered(records), len(arrays)


def _stacked(records: Iterator[Any]) -> tuple[Arrays, ...]:
    given = list(records)
    if not given:
        raise ValueError("it has no records")
    return tuple(_stack([record[part] for record in given]) for part in range(len(given[0])))


def _stack(values: Sequence[Any]) -> Arrays:
    first = values[0]
    if isinstance(first, Mapping):
        return {name: _stack([value[name] for value in values]) for name in first}
    if isinstance(first, tuple | list):
        return type(first)(_stack([value[index] for value in values]) for index in range(len(first)))
    return np.stack([np.asarray(value) for value in values])


def _put_together(parts: Sequence[Path], whole: Path, files: Sequence[Path]) -> None:
    """Put the arrays of all files one after another, a file at a time, and remove their parts."""
    arrays = [np.load(part, mmap_mode="r") for part in parts]
    forms = [(array.shape[1:], "string" if array.dtype.kind in "US" else str(array.dtype)) for array in arrays]
    if len(set(forms)) > 1:
        odd = next(index for index, form in enumerate(forms) if form != forms[0])
        raise InvalidData(
            [
                f"The records of {files[odd]} have the shape and type {forms[odd]}, but those of {files[0]} "
                f"{forms[0]}: parse must return equal ones for all files."
            ]
        )
    dtype = np.result_type(*arrays)
    shape = (sum(map(len, arrays)), *arrays[0].shape[1:])
    if not shape[0]:
        raise InvalidData(["The files of records have no records."])
    together = np.lib.format.open_memmap(whole, "w+", dtype, shape)
    start = 0
    for array, part in zip(arrays, parts, strict=True):
        together[start : start + len(array)] = array
        start += len(array)
        part.unlink()
    together.flush()


def _numbered(records: Arrays) -> Arrays:
    """Return the structure of arrays with their numbers in place of them."""
    counter = iter(range(10**9))

    def number(part: Arrays) -> Arrays:
        if isinstance(part, Mapping):
            return {name: number(value) for name, value in part.items()}
        if isinstance(part, tuple | list):
            return type(part)(number(value) for value in part)
        return next(counter)

    return number(records)


def _skeleton(structure: Arrays) -> Any:
    if isinstance(structure, Mapping):
        return {"dict": {name: _skeleton(value) for name, value in structure.items()}}
    if isinstance(structure, tuple | list):
        return {type(structure).__name__: [_skeleton(value) for value in structure]}
    return structure


def _read(entry: Path) -> Split:
    def read(part: Any) -> Arrays:
        if isinstance(part, int):
            array = np.load(entry / f"{part}.npy", mmap_mode="r")
            return array if array.dtype.kind not in "US" else np.array(array)
        ((kind, values),) = part.items()
        if kind == "dict":
            return {name: read(value) for name, value in values.items()}
        return tuple(map(read, values)) if kind == "tuple" else list(map(read, values))

    split = read(json.loads((entry / _STRUCTURE).read_text(encoding="utf-8")))
    if length(split) == 0:
        raise InvalidData(["The files of records have no records."])
    return tuple(split)
