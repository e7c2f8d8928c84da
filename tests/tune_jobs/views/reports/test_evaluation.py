"""What is printed of models on the test set."""

import io

import numpy as np
import pytest
from rich.console import Console

from tests.support.compared_runs import evaluate, make_repeats, make_scored_run
from tune_jobs.evaluation.evaluate import Evaluation
from tune_jobs.evaluation.reports import Classification, NoReport, Regression
from tune_jobs.evaluation.scoring import Scored
from tune_jobs.results.layout import evaluation_file
from tune_jobs.results.ranking import ranking
from tune_jobs.views.reports.evaluation import print_evaluations, print_scored

REGRESSION = Regression(np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [2.0], [4.0]]))


def scored(*reports, is_weighted=False):
    names = {f"output_{index}": report for index, report in enumerate(reports)}
    return Scored(10, is_weighted, {"loss": 0.5, "accuracy": 0.75}, names)


def evaluation(run, *reports, epoch=1, is_weighted=False):
    place = ranking(run.history(), run.objective)[0]
    trial = place.trial.trial
    evaluate(run, trial, accuracy=0.75, epoch=epoch)
    return Evaluation(run, place, epoch, scored(*reports, is_weighted=is_weighted), evaluation_file(run.folder, trial))


def printed(show, *arguments):
    console = Console(file=io.StringIO(), width=80)
    show(console, *arguments)
    return console.file.getvalue()


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def test_one_trial(tmp_path):
    text = printed(print_evaluations, [evaluation(make_scored_run(tmp_path, "a"), REGRESSION)])
    assert text.splitlines() == [
        "trial 1, val_accuracy 0.9000 at epoch 1: rate=0.125, units=[4, 2]",
        "test set, 10 examples: loss 0.5000, accuracy 0.7500",
        "MAE 0.3333, RMSE 0.5774, R2 0.5000",
        "written to a/evaluations/0001.json",
    ]


def test_repeats_have_a_table_with_their_names_and_the_report_of_the_first(tmp_path):
    first, second = make_repeats(tmp_path, "a", [0.9, 0.6])
    text = printed(print_evaluations, [evaluation(first, REGRESSION), evaluation(second, REGRESSION)])
    header, *rows = text.partition("\n\n")[0].splitlines()
    assert header.split()[3:5] == ["val_accuracy", "test_accuracy"]
    assert [row.split()[-1] for row in rows] == ["a-1", "a-2"]
    assert "\na-1, trial 1, val_accuracy 0.9000" in text
    assert text.count("MAE") == 1


def test_what_has_to_be_known_to_read_the_scores(tmp_path):
    several = make_scored_run(tmp_path, "a", executions=3)
    text = printed(print_evaluations, [evaluation(several, REGRESSION, epoch=2, is_weighted=True)])
    assert "note: the objective is the mean of several executions" in text
    assert "count the test set's sample weights" in text
    assert "was best at epoch 1, but its newest weights are of epoch 2" in text


def test_every_output_has_its_report():
    classes = Classification(("cat", "dog"), np.array([[3, 1], [0, 2]]))
    text = printed(print_scored, scored(classes, NoReport("the model predicts numbers that are not finite")))
    assert "output_0: classification report:" in text
    assert "output_0: confusion matrix, a row a true class" in text
    assert "output_1: no further report: the model predicts numbers that are not finite." in text
