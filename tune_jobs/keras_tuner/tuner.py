"""The tuner of KerasTuner, whose searches are runs of ours: on all cores of this machine, or on a Ray cluster."""

from __future__ import annotations

from contextlib import ExitStack, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from tune_jobs.engine import resume, run
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.environment import variables_set
from tune_jobs.keras_tuner import fit_arguments
from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.define_by_run.space import FoundSpace, find_space
from tune_jobs.keras_tuner.display import SearchDisplay, own_output, print_results, print_space
from tune_jobs.keras_tuner.errors import FatalRuntimeError, FatalValueError, NotSupported
from tune_jobs.keras_tuner.fit_arguments import FitRequest
from tune_jobs.keras_tuner.hypermodel import FunctionHyperModel, HyperModel, build, get_hypermodel
from tune_jobs.keras_tuner.models import trained_model
from tune_jobs.keras_tuner.oracle import Oracle, new_entries
from tune_jobs.keras_tuner.project import continued_experiment, delete_search, refuse_arguments
from tune_jobs.keras_tuner.trainable import Overrides, Recipe, compile_again, trainable_of
from tune_jobs.keras_tuner.trial import Trial
from tune_jobs.results.layout import EXPERIMENT_FILE
from tune_jobs.results.run import Run

_LARGEST_RETRIES = 3


