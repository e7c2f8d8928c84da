"""The tuner of KerasTuner, whose searches are runs of ours: on all cores of this machine, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from search_spaces import Fixed, SearchSpace
from trainables import Data
from tune_jobs.base.loading import SearchFound, is_loading
from tune_jobs.engine import resume, run
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.environment import variables_set
from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.define_by_run.space import NOTHING_TO_SEARCH, FoundSpace
from tune_jobs.keras_tuner.display import SearchDisplay, own_output
from tune_jobs.keras_tuner.errors import FatalValueError
from tune_jobs.keras_tuner.fit_arguments import FitArguments
from tune_jobs.keras_tuner.hypermodel import FunctionHyperModel, HyperModel, get_hypermodel
from tune_jobs.keras_tuner.oracle import Oracle
from tune_jobs.keras_tuner.planning import SearchPlan, plan_of_fit, plan_of_own_code, space_of_builds
from tune_jobs.keras_tuner.projects.folder import continued_experiment, delete_search, refuse_arguments
from tune_jobs.keras_tuner.projects.theirs import is_theirs, runs_to_begin_with
from tune_jobs.keras_tuner.results import SearchResults
from tune_jobs.keras_tuner.trial import Trial
from tune_jobs.keras_tuner.trials.callbacks import hooks_of
from tune_jobs.keras_tuner.trials.recipe import MOST_STEPS, Overrides, Recipe
from tune_jobs.keras_tuner.trials.run_trial import run_trial, running_code
from tune_jobs.keras_tuner.trials.trainable import trainable_of
from tune_jobs.results import Ending
from tune_jobs.results.layout import EXPERIMENT_FILE
from tune_jobs.results.run import Run
from tune_jobs.schedulers import NoScheduler

_LARGEST_RETRIES = 3


class Tuner(SearchResults):
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
        warm_start: Sources of earlier results, with which the search begins: folders of KerasTuner's own searches, and
            all that ``tune_jobs.run`` takes.
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
        warm_start: Sequence[Run | Path | str] = (),
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
        self._warm_start = warm_start
        self._data: Data | None = None
        if is_loading():
            pass  # only to find the search: its folder is neither read nor deleted
        elif overwrite:
            delete_search(self._folder)
        elif is_theirs(self._folder):
            raise FatalValueError(
                f"{self._folder} holds a search of KerasTuner itself, which cannot be continued here: choose another "
                "`project_name`, and give warm_start=[this folder] to begin with what it found, or overwrite=True to "
                "delete it."
            )
        elif (self._folder / EXPERIMENT_FILE).exists():
            print(f"Reloading Tuner from {self._folder / EXPERIMENT_FILE}")  # noqa: T201 - as KerasTuner does
            if not oracle.is_seed_given:
                oracle.seed = Run(self._folder).experiment["seed"]
        if self.hypermodel is not None:
            oracle.take(space_of_builds(self.hypermodel, oracle), self._folder)
        elif type(self).run_trial is Tuner.run_trial:
            raise FatalValueError(
                "The value of `hypermodel` is None, but must be a function build_model(hp) or an instance of "
                "kt.HyperModel, unless a subclass overrides run_trial()."
            )
        else:  # what run_trial asks for is found when `search` tells its arguments
            oracle.take(FoundSpace(SearchSpace(**{NOTHING_TO_SEARCH: Fixed(True)}), {}), self._folder)

    # What users call.

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Train one configuration after another, as many side by side as fit. A search of this name is continued.

        Args:
            fit_args: The arguments of ``keras.Model.fit``.
            fit_kwargs: The arguments of ``keras.Model.fit`` by name.

        Raises:
            FatalValueError: A value is wrong, or something has changed since the search began.
            KeyboardInterrupt: Ctrl-C came. What was found is kept, and the search goes on when it is called again.
            RequestError: The search is wrong in another way; all mistakes are listed.
            RunFailed: Every trial failed, or many in a row failed alike.
        """
        plan = self._plan(fit_args, fit_kwargs)
        if is_loading():
            raise SearchFound(self._experiment(plan))
        self._data = plan.data
        self.on_search_begin()
        self._carry_out(self._experiment(plan), fit_kwargs.get("verbose", "auto"))
        self.on_search_end()

    def run_trial(self, trial: Trial, *fit_args: Any, **fit_kwargs: Any) -> Any:
        """Build and fit the model of a trial in a worker, as often as ``executions_per_trial`` says.

        Override it to change the arguments of the fit by what ``trial.hyperparameters`` answers, or to do something
        else altogether. A search calls it before the first trial, too, to find the space: nothing is trained then.

        Args:
            trial: The trial.
            fit_args: What ``search`` got.
            fit_kwargs: What ``search`` got by name.

        Returns:
            A number, a dictionary of metrics, a ``History``, or a list of these, of which the mean counts.
        """
        return run_trial(self, trial, fit_args, fit_kwargs)

    def save_model(self, trial_id: str, model: Any, step: int = 0) -> None:  # noqa: ARG002 - the last one counts
        """Keep the weights of a model as those of the trial that runs. For a ``run_trial`` of one's own.

        Args:
            trial_id: The trial.
            model: The model.
            step: The epoch.
        """
        if (code := running_code()) is not None:
            code.best.take(model)

    def build(self, hp: HyperParameters) -> Any:
        """Return the compiled model of a configuration, with what the tuner replaces in it.

        Args:
            hp: The hyperparameters.

        Raises:
            FailedTrialError: The model is larger than ``max_model_size``.
        """
        return Recipe(self.hypermodel, self.oracle.found, FitArguments(), self.oracle.objective, self._overrides).build(
            hp
        )

    # How it is done.

    @property
    def _folder(self) -> Path:
        return Path(self.directory) / self.project_name

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_data": None}  # the workers have the data already

    def _plan(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> SearchPlan:
        """Return the plan of a search."""
        hypermodel = self.hypermodel
        has_own_fit = hypermodel is not None and getattr(hypermodel.fit, "__func__", None) is not HyperModel.fit
        if type(self).run_trial is not Tuner.run_trial or has_own_fit:
            return plan_of_own_code(self.run_trial, hypermodel, self.oracle, args, kwargs)
        return plan_of_fit(self.oracle.found, args, kwargs)

    def _experiment(self, plan: SearchPlan) -> Experiment:
        oracle, found = self.oracle, plan.found
        oracle.take(found, self._folder)
        max_epochs = oracle.epochs(plan.arguments.epochs)
        is_live = plan.data is None and plan.has_own_code and oracle.epochs(0) > 1 and self.executions_per_trial == 1
        is_by_epochs = plan.data is not None or is_live
        recipe = Recipe(
            hypermodel=self.hypermodel,
            found=found,
            arguments=plan.arguments,
            objective=oracle.objective,
            overrides=self._overrides,
            tuner=self if plan.has_own_code or _has_hooks(self) else None,
            args=plan.args,
            kwargs=plan.kwargs or {},
            max_epochs=max_epochs,
            oracle_sets_epochs=oracle.epochs(1) != 1,
            has_own_code=plan.has_own_code,
            is_live=is_live,
            parameter_of=oracle.parameter_of(),
        )
        return Experiment(
            trainable=trainable_of(recipe, plan.data),
            space=found.space,
            objective=oracle.objective.metric_objective,
            searcher=oracle.searcher(found),
            scheduler=oracle.scheduler(max_epochs) if is_by_epochs else NoScheduler(),
            max_epochs=max_epochs if is_by_epochs else MOST_STEPS,
            trials=oracle.trials_of(found),
            executions=self.executions_per_trial if plan.data is not None else 1,
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
            kind = type(self)
            on_begin = None if kind.on_trial_begin is Tuner.on_trial_begin else self.on_trial_begin
            on_end = None if kind.on_trial_end is Tuner.on_trial_end else self.on_trial_end
            reporter = SearchDisplay(self.oracle, stream, verbose, on_begin, on_end)
            if existing is None:
                run(
                    experiment,
                    storage=self.directory,
                    name=self.project_name,
                    experiment_name=_experiment_name(self.hypermodel),
                    warm_start=stack.enter_context(
                        runs_to_begin_with(self._warm_start, self.oracle.objective, self.oracle.found)
                    ),
                    reporter=reporter,
                )
            else:
                continued = continued_experiment(experiment, existing)
                if continued is not None:
                    resume(existing.location, continued, force=True, reporter=reporter)
        if self.run.history().reason == Ending.INTERRUPTED:
            raise KeyboardInterrupt  # the rest of the script is not to go on; the search does when it is run again


def _experiment_name(hypermodel: HyperModel | None) -> str:
    if isinstance(hypermodel, FunctionHyperModel):
        return str(hypermodel.name)
    return "search" if hypermodel is None else type(hypermodel).__name__


def _has_hooks(tuner: Tuner) -> bool:
    return bool(hooks_of(tuner, None))
