"""A folder of an object store, by its URI: whole files are written, read, listed and deleted there, nothing else."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

SCHEMES = ("s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs", "file")
"""What pyarrow opens."""

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
# Parts of a URI's query that say where a storage is, and not who may use it.
_PUBLIC = ("region", "scheme", "endpoint_override", "allow_bucket_creation", "default_bucket_location", "enable_tls")
_LONGEST_URI = 200
_LONGEST_REASON = 300


def is_uri(place: object) -> bool:
    """Whether a place is a URI, and no path."""
    return isinstance(place, str) and _URI.match(place) is not None


def redacted(uri: str) -> str:
    """A URI without credentials; a path stays as it is."""
    if not is_uri(uri):
        return uri
    parts = urlsplit(uri)
    user, _, host = parts.netloc.rpartition("@")
    user = "" if parts.scheme == "s3" else user.partition(":")[0]  # the user of S3 is the name of a key
    query = urlencode([pair for pair in parse_qsl(parts.query) if pair[0] in _PUBLIC], safe=":/")
    return urlunsplit((parts.scheme, f"{user}@{host}" if user else host, parts.path.rstrip("/"), query, ""))


def has_credentials(uri: str) -> bool:
    """Whether a URI says who may use the storage."""
    parts = urlsplit(uri)
    secret = parts.username is not None if parts.scheme == "s3" else parts.password is not None
    return secret or any(name not in _PUBLIC for name, _ in parse_qsl(parts.query))


def uri_problems(uri: str) -> list[str]:
    """What is wrong with the URI of a storage, as far as its text tells."""
    scheme = uri.partition("://")[0]
    if scheme not in SCHEMES:
        known = ", ".join(f"{each}://" for each in SCHEMES)
        return [
            f"The value of `storage` is {redacted(uri)!r}, but {scheme}:// is no kind of storage that is known: name a "
            f"folder, or one of {known}."
        ]
    parts = urlsplit(uri)
    if not (parts.netloc or scheme == "file") or (scheme == "file" and not parts.path.strip("/")):
        return [f"The value of `storage` is {redacted(uri)!r}, but must name a bucket: {scheme}://BUCKET/FOLDER."]
    if len(redacted(uri)) > _LONGEST_URI:
        return [f"The value of `storage` is {redacted(uri)!r}, but must have at most {_LONGEST_URI} characters."]
    return []


@dataclass(frozen=True)
class ObjectStoreFolder:
    """A folder of an object store. Two folders of one storage share its connection; pickled, it is its URI.

    Every method raises OSError when the storage refuses, or cannot be reached.

    Attributes:
        root: The URI of the storage; it may hold credentials, so it is never shown.
        below: The path of the folder within it.
    """

    root: str = field(repr=False)
    below: str = ""

    @classmethod
    def named(cls, uri: str) -> ObjectStoreFolder:
        """What lies in a storage under the last name of a URI."""
        parts = urlsplit(uri)
        above, _, name = parts.path.rstrip("/").rpartition("/")
        return cls(urlunsplit(parts._replace(path=above)), name)

    def __truediv__(self, name: str) -> ObjectStoreFolder:
        return ObjectStoreFolder(self.root, f"{self.below}/{name}".strip("/"))

    def __str__(self) -> str:
        return redacted(self.uri)

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.below.rpartition("/")[2]

    @property
    def parent(self) -> ObjectStoreFolder:
        """The folder that it lies in, within the storage."""
        return ObjectStoreFolder(self.root, self.below.rpartition("/")[0])

    @property
    def uri(self) -> str:
        """Its URI, with the credentials, if there are any."""
        parts = urlsplit(self.root)
        return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{self.below}".rstrip("/")))

    def write(self, name: str, content: bytes) -> None:
        """Writes a file; one that is there already is replaced."""
        with self.writing(name) as file:
            file.write(content)

    @contextmanager
    def writing(self, name: str) -> Iterator[Any]:
        """A file to write to, which is there when this is over; after an error, some of it may be."""
        file = self._output(name)
        yield file
        file.close()

    def send(self, name: str, path: Path) -> int:
        """Writes a file from a local one; returns its size."""
        with path.open("rb") as source, self.writing(name) as file:
            shutil.copyfileobj(source, file)
            return source.tell()

    def read(self, name: str) -> bytes:
        """What is in a small file.

        Raises:
            FileNotFoundError: There is none.
        """
        with self._files.open_input_stream(self._path(name)) as file:
            return bytes(file.read())

    def bring(self, name: str, path: Path) -> None:
        """Writes a file of it into a local one."""
        with self._files.open_input_stream(self._path(name)) as source, path.open("wb") as file:
            shutil.copyfileobj(source, file)

    def files(self) -> dict[str, int]:
        """All files in it and below, by their paths in it, with their sizes."""
        return {path: info.size for path, info in self._listed(recursive=True) if info.is_file}

    def folders(self) -> list[str]:
        """The names of the folders in it."""
        return sorted(path for path, info in self._listed(recursive=False) if not info.is_file)

    def written_s(self, name: str) -> float | None:
        """When a file was written, by the storage's clock, in seconds since 1970; None: there is none."""
        info = self._files.get_file_info(self._path(name))
        return info.mtime.timestamp() if info.is_file and info.mtime else None

    def remove(self, name: str) -> None:
        """Deletes a file, if it is there."""
        with suppress(FileNotFoundError):
            self._files.delete_file(self._path(name))

    def remove_folder(self, name: str = "") -> None:
        """Deletes a folder in it, or it, with all that is below, if it is there."""
        with suppress(FileNotFoundError):
            self._files.delete_dir(self._path(name))

    @property
    def _files(self) -> Any:
        return _opened(self.root)[0]

    def _path(self, name: str = "") -> str:
        return "/".join(part for part in (_opened(self.root)[1].rstrip("/"), self.below, name) if part)

    def _output(self, name: str) -> Any:
        path = self._path(name)
        try:
            return self._files.open_output_stream(path)
        except FileNotFoundError:  # where folders are more than a part of a name
            self._files.create_dir(path.rpartition("/")[0], recursive=True)
            return self._files.open_output_stream(path)

    def _listed(self, *, recursive: bool) -> Iterator[tuple[str, Any]]:
        from pyarrow.fs import FileSelector

        path = self._path()
        for info in self._files.get_file_info(FileSelector(path, allow_not_found=True, recursive=recursive)):
            yield info.path[len(path) :].strip("/"), info


@lru_cache(maxsize=8)
def _opened(root: str) -> tuple[Any, str]:
    """The file system of a URI, and its path there."""
    from pyarrow.fs import FileSystem

    try:
        files, path = FileSystem.from_uri(root)
    except (ValueError, ImportError, NotImplementedError) as error:
        raise OSError(str(error).replace(root, redacted(root))) from None
    return files, path


def reason(error: OSError) -> str:
    """Why a storage refused, on one line. pyarrow's messages name no credentials."""
    return " ".join((error.strerror or str(error)).split())[:_LONGEST_REASON]