class Tuner:
    """A search: an oracle, a hypermodel, and a folder for what is found.

    Args:
        oracle: The oracle, which chooses the configurations.
        hypermodel: A function ``build_model(hp)`` that returns a compiled model, or a ``HyperModel``.
        max_model_size: The largest number of scalars in a model's parameters; a larger model is a failed trial.
        optimizer: An optimizer that replaces that of every model.
        loss: A loss that replaces that of every model.
        metrics: Metrics that replace those of every model.
        directory: The folder of all searches; None: the current one.
        project_name: The name of the search, a folder in ``directory``; None: "untitled_project".
        overwrite: True: an earlier search of this name is deleted. False: it is continued.
        executions_per_trial: The number of times that each configuration is trained, each with another seed.
        address: The address of a Ray cluster, such as "10.0.0.1:6379" or "auto"; None: this machine.
        resources: The resources of a trial; None: one CPU.
        max_concurrent_trials: The number of trials that run at the same time; None: as many as fit.
        others: Arguments of KerasTuner's that are not here: they are refused.

    Attributes:
        oracle: As given.
        hypermodel: The hypermodel; a function has become one.
        directory, project_name, executions_per_trial: As given.
    """

    def __init__(
        self,
        oracle: Oracle,
        hypermodel: Any = None,
        max_model_size: int | None = None,
        optimizer: Any = None,
        loss: Any = None,
        metrics: Any = None,
        *,
        directory: str | Path | None = None,
        project_name: str | None = None,
        overwrite: bool = False,
        executions_per_trial: int = 1,
        address: str | None = None,
        resources: Resources | None = None,
        max_concurrent_trials: int | None = None,
        **others: Any,
    ) -> None:
        refuse_arguments(type(self).__name__, others)
        if not isinstance(oracle, Oracle):
            raise ValueError(
                f"The value of `oracle` is {oracle!r}, but must be an oracle of tune_jobs.keras_tuner.oracles."
            )
        self.oracle = oracle
        self.hypermodel = get_hypermodel(hypermodel)
        self.directory = str(directory or ".")
        self.project_name = project_name or "untitled_project"
        self.executions_per_trial = executions_per_trial
        self._overrides = Overrides(optimizer, loss, metrics, max_model_size)
        self._address = address
        self._resources = resources or Resources()
        self._max_concurrent_trials = max_concurrent_trials
        self._request: FitRequest | None = None
        if overwrite:
            delete_search(self._folder)
        elif (self._folder / "oracle.json").exists() and not (self._folder / EXPERIMENT_FILE).exists():
            raise FatalValueError(
                f"{self._folder} holds a search of KerasTuner itself, which cannot be continued here: choose another "
                "`project_name`, or give overwrite=True to delete it."
            )
        elif (self._folder / EXPERIMENT_FILE).exists():
            print(f"Reloading Tuner from {self._folder / EXPERIMENT_FILE}")  # noqa: T201 - as KerasTuner does
            if not oracle.is_seed_given:
                oracle.seed = Run(self._folder).experiment["seed"]
        oracle.take(oracle.space_of(self._find_space()), self._folder)

    # What users call.

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Train one configuration after another, as many side by side as fit. A search of this name is continued.

        Args:
            fit_args: The arguments of ``keras.Model.fit``.
            fit_kwargs: The arguments of ``keras.Model.fit`` by name.

        Raises:
            FatalValueError: A value is wrong, or something has changed since the search began.
            RequestError: The search is wrong in another way; all mistakes are listed.
            RunFailed: Every trial failed, or many in a row failed alike.
        """
        given = fit_arguments.bound(fit_args, fit_kwargs)
        self._request = fit_arguments.fit_request(given)
        self.on_search_begin()
        self._carry_out(self._experiment(self._request), given["verbose"])
        self.on_search_end()

    def get_best_models(self, num_models: int = 1) -> list[Any]:
        """Return the best trials' models, compiled, with the weights of their best epochs; the best first.

        Args:
            num_models: The number of models at most.
        """
        return [self.load_model(trial) for trial in self.oracle.get_best_trials(num_models)]

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[HyperParameters]:
        """Return the best trials' hyperparameters, which a ``build_model(hp)`` takes; the best first.

        Args:
            num_trials: The number of trials at most.
        """
        return [trial.hyperparameters for trial in self.oracle.get_best_trials(num_trials)]

    def search_space_summary(self, extended: bool = False) -> None:  # noqa: ARG002 - KerasTuner ignores it, too
        """Print the space.

        Args:
            extended: Has no effect.
        """
        print_space(self.oracle)

    def results_summary(self, num_trials: int = 10) -> None:
        """Print the best trials.

        Args:
            num_trials: The number of trials at most.
        """
        print_results(self.oracle, self.project_dir, num_trials)

    def load_model(self, trial: Trial) -> Any:
        """Return the model of a trial, compiled, with the weights of its best epoch.

        Args:
            trial: The trial.
        """
        data = None if self._request is None else self._request.data
        return trained_model(self.run, trial, self._build, data)

    @property
    def run(self) -> Run:
        """The run of ``tune_jobs`` that the search is: its leaderboard, curves and journal.

        Raises:
            FatalRuntimeError: ``search`` has not been called.
        """
        if (run := self.oracle.run) is None:
            raise FatalRuntimeError("There are no trials yet: call search() first.")
        return run

    @property
    def remaining_trials(self) -> int | None:
        """The number of trials that are still to be run; None if nobody knows."""
        return self.oracle.remaining_trials()

    @property
    def project_dir(self) -> str:
        """The folder of the search."""
        return str(self._folder)

    def get_trial_dir(self, trial_id: str) -> str:
        """Return the folder of a trial's checkpoints."""
        from tune_jobs.results.layout import trial_folder

        return str(trial_folder(self._folder, int(trial_id)))

    def reload(self) -> None:
        """Do nothing: everything is read from the search's folder whenever it is asked for."""

    def save(self) -> None:
        """Do nothing: everything is in the search's folder already."""

    def on_search_begin(self) -> None:
        """Do something before the first trial. For subclasses."""

    def on_search_end(self) -> None:
        """Do something after the last trial. For subclasses."""

    # How it is done.

    @property
    def _folder(self) -> Path:
        return Path(self.directory) / self.project_name

    def _build(self, hp: HyperParameters) -> Any:
        if self.hypermodel is None:
            raise FatalRuntimeError("This tuner has no hypermodel, so no model can be built.")
        model = build(self.hypermodel, hp)
        compile_again(model, self._overrides)
        return model

    def _find_space(self) -> FoundSpace:
        if self.hypermodel is None:
            raise NotSupported(
                "The value of `hypermodel` is None, but must be a function build_model(hp), or an instance of "
                "kt.HyperModel."
            )
        if hasattr(type(self), "run_trial"):
            raise NotSupported(f"{type(self).__name__}.run_trial() is not supported yet: write a kt.HyperModel.")
        hypermodel = self.hypermodel
        if type(hypermodel).fit is not HyperModel.fit or "fit" in vars(hypermodel):
            raise NotSupported(f"{type(hypermodel).__name__}.fit() is not supported yet: build() is.")

        def ask(hp: HyperParameters) -> None:
            hypermodel.declare_hyperparameters(hp)
            build(hypermodel, hp)

        with redirect_stdout(StringIO()):  # the model is built many times, and what it prints would come as often
            found = find_space(
                ask,
                self.oracle.given,
                only_overrides=not self.oracle.tune_new_entries and self.oracle.allow_new_entries,
                reserved=("batch_size",),
            )
        given = {one.name for one in self.oracle.given}
        new = new_entries(found.parameters.values(), self.oracle.given)
        if new and not self.oracle.allow_new_entries:
            raise FatalRuntimeError(
                f"The model asks for {', '.join(dict.fromkeys(new))}, but `allow_new_entries` is False and "
                f"`hyperparameters` has only {', '.join(given) or 'none'}: add them there, or allow new entries."
            )
        return found

    def _experiment(self, request: FitRequest) -> Experiment:
        assert isinstance(self.hypermodel, HyperModel)  # noqa: S101 - _find_space has seen to it
        oracle, found = self.oracle, self.oracle.found
        recipe = Recipe(self.hypermodel, found, request.arguments, oracle.objective, self._overrides)
        max_epochs = oracle.epochs(request.arguments.epochs)
        return Experiment(
            trainable=trainable_of(recipe, request.data),
            space=found.space,
            objective=oracle.objective.metric_objective,
            searcher=oracle.searcher(found),
            scheduler=oracle.scheduler(max_epochs),
            max_epochs=max_epochs,
            trials=oracle.trials_of(found),
            executions=self.executions_per_trial,
            resources=self._resources,
            max_concurrent_trials=self._max_concurrent_trials,
            seed=oracle.seed,
            max_retries=max(_LARGEST_RETRIES, oracle.max_retries_per_trial),
            same_failures=oracle.max_consecutive_failed_trials,
            keep="all",
        )

    def _carry_out(self, experiment: Experiment, verbose: Any) -> None:
        """Run an experiment, or continue its run, and show the progress."""
        existing = self.oracle.run
        with ExitStack() as stack:
            if self._address is not None:
                stack.enter_context(variables_set({"RAY_ADDRESS": self._address}))
            stream = stack.enter_context(own_output())
            reporter = None if verbose == 0 else SearchDisplay(self.oracle, stream)
            if existing is None:
                run(
                    experiment,
                    storage=self.directory,
                    name=self.project_name,
                    experiment_name=_experiment_name(self.hypermodel),
                    reporter=reporter,
                )
            else:
                continued = continued_experiment(experiment, existing)
                if continued is not None:
                    resume(existing.location, continued, force=True, reporter=reporter)


def _experiment_name(hypermodel: HyperModel | None) -> str:
    if isinstance(hypermodel, FunctionHyperModel):
        return str(hypermodel.name)
    return type(hypermodel).__name__
