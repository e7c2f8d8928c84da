"""The verdicts of a comparison, as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tune_jobs.analysis.comparison.statistics import ALPHA, MAX_SAMPLE_SIZE, POWER
from tune_jobs.base.words import quantity
from tune_jobs.views.text import clean, number

if TYPE_CHECKING:
    from tune_jobs.analysis.comparison import Comparison
    from tune_jobs.analysis.comparison.statistics import Needed
    from tune_jobs.analysis.comparison.verdicts import Verdict


def verdict_lines(comparison: Comparison) -> list[str]:
    """Return a line about the statistical test, and one about each pair of strategies."""
    if not comparison.is_repeated:
        return ["One run each says nothing about luck: tune-jobs run EXPERIMENT --repeats 5 makes repeats to compare."]
    verdicts = comparison.verdicts
    correction = f", corrected for {len(verdicts)} tests by Holm's method" if len(verdicts) > 1 else ""
    about = "on the test set" if comparison.is_tested else "on the validation data that the search itself chose by"
    method = f"Mann-Whitney U, two-sided, alpha {ALPHA}{correction}"
    return [f"{clean(comparison.score)}, {about} ({method}):", *map(_sentence, verdicts)]


def _sentence(verdict: Verdict) -> str:
    best, other = clean(verdict.best), clean(verdict.other)
    pair = f"{best} against {other}"
    runs = f"{verdict.sizes[0]} against {verdict.sizes[1]} runs"
    kind = "exact" if verdict.exact else "approximate"
    p = f"{kind} p = {number(verdict.p, 2)}, {runs}"
    if verdict.is_different:
        winner = best if verdict.share >= 0.5 else other
        return f"{pair}: different, {winner} is better ({p})."
    sentences = [f"{pair}: not distinguishable from noise ({p})."]
    if verdict.is_hopeless:
        sentences.append(
            f"So few can show no difference, however large: the smallest possible p is {number(verdict.least_p, 2)}."
        )
    return " ".join([*sentences, _needed(verdict)])


def _needed(verdict: Verdict) -> str:
    needed, share = verdict.needed, f"{verdict.share:.0%}"
    if needed is None:
        return (
            f"{clean(verdict.best)} was better in {share} of all pairs, so near to half that no practical number of "
            f"repeats (at most {MAX_SAMPLE_SIZE:,} of each) would tell."
        )
    if needed.at_least:
        return f"It would take at least {_amounts(verdict, needed)}."
    return (
        f"If {clean(verdict.best)} is better in {share} of all pairs, as it was here, it would take about "
        f"{_amounts(verdict, needed)} (Noether 1987, power {POWER})."
    )


def _amounts(verdict: Verdict, needed: Needed) -> str:
    if needed.first == needed.second:
        return f"{quantity(needed.first, 'more repeat')} of each"
    return f"{needed.first} more of {clean(verdict.best)} and {needed.second} more of {clean(verdict.other)}"
