"""A parcel: folders of runs as text that a job prints. Only the output of a job can be fetched from every cluster.

It is a zip archive in base64 between two lines. The first line has its checksum.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

MOST_PACKED_BYTES = 192 * 2**20
MOST_UNPACKED_BYTES = 2**30
MOST_FILES = 100_000
_FIRST, _LAST = "-----BEGIN TUNE-JOBS PARCEL 1-----", "-----END TUNE-JOBS PARCEL-----"
_TEXT = re.compile(re.escape(_FIRST) + r" ([0-9a-f]{64})\s([A-Za-z0-9+/=\s]*)" + re.escape(_LAST))
_LINE_BYTES = 3 * 2**10
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")
_MOST_PARTS = 6
_ENTRY = b"PK\x01\x02"


class ParcelError(ValueError):
    """The error of a parcel that is damaged, holds a forbidden file, or would be too large."""


def pack(files: Mapping[str, bytes]) -> str:
    """Return files as the text of a parcel.

    Args:
        files: The content of each file by its path within the storage.

    Raises:
        ParcelError: They are more than a parcel may hold.
    """
    check_size(files)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    packed = content.getvalue()
    if len(packed) > MOST_PACKED_BYTES:
        raise _too_much(f"{len(packed) / 2**20:.0f} MiB when packed")
    lines = (base64.b64encode(packed[at : at + _LINE_BYTES]).decode() for at in range(0, len(packed), _LINE_BYTES))
    return "\n".join([f"{_FIRST} {hashlib.sha256(packed).hexdigest()}", *lines, _LAST, ""])


def check_size(files: Mapping[str, bytes]) -> None:
    """Check the size of files before they are packed.

    Args:
        files: The content of each file by its path within the storage.

    Raises:
        ParcelError: They are more than a parcel may hold.
    """
    size = sum(map(len, files.values()))
    if size > MOST_UNPACKED_BYTES or len(files) > MOST_FILES:
        raise _too_much(f"{size / 2**20:.0f} MiB in {len(files)} files")


def _too_much(size: str) -> ParcelError:
    return ParcelError(
        f"The files to fetch are {size}, but may be at most {MOST_PACKED_BYTES // 2**20} MiB packed, "
        f"{MOST_UNPACKED_BYTES // 2**20} MiB unpacked and {MOST_FILES} files: fetch without --models, and copy the "
        "checkpoints from the nodes' disk by other means."
    )


def packed_in(text: str) -> bytes:
    """Return the archive in a job's output.

    Args:
        text: The output.

    Raises:
        ParcelError: There is none, or it is damaged.
    """
    parcel = _TEXT.search(text)
    if parcel is None:
        raise ParcelError("the job printed no whole parcel")
    checksum, content = parcel.groups()
    if len(content) > MOST_PACKED_BYTES * 3 // 2:
        raise ParcelError(f"it is larger than {MOST_PACKED_BYTES // 2**20} MiB")
    try:
        packed = base64.b64decode(content)
    except binascii.Error as error:
        raise ParcelError("it is not base64") from error
    if hashlib.sha256(packed).hexdigest() != checksum:
        raise ParcelError("its checksum is not that of its content")
    return packed


def unpack(packed: bytes, folder: Path, tops: re.Pattern[str]) -> None:
    """Write the files of an archive below a folder: plain files with plain names, nothing else.

    Args:
        packed: The archive. Its maker may be hostile.
        folder: An empty folder.
        tops: A pattern for the names of the topmost folders in it.

    Raises:
        ParcelError: It is damaged, or holds what no parcel may hold. Some of it may have been written.
    """
    if packed.count(_ENTRY) > MOST_FILES:
        raise ParcelError(f"it holds more than {MOST_FILES} files")
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            members = archive.infolist()
            _check(members, tops)
            for member in members:
                path = folder / member.filename
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as file:
                    file.writelines(_content(archive, member))
    except ParcelError:
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError) as error:
        raise ParcelError(f"it is damaged ({error})") from error


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as file:
        while block := file.read(2**20):  # never more than its size says in all
            yield block


def _check(members: Sequence[zipfile.ZipInfo], tops: re.Pattern[str]) -> None:
    if sum(member.file_size for member in members) > MOST_UNPACKED_BYTES:
        raise ParcelError(f"it unpacks to more than {MOST_UNPACKED_BYTES // 2**20} MiB")
    names = [member.filename for member in members]
    for name in names:
        parts = name.split("/")
        is_plain = 2 <= len(parts) <= _MOST_PARTS and all(map(_PART.fullmatch, parts))
        if not is_plain or not tops.fullmatch(parts[0]):
            raise ParcelError(f"it holds a file named {name[:200]!r}")
    folders = {name[: slash.start()] for name in names for slash in re.finditer("/", name)}
    if len(set(names)) < len(names) or folders & set(names):
        raise ParcelError("it holds two files of one name")
