"""Checkpoints in an object store: seen when they are whole, two of a trial, and no word of who may write them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.storage.background_writer import BackgroundWriter, Pending
from trainables.storage.checkpoint import CheckpointError, DiskCheckpoints, Snapshot, numbered
from trainables.storage.object_store import ObjectStoreFolder, has_credentials, is_uri, redacted, uri_problems
from trainables.storage.object_store_checkpoints import ObjectStoreCheckpoints
from trainables.storage.retry import DELAYS_S
from trainables.storage.store import checkpoint_store, require


def snapshot(epoch: int) -> Snapshot:
    return Snapshot({"epoch": epoch}, numbered("model", [np.full(3, epoch)]))


@pytest.fixture
def folder(tmp_path: Path) -> ObjectStoreFolder:
    return ObjectStoreFolder(tmp_path.as_uri(), "run/trials/0007")


def test_the_newest_two_are_kept_and_the_newest_is_read(folder: ObjectStoreFolder, tmp_path: Path) -> None:
    assert ObjectStoreCheckpoints(folder).newest() is None
    for epoch in (1, 3, 9):
        ObjectStoreCheckpoints(folder).save(snapshot(epoch))
    assert ObjectStoreCheckpoints(folder).names() == ["epoch-000009", "epoch-000003"]
    found = ObjectStoreCheckpoints(folder).newest()
    assert found is not None
    assert found.state == {"epoch": 9}
    np.testing.assert_array_equal(found.group("model")[0], np.full(3, 9))
    on_disk = DiskCheckpoints(tmp_path / "run" / "trials" / "0007").newest()  # the same files
    assert on_disk is not None
    assert on_disk.state == found.state


def test_a_torn_upload_is_never_read(folder: ObjectStoreFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    ObjectStoreCheckpoints(folder).save(snapshot(3))

    def cut(self: ObjectStoreFolder, name: str, content: bytes) -> None:
        raise OSError("the line is cut")

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStoreFolder, "write", cut)
        for epoch in (6, 3):  # a new one, and the one that is there once more
            with pytest.raises(OSError, match="the line is cut"):
                ObjectStoreCheckpoints(folder).save(snapshot(epoch))
            assert f"epoch-00000{epoch}/arrays.npz" in folder.files()
    assert ObjectStoreCheckpoints(folder).newest() is None
    ObjectStoreCheckpoints(folder).save(snapshot(9))
    assert {name.split("/")[0] for name in folder.files()} == {"epoch-000009"}


def test_a_damaged_one_is_passed_over_and_named_without_credentials(folder: ObjectStoreFolder) -> None:
    for epoch in (3, 9):
        ObjectStoreCheckpoints(folder).save(snapshot(epoch))
    folder.write("epoch-000009/arrays.npz", b"PK")
    skipped: list[CheckpointError] = []
    found = ObjectStoreCheckpoints(folder).newest(skipped.append)
    assert found is not None
    assert found.state == {"epoch": 3}
    assert f"{folder}/epoch-000009" in str(skipped[0])


def test_a_storage_that_is_away_is_not_one_without_checkpoints(
    folder: ObjectStoreFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: ObjectStoreFolder, *, recursive: bool) -> None:
        raise OSError("curlCode: 7, Could not connect to server")

    waited: list[float] = []
    monkeypatch.setattr(ObjectStoreFolder, "_listed", away)
    with pytest.raises(OSError, match="Could not connect"):
        ObjectStoreCheckpoints(folder, waited.append).newest()
    with pytest.raises(OSError, match=r"The node .* cannot read file:.*0007 \(curlCode: 7"):
        require(folder.uri, waited.append)
    assert tuple(waited) == 2 * DELAYS_S


def test_the_writer_writes_there_and_removal_leaves_what_is_not_weights(
    folder: ObjectStoreFolder, tmp_path: Path
) -> None:
    writer = BackgroundWriter()
    writer.write(Pending(7, checkpoint_store(f"{tmp_path.as_uri()}/run/trials", 7), snapshot(4), '{"a": 1}'))
    writer.wait()
    assert writer.take_notes() == []
    assert sorted(folder.files()) == ["epoch-000004/arrays.npz", "epoch-000004/state.json", "model.json"]
    folder.write("error.txt", b"why")
    ObjectStoreCheckpoints(folder).remove()
    assert list(folder.files()) == ["error.txt"]


SECRETS = st.text("abcXYZ019%+", min_size=12, max_size=30)


@given(SECRETS, SECRETS, st.sampled_from(["", "/runs", "/a/b/"]), st.sampled_from(["", "?region=x", "?scheme=http"]))
def test_no_secret_of_a_uri_is_shown(key: str, secret: str, path: str, query: str) -> None:
    for uri in (
        f"s3://{key}:{secret}@bucket{path}{query}",
        f"abfs://container:{secret}@account.dfs.core.windows.net{path}{query}",
        f"gs://bucket{path}{query}{'&' if query else '?'}access_token={secret}",
    ):
        run = ObjectStoreFolder(uri, "first")
        assert secret not in f"{redacted(uri)}{run}{run!r}"
        assert uri.startswith("s3") <= (key not in f"{redacted(uri)}{run}{run!r}")
        assert has_credentials(uri)
        assert not has_credentials(redacted(uri))
        assert redacted(redacted(uri)) == redacted(uri)
        assert secret in run.uri
        assert ObjectStoreFolder.named(run.uri) == ObjectStoreFolder(ObjectStoreFolder.named(run.uri).root, "first")
        assert urlsplit(run.uri).path == f"{path.rstrip('/')}/first"
        assert uri_problems(uri) == []


def test_what_is_a_uri_and_which_are_refused() -> None:
    assert [is_uri(place) for place in ("s3://b", "runs", "/a://b", "C:\\runs", Path("s3://b"))] == [True, *[False] * 4]
    assert redacted("runs/a?b") == "runs/a?b"
    for uri, rule in (
        ("ftp://host/x", "ftp:// is no kind"),
        ("s3:///x", "must name a bucket"),
        ("s3://b/" + "x" * 300, "200"),
    ):
        (problem,) = uri_problems(uri)
        assert rule in problem


@pytest.mark.parametrize("uri", ["s3://[", "gs://[a", "s3://]", "file://[", "s3://[::1/x"])
def test_a_bracket_without_the_other(uri: str) -> None:
    assert is_uri(uri)
    assert uri_problems(uri)
    assert not has_credentials(uri)
    assert redacted(uri).startswith(uri.partition("[")[0].partition("]")[0])
    assert str(ObjectStoreFolder.named(uri))
