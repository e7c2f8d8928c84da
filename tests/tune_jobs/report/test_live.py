"""The page that follows runs: it is only for those who know the token, it only reads, and it shows what is new."""

from __future__ import annotations

import http.client
import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from benchmarks.searched_runs import make_searched_run
from tests.support.browser import Page
from tests.support.hostile_runs import make_hostile_run
from tune_jobs.cli.main import main
from tune_jobs.errors import RequestError
from tune_jobs.report.live.server import LiveServer
from tune_jobs.report.live.sources import Runs, runs_named
from tune_jobs.results import EpochReported, JournalWriter, RunEnded, Status, TrialEnded, TrialStarted
from tune_jobs.results.layout import JOURNAL_FILE
from tune_jobs.results.run import Run


@contextmanager
def serving(reference: str | None, storage: Path, **options: Any) -> Iterator[LiveServer]:
    with LiveServer(runs_named(reference, storage), port=0, **options) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(server: LiveServer, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=120)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def told(server: LiveServer, path: str) -> Any:
    status, text = ask(server, f"/{server.token}/{path}")
    assert status == 200, text
    return json.loads(text)


def config() -> dict[str, Any]:
    layers = {"layers": 1, "units": [64]}
    return {"learning_rate": 0.01, **layers, "optimizer": "adam", "dropout": 0.1, "batch_norm": True}


def test_only_those_who_know_the_token_are_answered(tmp_path: Path) -> None:
    make_searched_run(tmp_path, "one", 9, 3)
    with serving("one", tmp_path) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert len(server.token) > 20
        for path in ("/", "/runs", "/wrong/runs", f"/{server.token[:-1]}/runs", "/../etc/passwd"):
            assert ask(server, path) == (403, "The token in the address is wrong.\n")
        assert ask(server, f"/{server.token}/")[0] == 200
        for name in ("..", "%2e%2e%2f", "two", "one%2f..%2ftwo"):
            assert ask(server, f"/{server.token}/run/{name}")[0] == 404
        for method in ("POST", "PUT", "DELETE"):
            assert ask(server, f"/{server.token}/runs", method)[0] == 501
    with serving("one", tmp_path, has_token=False) as server:
        assert ask(server, "/runs")[0] == 200
        assert ask(server, "/runs", Host="evil.example")[0] == 403


def test_it_changes_nothing(tmp_path: Path) -> None:
    run = make_searched_run(tmp_path, "one", 20, 9)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in tmp_path.rglob("*")}
    with serving(None, tmp_path) as server:
        content = told(server, "run/one")
        for group in content["groups"]:
            for option in group["options"]:
                assert "data" in told(server, f"figure/one?key={option['key'].replace('/', '%2F')}")
        assert told(server, "trial/one?number=3")["config"] == dict(run.history().trials[3].config)
        assert told(server, "trial/one?number=99") is None
        assert told(server, "log/one") == ""
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in tmp_path.rglob("*")} == before


def test_it_follows_the_journal_and_says_when_nothing_is_new(tmp_path: Path) -> None:
    run = make_searched_run(tmp_path, "one", 3, 3, is_ended=False)
    with serving("one", tmp_path) as server, JournalWriter(run.folder / JOURNAL_FILE) as journal:
        first = told(server, "run/one")
        assert told(server, f"run/one?since={first['version']}") == {"version": first["version"]}
        journal.write(TrialStarted(time_s=1e9 + 90, trial=3, config=config(), node="new"))
        metrics = {"val_accuracy": 0.999}
        journal.write(EpochReported(time_s=1e9 + 91, trial=3, epoch=1, metrics=metrics, seconds=1.0))
        deadline_s = time.monotonic() + 60
        while (second := told(server, f"run/one?since={first['version']}")).get("best") is None:
            assert time.monotonic() < deadline_s
        assert second["best"]["trial"] == 3
        assert told(server, "runs")["runs"][0]["state"] == "running, or killed"


def test_a_run_that_is_replaced_is_read_from_its_beginning(tmp_path: Path) -> None:
    run = make_searched_run(tmp_path / "a", "one", 9, 3)
    other = make_searched_run(tmp_path / "b", "one", 2, 1)
    with serving("one", tmp_path / "a") as server:
        assert len(told(server, "run/one")["rows"]) == 9
        shutil.rmtree(run.folder)
        shutil.copytree(other.folder, run.folder)
        deadline_s = time.monotonic() + 60
        while len(told(server, "run/one")["rows"]) != 2:
            assert time.monotonic() < deadline_s


def test_a_new_run_of_a_folder_appears_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    with serving(None, tmp_path) as server:
        assert told(server, "runs")["runs"] == []
        make_searched_run(tmp_path, "one", 2, 1)
        damaged = make_searched_run(tmp_path, "two", 2, 1)
        (damaged.folder / JOURNAL_FILE).write_text("no event\n")
        time.sleep(1.1)
        rows = {row["name"]: row for row in told(server, "runs")["runs"]}
        assert rows["one"]["share"] == 1.0
        assert "line 1 is no event" in rows["two"]["problem"]
        assert "line 1 is no event" in told(server, "run/two")["problem"]


def test_wrong_requests_are_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="There is no run 'nothing'"):
        runs_named("nothing", tmp_path)
    with pytest.raises(RequestError, match="There is no folder"):
        runs_named(None, tmp_path / "nowhere")
    make_searched_run(tmp_path, "one", 1, 1)
    with serving("one", tmp_path) as server, pytest.raises(RequestError, match="cannot be listened at"):
        LiveServer(server.runs, port=server.server_port)


