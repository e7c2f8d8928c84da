"""A stranger's files, folders and links in folders that this program touches: they are counted afterwards."""

from __future__ import annotations

from pathlib import Path

# Names like those that this program gives its own files for a while.
_NAMES = (
    "notes.txt",
    ".hidden",
    "tune-jobs-mine",
    ".seen-mine",
    ".fetched-mine",
    ".probe-mine",
    ".epoch-000001.17",
    ".journal.mine.jsonl",
    ".experiment.mine.json",
    "model.tmp",
    "0007.tmp",
    "epoch-1",
    "7",
)


class Strangers:
    """What a stranger has put into folders.

    Args:
        outside: A folder of the stranger, which is made: links lead there.
    """

    def __init__(self, outside: Path) -> None:
        outside.mkdir()
        self._precious = outside
        self._made: dict[Path, str] = {}

    def fill(self, folder: Path, *names: str) -> None:
        """Put files, folders with files, and links to files and folders outside into a folder.

        Args:
            folder: The folder, which exists.
            names: Further names of files to make.
        """
        for index, name in enumerate((*_NAMES, *names)):
            path = folder / name
            kind = index % 3 if name in _NAMES else 0
            if kind == 0:
                path.write_text(f"a stranger's {name}")
            elif kind == 1:
                path.mkdir()
                self._keep(path)
                path /= "within"
                path.write_text(f"a stranger's {name}")
            else:
                target = self._precious / f"{len(self._made)}"
                target.write_text(f"what {path} links to")
                path.symlink_to(target)
                self._keep(target)
            self._keep(path)

    def lost(self) -> list[str]:
        """Return what is no longer there, or has changed."""
        return [f"{path}: {was!r}, now {_seen(path)!r}" for path, was in self._made.items() if _seen(path) != was]

    def beside(self, folder: Path) -> list[str]:
        """Return the names of what others have in a folder."""
        return sorted(path.name for path in folder.iterdir() if path not in self._made)

    def _keep(self, path: Path) -> None:
        self._made[path] = _seen(path)


def _seen(path: Path) -> str:
    try:
        if path.is_symlink():
            return f"link to {path.readlink()}"
        return "folder" if path.is_dir() else path.read_text()
    except OSError as error:
        return str(error)
