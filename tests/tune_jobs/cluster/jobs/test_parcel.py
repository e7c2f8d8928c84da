"""A parcel brings what was packed, whole, and nothing that its maker may have meant beside it."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tune_jobs.cluster.jobs import parcel
from tune_jobs.cluster.jobs.parcel import ParcelError, pack, packed_in, unpack

TOPS = re.compile("one(-[0-9]{1,6})?")
PARTS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,9}", fullmatch=True)
NAMES = st.builds(lambda depth, last: "/".join(["one", *depth, f"{last}.x"]), st.lists(PARTS, max_size=2), PARTS)


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@given(st.dictionaries(NAMES, st.binary(max_size=5000), max_size=8))
def test_the_files_that_are_packed_come_out(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    folders = {name.rpartition("/")[0] for name in files}
    if any(name == folder or folder.startswith(f"{name}/") for name in files for folder in folders):
        return
    folder = tmp_path_factory.mktemp("out")
    log = f"2026 INFO Runtime env is setting up.\nRunning entrypoint …\n\n{pack(files)}more\n"
    unpack(packed_in(log), folder, TOPS)
    assert files_below(folder) == files


@given(st.data())
def test_a_damaged_parcel_is_not_taken(data: st.DataObject) -> None:
    text = pack({"one/journal.jsonl": b"{}\n" * 50})
    at = data.draw(st.integers(text.index(" 1-----") + 9, text.index("-----END") - 2))
    other = data.draw(st.sampled_from("0aA+/=\n"))
    changed = text[:at] + other + text[at + 1 :]
    if "".join(changed.split()) != "".join(text.split()):
        with pytest.raises(ParcelError):
            packed_in(changed)
    with pytest.raises(ParcelError):
        packed_in(text[:at])


def test_a_log_without_a_parcel_is_told() -> None:
    with pytest.raises(ParcelError, match="no whole parcel"):
        packed_in("Error: there is no run\n")


def archive(*members: tuple[str | zipfile.ZipInfo, bytes], **options: Any) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, **options) as made:
        for name, data in members:
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
            made.writestr(info, data, zipfile.ZIP_DEFLATED)
    return content.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../one/x",
        "one/../../x",
        "one/./x",
        "one//x",
        "one/",
        "one",
        "two/x",
        "one-x/x",
        "one/.hidden",
        "one/..",
        "one/a\\..\\b",
        "one/C:x",
        "one/x\n",
        "one/\x1b[31m",
        "one/ü",
        "one/" + "a/" * 10 + "x",
        "one/" + "a" * 300,
        "",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(ParcelError):
        unpack(archive(("one/fine", b"1"), (name, b"2")), tmp_path / "out", TOPS)
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("one/x", "one/x"), ("one/x", "one/x/y"), ("one/x/y", "one/x")])
def test_two_files_of_one_name_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    with pytest.raises(ParcelError, match="two files of one name"):
        unpack(archive(*((name, b"1") for name in names)), tmp_path / "out", TOPS)


def test_a_link_is_written_as_the_plain_file_that_its_text_is(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("one/link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    unpack(archive((link, b"/etc/passwd")), tmp_path, TOPS)
    assert not (tmp_path / "one" / "link").is_symlink()
    assert (tmp_path / "one" / "link").read_bytes() == b"/etc/passwd"


def test_a_few_bytes_that_unpack_to_very_many_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "MOST_UNPACKED_BYTES", 10**6)
    bomb = archive(*((f"one/{index}", b"\0" * 10**5) for index in range(11)))
    assert len(bomb) < 10_000
    with pytest.raises(ParcelError, match="unpacks to more than"):
        unpack(bomb, tmp_path / "out", TOPS)
    assert not (tmp_path / "out").exists()


def test_a_size_that_lies_brings_no_more_than_it_says(tmp_path: Path) -> None:
    packed = bytearray(archive(("one/x", b"\0" * 10**6)))
    at = packed.rindex(b"PK\x01\x02") + 24
    packed[at : at + 4] = (1000).to_bytes(4, "little")
    with pytest.raises(ParcelError, match="damaged"):
        unpack(bytes(packed), tmp_path, TOPS)
    assert sum(map(len, files_below(tmp_path).values())) <= 1000


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "MOST_FILES", 3)
    members = [(f"one/{index}", b"") for index in range(4)]
    with pytest.raises(ParcelError, match="more than 3 files"):
        unpack(archive(*members), tmp_path, TOPS)
    with pytest.raises(ParcelError, match="in 4 files"):
        pack(dict(members))


def test_too_much_is_not_packed_and_the_remedy_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "MOST_PACKED_BYTES", 1000)
    with pytest.raises(ParcelError, match="fetch without --models"):
        pack({"one/x": hashlib.shake_128(b"noise").digest(2000)})


@given(st.binary(max_size=200))
def test_content_that_is_no_archive_is_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    with pytest.raises(ParcelError):
        unpack(content, tmp_path_factory.mktemp("out"), TOPS)


def test_any_damage_within_an_archive_is_told_alike(tmp_path: Path) -> None:
    whole = archive(("one/x", b"some text " * 50), ("one/y", b"other"))
    for at in range(len(whole)):
        broken = bytearray(whole)
        broken[at] ^= 0xFF
        folder = tmp_path / str(at)
        folder.mkdir()
        try:
            unpack(bytes(broken), folder, TOPS)
        except ParcelError:
            continue
        assert set(files_below(folder)) <= {"one/x", "one/y"}


def test_a_checksum_that_fits_makes_nobody_trusted(tmp_path: Path) -> None:
    hostile = archive(("../x", b"1"))
    first = " ".join([*pack({}).splitlines()[0].split(" ")[:-1], hashlib.sha256(hostile).hexdigest()])
    text = f"{first}\n{base64.b64encode(hostile).decode()}\n-----END TUNE-JOBS PARCEL-----\n"
    with pytest.raises(ParcelError, match="a file named"):
        unpack(packed_in(text), tmp_path / "out", TOPS)