@pytest.mark.parametrize("host", ["0.5", "n" * 300, "no host", "a..b", "\0"])
def test_a_host_at_which_nobody_can_listen_is_told(host: str, tmp_path: Path) -> None:
    make_searched_run(tmp_path, "one", 1, 1)
    with serving("one", tmp_path) as server, pytest.raises(RequestError, match="choose another --port or --host"):
        LiveServer(server.runs, host)


def test_a_new_epoch_is_seen_within_two_seconds(browser: Any, tmp_path: Path) -> None:
    run = make_searched_run(tmp_path, "one", 12, 9, is_ended=False)
    make_searched_run(tmp_path, "two", 3, 3)
    with serving(None, tmp_path) as server, JournalWriter(run.folder / JOURNAL_FILE) as journal:
        page = Page(browser, f"{server.url}#run=one")
        page.page.locator(".js-plotly-plot .main-svg").first.wait_for()
        page.page.get_by_label("Filter").fill("completed")
        journal.write(TrialStarted(time_s=1e9 + 900, trial=77, config=config(), node="new"))
        polls = []
        for epoch, value in enumerate((0.9997, 0.9998, 0.9999), start=1):
            report = {"time_s": 1e9 + 901, "trial": 77, "epoch": epoch, "seconds": 1.0}
            journal.write(EpochReported(**report, metrics={"val_accuracy": value}))
            asked = len(page.asked)
            page.page.locator(".cards strong", has_text=str(value)).wait_for()
            polls.append(sum("/run/one?" in url for url in page.asked[asked:]))
        every_ms = page.page.evaluate("Source.everyMs")
        assert min(polls) * every_ms <= 2000  # counted, because others may keep the machine busy
        page.page.wait_for_timeout(1500)
        assert page.page.get_by_label("Filter").input_value() == "completed"
        assert "0.9999" in json.dumps(page.page.evaluate("document.querySelector('.js-plotly-plot').data[1].y"))
        journal.write(TrialEnded(time_s=1e9 + 902, trial=77, status=Status.COMPLETED, reason="all", error=None))
        journal.write(RunEnded(time_s=1e9 + 903, reason="all trials", error=None))
        page.page.locator("[data-state=ended]").wait_for()
        page.page.get_by_text("Log of the run").click()
        page.page.get_by_text("It is empty.").wait_for()
        assert page.problems() == []
        page.screenshot("live")
        page.page.get_by_role("button", name="two").click()
        page.page.get_by_role("heading", name="two", exact=True).wait_for()
        page.page.evaluate("Trial.open(1)")
        page.page.get_by_role("heading", name="Trial 1", exact=True).wait_for()
        assert page.said == []
        assert {urlsplit(url).netloc for url in page.asked} <= {f"127.0.0.1:{server.server_port}", ""}
        page.close()


@pytest.mark.integration
@pytest.mark.slow
def test_hostile_names_stay_text_while_a_run_is_followed(browser: Any, tmp_path: Path) -> None:
    make_hostile_run(tmp_path)
    with serving(None, tmp_path) as server:
        page = Page(browser, server.url)
        page.draw_all()
        page.page.evaluate("Trial.open(1)")
        page.page.get_by_role("heading", name="Trial 1", exact=True).wait_for()
        assert page.page.evaluate("window.hurt") is None
        assert page.page.locator("main img, main script, main b, dialog img, dialog script").count() == 0
        assert page.said == []
        page.close()


def test_the_server_can_end_and_come_back(tmp_path: Path) -> None:
    run = make_searched_run(tmp_path, "one", 3, 3, is_ended=False)
    for _ in range(2):
        with serving("one", tmp_path) as server:
            assert len(told(server, "run/one")["rows"]) == 3
    assert Run(run.folder).history().ended_s is None


def test_a_network_that_fails_is_told_and_asked_again(tmp_path: Path) -> None:
    run = make_searched_run(tmp_path, "one", 1, 1)
    copies = tmp_path / "copies"
    copies.mkdir()
    answers: list[Any] = [ConnectionError("nobody\x1b[31m is there"), [run], RequestError("It is gone.")]

    def find() -> list[Run]:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    runs = Runs(find, 0.2, is_slow=True, folder=copies)
    assert runs.problem == "The runs cannot be read at the moment (nobody\\x1b[31m is there)."
    deadline_s = time.monotonic() + 60
    while not runs.problem.startswith("It is gone."):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    assert list(runs.all()) == ["one"]
    runs.close()
    assert not copies.exists()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--address", "http://127.0.0.1:9"], "a JOB of it is missing"),
        (["raysubmit_x", "--address", "http://127.0.0.1:9"], "nobody listens there"),
        (["mine", "--address", "http://127.0.0.1:9"], "nobody listens there"),
        (["raysubmit_x", "--address", "127.0.0.1:9"], "must be the address of a Jobs server"),
        (["one", "--job", "raysubmit_x"], "leave one of them out"),
        (["nothing"], "There is no run 'nothing'"),
        (["--port", "70000"], "0<=x<=65535"),
    ],
)
def test_the_command_tells_what_is_wrong(tmp_path: Path, arguments: list[str], problem: str) -> None:
    result = CliRunner().invoke(main, ["view", "--storage", str(tmp_path), *arguments])
    assert (result.exit_code, problem in result.output) == (2, True), result.output
