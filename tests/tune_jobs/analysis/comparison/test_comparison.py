"""Comparisons: what can be compared, what each strategy took, and whether the difference is luck."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import tune_jobs
from tests.support.compared_runs import asked_space, evaluate, events_of, make_repeats, make_scored_run
from tests.support.result_strategies import accuracy, property_settings
from tune_jobs.analysis.comparison import compare
from tune_jobs.analysis.comparison.statistics import Needed
from tune_jobs.analysis.comparison.verdicts import judge
from tune_jobs.errors import RequestError
from tune_jobs.results.run import Run

SAMPLES = st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5]), min_size=1, max_size=5)


def problems_of(runs: Sequence[Run | Sequence[Run]]) -> tuple[str, ...]:
    with pytest.raises(RequestError) as error:
        compare(runs)
    return error.value.problems


def test_two_runs(tmp_path: Path) -> None:
    slow, quick = make_scored_run(tmp_path, "slow", [0.2, 0.5, 0.9]), make_scored_run(tmp_path, "quick", [0.8])
    comparison = tune_jobs.compare([slow, quick])
    assert [strategy.name for strategy in comparison.strategies] == ["slow", "quick"]
    assert comparison.target == 0.8
    first, second = comparison.table().to_dict("records")
    assert (first["best"], first["trial"], first["trials"], first["epochs"]) == (0.9, 2, 3, 3)
    assert first["config"] == {"rate": 0.25, "units": [4, 2]}
    assert (first["seconds"], first["epochs_to_target"], first["seconds_to_target"]) == (31.0, 3, 30.0)
    assert (second["epochs_to_target"], second["seconds_to_target"]) == (1, 10.0)
    assert comparison.table().dtypes.astype(str).to_dict()["epochs"] == "Int64"
    assert comparison.table()["test"].isna().all()
    assert (comparison.verdicts, comparison.cautions) == ([], [])


def test_less_is_better_where_the_objective_says_so(tmp_path: Path) -> None:
    loss: dict[str, Any] = {"objective": {"metric": "val_accuracy", "mode": "min"}}
    comparison = compare(
        [make_scored_run(tmp_path, "a", [0.5, 0.3], **loss), make_scored_run(tmp_path, "b", [0.4, 0.6], **loss)]
    )
    assert comparison.target == 0.4
    assert list(comparison.table()["epochs_to_target"]) == [2, 1]


def test_repeats_are_one_strategy(tmp_path: Path) -> None:
    first, second = make_repeats(tmp_path, "a", [0.9, 0.7, 0.8]), make_repeats(tmp_path, "b", [0.5, 0.6])
    comparison = compare([first, second])
    assert [strategy.name for strategy in comparison.strategies] == ["a", "b"]
    assert comparison.strategies[0].spread(lambda outcome: outcome.best) == pytest.approx((0.75, 0.8, 0.85))
    assert comparison.strategies[0].best.run.name == "a-1"
    assert list(comparison.table()["run"]) == ["a-1", "a-2", "a-3", "b-1", "b-2"]
    assert comparison.target == 0.5
    (verdict,) = comparison.verdicts
    assert (verdict.best, verdict.other, verdict.sizes, verdict.share) == ("a", "b", (3, 2), 1.0)
    assert verdict.p == pytest.approx(0.2)
    assert not verdict.is_different
    assert verdict.is_hopeless


def test_the_test_set_decides_when_every_run_was_evaluated(tmp_path: Path) -> None:
    first, second = make_repeats(tmp_path, "a", [0.9] * 4), make_repeats(tmp_path, "b", [0.5] * 4)
    for number, run in enumerate([*first, *second]):
        assert compare([first, second]).score == "val_accuracy"
        evaluate(run, trial=1, accuracy=number / 10)
    comparison = compare([first, second])
    assert comparison.score == "test_accuracy"
    (verdict,) = comparison.verdicts
    assert (verdict.best, verdict.other, verdict.share) == ("b", "a", 1.0)
    assert verdict.p == pytest.approx(2 / 70)
    assert verdict.is_different
    assert verdict.needed is None


def test_groups_that_cannot_be_compared_are_refused(tmp_path: Path) -> None:
    a, b = make_scored_run(tmp_path, "a"), make_scored_run(tmp_path, "b")
    group = make_repeats(tmp_path, "c", [0.5, 0.6])
    other = make_scored_run(tmp_path, "d", objective={"metric": "val_loss", "mode": "min"})
    assert "only a to compare" in problems_of([a])[0]
    assert "only c to compare" in problems_of([group])[0]
    assert "only nothing to compare" in problems_of([])[0]
    assert problems_of([a, b, a]) == ("a is named twice, or a part of it: name it once.",)
    assert "c-2 is named twice" in problems_of([group, group[1]])[0]
    assert "a: val_accuracy (max), d: val_loss (min)" in problems_of([a, other])[0]
    assert len(problems_of([a, a, other])) == 2


def test_all_runs_that_found_nothing_are_named_at_once(tmp_path: Path) -> None:
    empty, sick = make_scored_run(tmp_path, "empty", []), make_scored_run(tmp_path, "sick", [math.nan])
    problems = problems_of([make_scored_run(tmp_path, "a"), empty, sick])
    assert [problem.split(" has ")[0] for problem in problems] == ["The run empty", "The run sick"]


def test_a_comparison_that_is_not_like_for_like_has_cautions(tmp_path: Path) -> None:
    first = make_repeats(tmp_path, "a", [0.5, 0.6], count=3, fraction=0.2)
    second = make_scored_run(tmp_path, "b", executions=2, trainable="lab:Other", code={"Other": "1"})
    third = make_scored_run(tmp_path, "c", events=events_of([0.5], reason=None), fraction=1.0, space=asked_space(7.0))
    assert compare([first, second, third]).cautions == [
        "Not like for like: trainable is lab:Net in a, lab:Other in b, lab:Net in c.",
        "Not like for like: fraction is 0.2 in a, 1 in b, 1 in c.",
        "Not like for like: executions is 1 in a, 2 in b, 1 in c.",
        "Not like for like: the search spaces differ.",
        "a has 2 of its 3 repeats.",
        "c did not end as planned: tune-jobs resume goes on.",
    ]
    changed = make_scored_run(tmp_path, "d", code={"Net": "2"})
    cautions = compare([changed, make_scored_run(tmp_path, "e", code={"Net": "1"})]).cautions
    assert cautions == ["Not like for like: the code of the trainable has changed between them."]
    first = make_scored_run(tmp_path, "g", code={"Net": "2"}, helpers={"helper.scale": "1"})
    second = make_scored_run(tmp_path, "h", code={"Net": "2"}, helpers={"helper.scale": "2"})
    assert compare([first, second]).cautions == cautions
    moved = make_scored_run(tmp_path, "f", code={"Net": "2"}, trainable="lab_elsewhere:Net")
    assert compare([changed, moved]).cautions == []


def test_trials_of_other_lengths_are_not_like_for_like(tmp_path: Path) -> None:
    cautions = compare(
        [make_scored_run(tmp_path, "a", max_epochs=27), make_scored_run(tmp_path, "b", max_epochs=9)]
    ).cautions
    assert cautions == ["Not like for like: max_epochs is 27 in a, 9 in b."]


def test_a_group_keeps_its_name_and_what_it_lacks_while_one_repeat_is_there(tmp_path: Path) -> None:
    group, by_itself = make_repeats(tmp_path, "a", [0.5], count=3), make_repeats(tmp_path, "b", [0.6], count=2)[0]
    comparison = compare([group, by_itself])
    assert [strategy.name for strategy in comparison.strategies] == ["a", "b-1"]
    assert comparison.cautions == ["a has 1 of its 3 repeats."]
    elsewhere = make_repeats(tmp_path / "x", "a", [0.5], count=2)
    assert compare([group, elsewhere]).cautions == [
        f"{tmp_path / 'a'} has 1 of its 3 repeats.",
        f"{tmp_path / 'x' / 'a'} has 1 of its 2 repeats.",
    ]


def test_runs_of_the_same_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    comparison = compare([make_scored_run(tmp_path / "x", "a"), make_scored_run(tmp_path / "y", "a")])
    assert [strategy.name for strategy in comparison.strategies] == [
        str(tmp_path / "x" / "a"),
        str(tmp_path / "y" / "a"),
    ]


@property_settings
@given(st.dictionaries(st.sampled_from("abcd"), SAMPLES, min_size=2), st.randoms(use_true_random=False))
def test_the_order_of_repeats_changes_nothing(samples: dict[str, list[float]], random: Random) -> None:
    shuffled = {name: random.sample(scores, len(scores)) for name, scores in samples.items()}
    for before, after in zip(judge(samples, accuracy()), judge(shuffled, accuracy()), strict=True):
        assert (before.best, before.other, before.needed) == (after.best, after.other, after.needed)
        assert before.p == pytest.approx(after.p)


@property_settings
@given(st.dictionaries(st.sampled_from("abcd"), SAMPLES, min_size=2))
def test_verdicts_are_the_same_for_losses_that_mirror_scores(samples: dict[str, list[float]]) -> None:
    losses = {name: [-score for score in scores] for name, scores in samples.items()}
    assert judge(samples, accuracy()) == judge(losses, accuracy("min"))


@property_settings
@given(st.dictionaries(st.sampled_from("abcd"), SAMPLES, min_size=2))
@example({"a": [0.2, 0.2], "b": [0.1, 0.1, 0.1, 0.1, 0.1]})  # p = 1/21, and 2/21 is the smallest p without ties
def test_a_verdict_is_about_every_other_strategy_and_never_contradicts_itself(
    samples: dict[str, list[float]],
) -> None:
    results = judge(samples, accuracy())
    assert {verdict.other for verdict in results} == set(samples) - {results[0].best}
    for verdict in results:
        assert verdict.tests == len(samples) - 1
        if verdict.is_hopeless:
            assert not verdict.is_different


def test_more_than_two_are_corrected_by_holm() -> None:
    low, middle, high = [1.0, 2.0, 3.0, 4.0], [11.0, 12.0, 13.0, 14.0], [21.0, 22.0, 23.0, 24.0]
    results = judge({"low": low, "high": high, "middle": middle}, accuracy())
    assert [(verdict.best, verdict.other) for verdict in results] == [("high", "low"), ("high", "middle")]
    assert [verdict.p for verdict in results] == pytest.approx([2 * 2 / 70] * 2)
    assert all(verdict.is_hopeless for verdict in results)
    assert [verdict.needed for verdict in results] == [Needed(1, 1, at_least=True)] * 2
