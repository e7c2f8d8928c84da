"""The loop of a run with simulated workers: what they are asked for, how they are placed, and what a report costs."""

from __future__ import annotations

import gc
from collections import Counter
from typing import Any

from tests.support.counting import calls_of
from tests.support.fakes import experiment
from tests.support.simulated_workers import SimulatedRun, SimulatedWorkers
from trainables.settings import DONOR_KEY, GPUS_KEY, TRIAL_KEY
from tune_jobs import Resources
from tune_jobs.engine.decisions.gpu_shares import MEASURED_TRIALS
from tune_jobs.engine.decisions.running_trials import RunningTrial
from tune_jobs.results import Ending
from tune_jobs.schedulers import NoScheduler, PopulationBased, PromotionASHA
from tune_jobs.searchers import Random

EPOCHS = 5


def run_of(trials: int | None, workers: SimulatedWorkers, slots: int = 2, **fields: Any) -> SimulatedRun:
    options = {name: fields.pop(name) for name in ("has_room", "node_gpus") if name in fields}
    fields = {"scheduler": NoScheduler(), "searcher": Random(), **fields}
    return SimulatedRun(experiment(trials=trials, max_epochs=EPOCHS, **fields), workers, slots, **options)


def test_a_worker_is_asked_for_nothing_but_epochs() -> None:
    run = run_of(20, SimulatedWorkers(EPOCHS)).whole()
    assert Counter(run.workers.asked) == {"start": 2, "begin": 20, "train": 80, "leave": 1}
    assert [len(run.events(event)) for event in ("trial_started", "epoch", "trial_ended")] == [20, 100, 20]
    assert run.coordinator.trials_left == 0


def test_workers_exist_before_there_is_a_proposal() -> None:
    run = run_of(20, SimulatedWorkers(EPOCHS), slots=3)
    run.step()
    assert run.workers.asked == ["start"] * 3
    assert run.coordinator.trials_left == 20, "nothing was proposed"


def test_no_more_workers_are_started_than_there_are_trials() -> None:
    assert run_of(1, SimulatedWorkers(EPOCHS), slots=4).whole().workers.asked.count("start") == 1


def test_the_last_workers_leave_while_others_train() -> None:
    run = run_of(3, SimulatedWorkers(EPOCHS))
    while len(run.events("trial_ended")) < 2:
        run.step()
    run.step()
    assert len(run.workers.alive) == 1


def test_a_trial_whose_worker_died_is_given_to_another_and_the_death_is_told() -> None:
    deaths = iter((True, False))
    workers = SimulatedWorkers(EPOCHS, dies=lambda config: config[TRIAL_KEY] == 1 and next(deaths, False))
    run = run_of(4, workers).whole()
    (note,) = run.events("note")
    assert note.trial == 1
    assert "The worker was killed." in note.text
    assert [event.trial for event in run.events("trial_started")].count(1) == 2
    assert {event.trial: event.status for event in run.events("trial_ended")} == dict.fromkeys(range(4), "completed")


def test_the_workers_of_a_trial_die_as_often_as_was_allowed() -> None:
    run = run_of(3, SimulatedWorkers(EPOCHS, dies=lambda config: config[TRIAL_KEY] == 1), max_retries=2).whole()
    assert [event.trial for event in run.events("trial_started")].count(1) == 3
    (failed,) = [event for event in run.events("trial_ended") if event.error]
    assert (failed.trial, failed.reason) == (1, "its worker died")
    assert "The worker was killed." in failed.error


def test_workers_that_die_before_they_are_ready_end_trials_and_at_last_the_run() -> None:
    workers = SimulatedWorkers(EPOCHS)
    workers.stillborn = True
    run = run_of(100, workers, slots=1, max_retries=1, same_failures=3).whole()
    assert run.coordinator.ending is Ending.FAILED
    assert [event.node for event in run.events("trial_started")] == [""] * 3
    assert "The worker was killed." in str(run.coordinator.failure)


def test_a_paused_trial_frees_its_worker_and_a_promoted_one_goes_on() -> None:
    run = run_of(9, SimulatedWorkers(EPOCHS), scheduler=PromotionASHA()).whole()
    paused, promoted = run.events("trial_paused"), run.events("trial_promoted")
    assert [event.trial for event in promoted][:1] == [0]  # all are equally good
    assert len(run.events("trial_started")) == 9 + len(promoted)
    assert run.workers.asked.count("start") == 2
    statuses = {event.trial: event.status for event in run.events("trial_ended")}
    assert sorted(statuses) == list(range(9))
    assert statuses[0] == "completed"
    assert {statuses[event.trial] for event in paused} == {"completed", "stopped"}
    reported = [(event.trial, event.epoch) for event in run.events("epoch")]
    assert len(reported) == len(set(reported))


def test_a_trial_is_kept_away_from_the_node_on_which_its_worker_died() -> None:
    deaths = iter((True, False))
    nodes = iter("aab")
    asked: list[str] = []
    workers = SimulatedWorkers(
        EPOCHS,
        dies=lambda config: config[TRIAL_KEY] == 0 and next(deaths, False),
        node=lambda avoided: asked.append(avoided) or next(nodes),
    )
    run = run_of(4, workers, has_room=lambda node, taken: node == "a" and "b" not in taken).whole()
    assert asked == ["", "", "a"]
    assert [event.node for event in run.events("trial_started") if event.trial == 0] == ["node a", "node b"]


