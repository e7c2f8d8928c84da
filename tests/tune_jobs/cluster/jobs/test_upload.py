"""The files of a folder that would be sent are those that Ray sends, and no more than it takes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tune_jobs.cluster.jobs.upload import LEFT_OUT, MOST_BYTES, Contents, File, contents, upload_notes, upload_problems
from tune_jobs.errors import RequestError


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    make(
        tmp_path,
        *("signs.py", "lib/parts.py", "lib/runs/kept.py", "data/large.npz", "notes/draft.md"),
        *(".git/objects/ab", ".venv/lib/x.py", "runs/one/journal.jsonl", "lib/__pycache__/parts.pyc"),
    )
    (tmp_path / ".gitignore").write_text("data/\n")
    (tmp_path / "notes" / ".rayignore").write_text("*.md\n")
    return tmp_path


def test_the_files_are_those_that_ray_packs(lab: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    from ray._private.ray_constants import get_runtime_env_default_excludes
    from ray._private.runtime_env.packaging import create_package

    package = tmp_path_factory.mktemp("package") / "package.zip"
    excludes = [*get_runtime_env_default_excludes(), *LEFT_OUT]
    create_package(str(lab), package, include_gitignore=True, excludes=excludes)
    files = contents(lab).files
    with zipfile.ZipFile(package) as archive:
        packed = {member.filename: member.file_size for member in archive.infolist() if not member.is_dir()}
    assert {file.path: file.size_bytes for file in files} == packed
    assert set(packed) == {"signs.py", "lib/parts.py", "lib/runs/kept.py", ".gitignore", "notes/.rayignore"}


def test_a_working_dir_that_is_no_folder_is_told(lab: Path) -> None:
    with pytest.raises(RequestError, match=r"--working-dir is .*signs.py, but must be a folder"):
        contents(lab / "signs.py")


def test_a_folder_with_its_experiment_is_sent(lab: Path) -> None:
    assert upload_problems(lab, contents(lab), lab / "signs.py") == []
    assert upload_problems(lab, contents(lab), None) == []


def test_an_experiment_outside_the_folder_is_told(lab: Path) -> None:
    [problem] = upload_problems(lab / "lib", contents(lab / "lib"), lab / "signs.py")
    assert "does not lie in the folder" in problem
    assert f"--working-dir '{lab}'" in problem


def test_an_experiment_that_would_be_left_out_is_told(lab: Path) -> None:
    make(lab, "data/mine.py")
    [problem] = upload_problems(lab, contents(lab), lab / "data" / "mine.py")
    assert ".gitignore or .rayignore names it" in problem


def test_too_much_is_told_with_the_five_largest_entries(lab: Path) -> None:
    sizes = {f"d{index}/x": index * 2**20 for index in range(1, 8)} | {"d7/y": 80 * 2**20, "signs.py": 10}
    files = [File(path, size) for path, size in sizes.items()]
    [problem] = upload_problems(lab, Contents(files), lab / "signs.py")
    assert "is 108 MiB in 9 files, but Ray takes at most 100 MiB" in problem
    assert "Largest: d7/ 87 MiB, d6/ 6 MiB, d5/ 5 MiB, d4/ 4 MiB, d3/ 3 MiB. " in problem
    assert ".rayignore" in problem


@pytest.mark.parametrize(("size", "fits"), [(MOST_BYTES - 1000, True), (MOST_BYTES, False)])
def test_the_bytes_that_the_archive_adds_count(lab: Path, size: int, fits: bool) -> None:
    assert (upload_problems(lab, Contents([File("x", size)]), None) == []) is fits


def test_many_small_files_count_by_their_names_too(lab: Path) -> None:
    files = [File(f"{index:0100d}", 0) for index in range(300_000)]
    assert upload_problems(lab, Contents(files), None)


def test_a_count_stops_where_it_takes_long_and_says_so(lab: Path) -> None:
    found = contents(lab, most_s=0)
    assert not found.is_whole
    [note] = upload_notes(lab, found)
    assert f"The size of the folder {lab} was not counted to its end" in note
    assert upload_problems(lab, found, lab / "signs.py") == []
    assert upload_notes(lab, contents(lab)) == []


def test_a_folder_that_is_too_large_is_told_as_soon_as_that_is_known(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tune_jobs.cluster.jobs.upload._LARGEST_S", 0)
    monkeypatch.setattr("tune_jobs.cluster.jobs.upload.MOST_BYTES", 1000)
    make(lab, *(f"many/{index}" for index in range(100)))
    found = contents(lab)
    assert not found.is_whole
    assert len(found.files) < 10
    [problem] = upload_problems(lab, found, lab / "signs.py")
    assert "is more than" in problem
    assert upload_notes(lab, found) == []


@pytest.mark.parametrize("target", [".", "lib", ".."])
def test_a_link_that_leads_in_a_circle_is_told(lab: Path, target: str) -> None:
    (lab / "lib" / "round").symlink_to(lab / target, target_is_directory=True)
    with pytest.raises(RequestError, match=r"lib/round is a link to a folder that it lies in.*\.rayignore"):
        contents(lab)


def test_a_link_that_leads_elsewhere_is_followed(lab: Path) -> None:
    (lab / "lib" / "notes").symlink_to(lab / "notes", target_is_directory=True)
    (lab / "lib" / "nothing").symlink_to(lab / "nothing")
    (lab / "lib" / "itself").symlink_to("itself")
    assert contents(lab).is_whole
