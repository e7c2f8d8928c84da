"""What all tests share: how a failed property test is repeated, and the rule by which tests are called slow."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.examples import TIMES, USUAL
from tests.support.shared_ray import SharedRay
from tests.support.shared_ray import shared_ray as kept_warm

# A failure prints the line that repeats its example: `@reproduce_failure(…)`. There is no deadline: on a machine with
# other work an example may take any time.
settings.register_profile("tune_jobs", print_blob=True, deadline=None, max_examples=USUAL * TIMES)
settings.load_profile("tune_jobs")

MANY_OBJECTS = 100_000  # to walk over them takes a hundredth of a second; TensorFlow and PyTorch make a million


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the secret by which runs are marked as begun here out of the developer's home."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    yield
    os.environ.pop("XDG_STATE_HOME")
    if before is not None:
        os.environ["XDG_STATE_HOME"] = before


@pytest.fixture(scope="module", autouse=True)
def what_lasts_is_frozen() -> None:
    """Let the garbage collector pass over what was imported: each end of a trial calls it, and it would see it all."""
    if len(gc.get_objects()) > MANY_OBJECTS:
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session")
def shared_ray() -> Iterator[SharedRay]:
    """The Ray that tests share. It is started for the first of them."""
    with kept_warm() as ray:
        yield ray


@pytest.fixture
def warm(shared_ray: SharedRay, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the runs of a test use the Ray that tests share: for tests that do not mind whose Ray it is."""
    shared_ray.set(monkeypatch)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Raise an error for a slow test that is not marked integration: `make test` would run it beside the quick ones."""
    for item in items:
        if item.get_closest_marker("slow") is not None and item.get_closest_marker("integration") is None:
            raise pytest.UsageError(f"{item.nodeid} is marked slow, but must be marked integration as well.")
