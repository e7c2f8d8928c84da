"""What the integration tests share."""

from __future__ import annotations

import shutil
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.child_process import LAB, PARTS


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside the repository with an experiment file and a module beside it."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "signs.py").write_text(textwrap.dedent(LAB))
    (folder / "uncompiled.py").write_text(textwrap.dedent(LAB.replace("COMPILED = True", "COMPILED = False")))
    (folder / "misnamed.py").write_text(textwrap.dedent(LAB.replace("val_accuracy", "val_acc")))
    (folder / "parts.py").write_text(PARTS)
    return folder


@pytest.fixture
def ray_folder() -> Iterator[Path]:
    """Where the child's Ray lives, so that its processes can be told from all others."""
    folder = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