def test_a_trial_goes_back_to_its_node_where_no_other_has_room() -> None:
    deaths = iter((True, False))
    workers = SimulatedWorkers(EPOCHS, dies=lambda config: config[TRIAL_KEY] == 0 and next(deaths, False))
    run = run_of(4, workers).whole()
    assert {event.node for event in run.events("trial_started")} == {"node here"}


def test_a_cluster_that_grows_and_shrinks() -> None:
    run = run_of(50, SimulatedWorkers(EPOCHS), slots=1)
    for _ in range(3):
        run.step()
    assert len(run.workers.alive) == 1
    run.slots = 3
    for _ in range(10):
        run.step()
    assert len(run.workers.alive) == 3
    run.slots = 2
    for _ in range(30):
        run.step()
    assert len(run.workers.alive) == 2
    run.slots = 0
    for _ in range(30):
        run.step()
    assert run.workers.alive == []
    assert not run.loop.is_finished
    run.coordinator.interrupt()
    run.step()
    assert run.loop.is_finished


def test_a_trial_that_hangs_loses_its_worker() -> None:
    workers = SimulatedWorkers(EPOCHS)
    run = run_of(1, workers, slots=1, trial_timeout_s=1.0)
    workers.hangs = True
    hanging = iter(((), (), (0,)))
    run.coordinator.hanging_trials = lambda: next(hanging, ())  # type: ignore[assignment, method-assign, return-value]
    for _ in range(4):
        run.step()
    assert "kill" in workers.asked


def test_a_larger_share_waits_for_no_free_worker() -> None:
    out = iter((True, False))

    class Memory(SimulatedWorkers):
        def train(self, worker: Any, config: dict[str, Any] | None = None) -> None:
            if config is not None and config[TRIAL_KEY] == 1 and next(out, False):
                self.asked.append("begin")
                error = {"done": True, "error": "ResourceExhaustedError: OOM when allocating"}
                self._answers.append((worker, error))  # type: ignore[arg-type]
            else:
                super().train(worker, config)

    workers = Memory(EPOCHS)
    run = run_of(6, workers, slots=2, node_gpus=1, resources=Resources(gpus=0.5), on_oom="grow").whole()
    starts = [(event.trial, event.gpus) for event in run.events("trial_started")]
    assert sorted(starts) == [(0, 0.5), (1, 0.5), (1, 1.0), (2, 0.5), (3, 0.5), (4, 0.5), (5, 0.5)]
    assert [worker.gpus for worker in workers.started].count(1.0) == 1
    assert {event.status for event in run.events("trial_ended")} == {"completed"}


def test_shares_of_a_gpu_change_from_trial_to_trial() -> None:
    workers = SimulatedWorkers(EPOCHS)
    workers.gpu_memory = {"peak_bytes": 2**30, "total_bytes": 16 * 2**30}
    run = run_of(12, workers, slots=8, node_gpus=1, resources=Resources(gpus="auto")).whole()
    shares = [event.gpus for event in run.events("trial_started")]
    assert shares == [1] * MEASURED_TRIALS + [0.125] * (12 - MEASURED_TRIALS)
    assert [config[GPUS_KEY] for config in workers.configs] == shares
    assert [worker.gpus for worker in workers.started] == [1] + [0.125] * 8
    assert {event.status for event in run.events("trial_ended")} == {"completed"}


def test_a_trial_is_given_the_weights_of_another_and_goes_on_with_them_in_any_worker() -> None:
    workers = SimulatedWorkers(EPOCHS)
    run = run_of(5, workers, scheduler=PopulationBased(interval=2)).whole()
    taken = [event for event in run.events("trial_promoted") if event.donor is not None]
    assert len(taken) == 2  # one of five, after epochs 2 and 4
    given = {config[TRIAL_KEY]: config[DONOR_KEY] for config in workers.configs if DONOR_KEY in config}
    assert {trial: donor for trial, (donor, _) in given.items()} == {event.trial: event.donor for event in taken}
    assert workers.asked.count("start") == 2
    assert {event.trial: event.status for event in run.events("trial_ended")} == dict.fromkeys(range(5), "completed")


def test_at_the_end_of_a_run_epochs_in_progress_are_given_time() -> None:
    workers = SimulatedWorkers(EPOCHS)
    run = run_of(100, workers)
    for _ in range(5):
        run.step()
    run.coordinator.interrupt()
    run.loop.run()
    assert workers.asked[-2:] == ["leave", "leave"]
    assert workers.waited_s == [22.0]


def test_a_report_costs_the_same_at_the_end_as_at_the_beginning_and_with_many_workers() -> None:
    def calls(slots: int, steps: int) -> tuple[float, float]:
        run = run_of(10_000, SimulatedWorkers(EPOCHS), slots)
        for _ in range(60 + 2 * slots):
            run.step()

        def counted() -> float:
            before = len(run.events("epoch"))
            total = sum(calls_of(run.step) for _ in range(120))
            return total / (len(run.events("epoch")) - before)

        early = counted()
        for _ in range(steps):
            run.step()
        return early, counted()

    early, late = calls(2, 600)
    assert late < 1.02 * early
    assert early < 200
    many, _ = calls(256, 0)
    assert many < 1.1 * early


def test_trials_that_have_ended_leave_no_objects() -> None:
    run = run_of(300, SimulatedWorkers(EPOCHS))

    def objects() -> int:
        gc.collect()
        return sum(isinstance(item, RunningTrial) for item in gc.get_objects())

    for _ in range(200):
        run.step()
    early = objects()
    for _ in range(1000):
        run.step()
    assert objects() <= early + 1
