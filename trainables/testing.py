"""The tests that every trainable must pass, for use in your own test suite."""

from __future__ import annotations

import copy
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from trainables.data import Data
from trainables.keras_trainable import KerasTrainable
from trainables.report import Report
from trainables.settings import ControlValues, Mode, TrialSettings
from trainables.storage import checkpoint
from trainables.storage.checkpoint import Snapshot


@dataclass(frozen=True)
class _Run:
    """The reports of some epochs of a trial, and the trial's state after each."""

    results: list[Report]
    states: list[Snapshot]


@dataclass(frozen=True)
class _Whole(_Run):
    """An uninterrupted trial, and its files after half of its epochs."""

    directory: tempfile.TemporaryDirectory[str]

    @property
    def saved_at_half(self) -> Path:
        """The folder that ``save_checkpoint`` wrote then."""
        return Path(self.directory.name, "saved")

    @property
    def disk_at_half(self) -> Path:
        """The folder of all trials, as a worker that died then would have left it."""
        return Path(self.directory.name, "disk")


class TrainableContract:
    """The promises of a trainable: subclass this in a file that pytest collects.

    ::

        class TestMyTrainable(TrainableContract):
            trainable = MyTrainable
            config = {"units": [8], "learning_rate": 0.01}

    Choose a small configuration and small ``data``: each configuration is trained five times. Nothing starts Ray.

    Attributes:
        trainable: The class under test.
        config: A configuration that it trains.
        configs: More configurations, for trainables whose configurations differ in kind (another optimizer).
        objective: The metric that an experiment would choose, and whether a high ("max") or a low ("min")
            value is better.
        data: The data to train on; None: what ``load_data`` returns, called once.
        epochs: The number of epochs of a trial; it is interrupted after half of them.
        rtol: Relative tolerance of the comparisons: bitwise equality is not promised by every device.
        atol: Absolute tolerance of the comparisons.
    """

    trainable: ClassVar[type[KerasTrainable]]
    config: ClassVar[Mapping[str, Any]]
    configs: ClassVar[Sequence[Mapping[str, Any]]] = ()
    objective: ClassVar[tuple[str, Mode]] = ("val_accuracy", "max")
    data: Data | None = None
    epochs: ClassVar[int] = 4
    rtol: ClassVar[float] = 1e-5
    atol: ClassVar[float] = 1e-6

    _uninterrupted_runs: ClassVar[dict[str, _Whole]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._uninterrupted_runs = {}

    def test_every_epoch_reports_the_objective(self) -> None:
        """Test that the objective is among the metrics, finite, and also at the top level, for Ray Tune."""
        metric, _ = self.objective
        for config in self._all_configs():
            for result in self._uninterrupted(config).results:
                value = result["metrics"].get(metric)
                if value is None or not math.isfinite(value):
                    raise AssertionError(f"Epoch {result['epoch']} reports {metric}={value}; {config=}.")
                top_level: Mapping[str, object] = result
                np.testing.assert_equal(top_level[metric], value)

    def test_a_restored_trial_goes_on_as_if_uninterrupted(self) -> None:
        """Test that metrics, model and optimizer are equal after saving, restoring in a new instance, and training."""
        for config in self._all_configs():
            whole = self._uninterrupted(config)
            with self._worker(config) as worker:
                worker.load_checkpoint(str(whole.saved_at_half))
                rest = self._train(worker, self.epochs - self._half)
            self._compare(rest, whole, skip=self._half, what="a trial that was saved and restored")

    def test_a_trial_begun_anew_continues_its_newest_checkpoint(self) -> None:
        """Test that a trial whose worker died reports its last saved epoch again and goes on from there."""
        for config in self._all_configs():
            whole = self._uninterrupted(config)
            with tempfile.TemporaryDirectory() as folder:
                shutil.copytree(whole.disk_at_half, folder, dirs_exist_ok=True)
                with self._worker(config, folder=Path(folder)) as worker:
                    rest = self._train(worker, self.epochs - self._half + 1)
            self._compare(rest, whole, skip=self._half - 1, what="a trial that was begun anew")

    def test_a_reused_worker_trains_like_a_fresh_one(self) -> None:
        """Test that a worker's later trials are not influenced by its earlier ones."""
        configs = self._all_configs()
        with self._worker(configs[-1], trial=1) as worker:
            self._train(worker, 1)
            for config in configs:
                if not worker.reset_config(_numbered(config, 0)):
                    raise AssertionError("reset_config refused the configuration, but must return True.")
                later = self._train(worker, self._half)
                self._compare(later, self._uninterrupted(config), skip=0, what="a later trial of a worker")

    def test_each_trial_has_its_own_seed(self) -> None:
        """Test that a trial's number decides its first weights: the same number, the same weights."""
        first, again, other = (self._first_weights(trial) for trial in (0, 0, 1))
        self._compare_arrays(again, first, "a trial that is built a second time")
        if all(np.array_equal(first[name], other[name]) for name in first):
            raise AssertionError(
                "Two trials begin with the same weights, so nothing in them is random: is there a fixed seed "
                f"in {self.trainable.__name__}.build_model? Remove it: a trial is seeded by its number."
            )

    # The parts of the tests.

    @property
    def _half(self) -> int:
        return self.epochs // 2

    def _all_configs(self) -> list[Mapping[str, Any]]:
        return [self.config, *self.configs]

    @contextmanager
    def _worker(
        self, config: Mapping[str, Any], trial: int = 0, folder: Path | None = None
    ) -> Iterator[KerasTrainable]:
        metric, mode = self.objective
        settings = TrialSettings(
            metric=metric,
            mode=mode,
            max_epochs=2 * self.epochs,
            folder=None if folder is None else str(folder),
            milestones=(self._half,),
        )
        worker = self.trainable.standalone(_numbered(config, trial), self._loaded_data(), settings)
        try:
            yield worker
        finally:
            worker.cleanup()

    def _loaded_data(self) -> Data:
        if self.data is None:
            type(self).data = self.trainable.standalone().load_data()
        if not isinstance(self.data, Data):
            raise TypeError(f"load_data returned a {type(self.data).__name__}, but must return a Data.")
        return self.data

    def _uninterrupted(self, config: Mapping[str, Any]) -> _Whole:
        """Return a trial with a worker of its own, trained once per configuration for all tests of the class."""
        key = repr(config)
        if key not in self._uninterrupted_runs:
            self._uninterrupted_runs[key] = self._train_whole(config)
        return self._uninterrupted_runs[key]

    def _train_whole(self, config: Mapping[str, Any]) -> _Whole:
        directory = tempfile.TemporaryDirectory(prefix="trainable-contract-")
        whole = _Whole([], [], directory)
        folder = Path(directory.name, "folder")
        folder.mkdir()
        with self._worker(config, folder=folder) as worker:
            self._train(worker, self._half, whole)
            worker.wait_until_saved()
            shutil.copytree(folder, whole.disk_at_half)
            whole.saved_at_half.mkdir()
            worker.save_checkpoint(str(whole.saved_at_half))
            if not whole.results[-1]["done"]:
                self._train(worker, self.epochs - self._half, whole)
        return whole

    def _train(self, worker: KerasTrainable, epochs: int, run: _Run | None = None) -> _Run:
        run = run or _Run([], [])
        for _ in range(epochs):
            result = worker.step()
            problem = result.get("mistake") or result.get("traceback")
            if problem:
                raise AssertionError(f"The trial failed: {problem}")
            run.results.append(result)
            run.states.append(_state(worker))
            if result["done"]:
                break
        return run

    def _first_weights(self, trial: int) -> Mapping[str, np.ndarray]:
        with self._worker(self.config, trial=trial) as worker:
            arrays = _state(worker).arrays
        return {name: array for name, array in arrays.items() if name.startswith("model/")}

    def _compare(self, run: _Run, whole: _Whole, skip: int, what: str) -> None:
        """Compare a run's epochs with those of the uninterrupted trial after the first ``skip``."""
        expected = list(zip(whole.results, whole.states, strict=True))[skip:]
        actual = list(zip(run.results, run.states, strict=True))
        for (result, state), (whole_result, whole_state) in zip(actual, expected, strict=False):
            where = f"{what}, epoch {whole_result['epoch']}"
            np.testing.assert_equal(result["epoch"], whole_result["epoch"], where)
            np.testing.assert_equal(result["done"], whole_result["done"], where)
            self._compare_arrays(result["metrics"], whole_result["metrics"], where)
            self._compare_arrays(state.arrays, whole_state.arrays, where)
            np.testing.assert_equal(state.state["best_epoch"], whole_state.state["best_epoch"], where)
        if not actual or not expected:
            raise AssertionError(
                f"The trial ended after {len(whole.results)} epochs: there is no epoch to compare with "
                f"{what}. Choose a configuration that is trained longer."
            )

    def _compare_arrays(self, actual: Mapping[str, Any], expected: Mapping[str, Any], where: str) -> None:
        np.testing.assert_equal(sorted(actual), sorted(expected), where)
        for name, value in expected.items():
            message = f"{where}: {name} differs"
            if np.issubdtype(np.asarray(value).dtype, np.floating):
                np.testing.assert_allclose(actual[name], value, self.rtol, self.atol, err_msg=message)
            else:
                np.testing.assert_array_equal(actual[name], value, message)


def _numbered(config: Mapping[str, Any], trial: int) -> dict[str, Any]:
    # A deep copy: a trainable that changes its configuration must not change that of the next test.
    return ControlValues(trial).wrap(copy.deepcopy(dict(config)))


def _state(worker: KerasTrainable) -> Snapshot:
    with tempfile.TemporaryDirectory() as directory:
        worker.save_checkpoint(directory)
        return checkpoint.read(Path(directory))
