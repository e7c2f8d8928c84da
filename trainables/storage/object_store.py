"""A folder of an object store, named by its URI. Whole files are written, read, listed and deleted, nothing else."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

SCHEMES = ("s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs", "file")
"""The schemes of the URIs that pyarrow opens."""

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
# The parts of a URI's query that say where a storage is, and not who may use it.
_PUBLIC = ("region", "scheme", "endpoint_override", "allow_bucket_creation", "default_bucket_location", "enable_tls")
_LONGEST_URI = 200
_LONGEST_REASON = 300


def is_uri(location: object) -> bool:
    """Return whether a location is a URI, and not a path."""
    return isinstance(location, str) and _URI.match(location) is not None


def _parts(uri: str) -> SplitResult:
    """Return the parts of a URI. One that has none (a bracket without the other) has no bucket, which is told later."""
    try:
        return urlsplit(uri)
    except ValueError:
        scheme, _, path = uri.partition("://")
        return SplitResult(scheme, "", f"//{path}", "", "")


def redacted(uri: str) -> str:
    """Return a URI without its credentials, or a path as it is."""
    if not is_uri(uri):
        return uri
    parts = _parts(uri)
    user, _, host = parts.netloc.rpartition("@")
    user = "" if parts.scheme == "s3" else user.partition(":")[0]  # the user of S3 is the name of a key
    query = urlencode([pair for pair in parse_qsl(parts.query) if pair[0] in _PUBLIC], safe=":/")
    return urlunsplit((parts.scheme, f"{user}@{host}" if user else host, parts.path.rstrip("/"), query, ""))


def has_credentials(uri: str) -> bool:
    """Return whether a URI holds credentials."""
    parts = _parts(uri)
    secret = parts.username is not None if parts.scheme == "s3" else parts.password is not None
    return secret or any(name not in _PUBLIC for name, _ in parse_qsl(parts.query))


def uri_problems(uri: str) -> list[str]:
    """Return what is wrong with the URI of a storage, as far as its text shows; empty: nothing."""
    try:
        urlsplit(uri)
    except ValueError as error:
        return [f"The value of `storage` is {redacted(uri)!r}, but must be a URI such as s3://BUCKET/FOLDER: {error}."]
    scheme = uri.partition("://")[0]
    if scheme not in SCHEMES:
        known = ", ".join(f"{known_scheme}://" for known_scheme in SCHEMES)
        return [
            f"The value of `storage` is {redacted(uri)!r}, but {scheme}:// is no kind of storage that is known: name a "
            f"folder, or one of {known}."
        ]
    parts = _parts(uri)
    if not (parts.netloc or scheme == "file") or (scheme == "file" and not parts.path.strip("/")):
        return [f"The value of `storage` is {redacted(uri)!r}, but must name a bucket: {scheme}://BUCKET/FOLDER."]
    if len(redacted(uri)) > _LONGEST_URI:
        return [f"The value of `storage` is {redacted(uri)!r}, but must have at most {_LONGEST_URI} characters."]
    return []


@dataclass(frozen=True)
class ObjectStoreFolder:
    """A folder of an object store. Its text is its URI without credentials.

    All folders of one storage share its connection. A pickled folder holds its URI only.

    Every method raises OSError when the storage refuses, or cannot be reached.

    Attributes:
        root: The URI of the storage; it may hold credentials, so it is never shown.
        below: The path of the folder within the storage.
    """

    root: str = field(repr=False)
    below: str = ""

    @classmethod
    def named(cls, uri: str) -> ObjectStoreFolder:
        """Return the folder that a URI names; its storage is what the folder lies in."""
        parts = _parts(uri)
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
        """The folder that this one lies in, within the storage."""
        return ObjectStoreFolder(self.root, self.below.rpartition("/")[0])

    @property
    def uri(self) -> str:
        """The folder's URI, with the credentials, if there are any."""
        parts = _parts(self.root)
        return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{self.below}".rstrip("/")))

    def write(self, name: str, content: bytes) -> None:
        """Write a file; a file of that name is replaced."""
        with self.writing(name) as file:
            file.write(content)

    @contextmanager
    def writing(self, name: str) -> Iterator[Any]:
        """Open a file for writing. It exists once the context ends; after an error, a part of it may."""
        file = self._output(name)
        yield file
        file.close()

    def send(self, name: str, path: Path) -> int:
        """Write a file from a local one, and return its size in bytes."""
        with path.open("rb") as source, self.writing(name) as file:
            shutil.copyfileobj(source, file)
            return source.tell()

    def read(self, name: str) -> bytes:
        """Return the content of a small file.

        Raises:
            FileNotFoundError: There is no such file.
        """
        with self._files.open_input_stream(self._path(name)) as file:
            return bytes(file.read())

    def bring(self, name: str, path: Path) -> None:
        """Read a file into a local one.

        Raises:
            FileNotFoundError: There is no such file.
        """
        with self._files.open_input_stream(self._path(name)) as source, path.open("wb") as file:
            shutil.copyfileobj(source, file)

    def files(self) -> dict[str, int]:
        """Return the size in bytes of each file in the folder and below, by its path relative to the folder."""
        return {path: info.size for path, info in self._listed(recursive=True) if info.is_file}

    def folders(self) -> list[str]:
        """Return the names of the folders in this one."""
        return sorted(path for path, info in self._listed(recursive=False) if not info.is_file)

    def written_s(self, name: str) -> float | None:
        """Return when a file was written, in seconds since 1970 by the storage's clock; None: there is no such file."""
        info = self._files.get_file_info(self._path(name))
        return info.mtime.timestamp() if info.is_file and info.mtime else None

    def remove(self, name: str) -> None:
        """Delete a file, if there is one."""
        with suppress(FileNotFoundError):
            self._files.delete_file(self._path(name))

    def remove_folder(self, name: str = "") -> None:
        """Delete a folder in this one, or this one, with everything below, if it exists."""
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
        except FileNotFoundError:  # a storage in which folders are more than a part of a name
            self._files.create_dir(path.rpartition("/")[0], recursive=True)
            return self._files.open_output_stream(path)

    def _listed(self, *, recursive: bool) -> Iterator[tuple[str, Any]]:
        from pyarrow.fs import FileSelector

        path = self._path()
        for info in self._files.get_file_info(FileSelector(path, allow_not_found=True, recursive=recursive)):
            yield info.path[len(path) :].strip("/"), info


@lru_cache(maxsize=8)
def _opened(root: str) -> tuple[Any, str]:
    """Return the file system of a URI, and the path of the URI in it."""
    from pyarrow.fs import FileSystem

    try:
        files, path = FileSystem.from_uri(root)
    except (ValueError, ImportError, NotImplementedError) as error:
        raise OSError(str(error).replace(root, redacted(root))) from None
    return files, path


def reason(error: OSError) -> str:
    """Return why a storage refused, on one line. The messages of pyarrow name no credentials."""
    return " ".join((error.strerror or str(error)).split())[:_LONGEST_REASON]
