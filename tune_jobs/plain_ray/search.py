"""A searcher as the ``search_alg`` of Ray's ``Tuner``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray.tune.search import Searcher as RaySearcher

from search_spaces import SearchSpace
from trainables.settings import DRAW_KEY, INACTIVE
from tune_jobs.errors import RequestError
from tune_jobs.plain_ray.losses import BestLosses, check_objective
from tune_jobs.schedulers import Scheduler
from tune_jobs.searchers import Searcher, Waiting


class SearchForRay(RaySearcher):
    """A searcher of this project that Ray Tune asks for configurations: see ``Searcher.for_ray``.

    What Ray saves of it is the list of its calls. ``restore`` makes them again, so that it goes on as if nothing had
    happened.

    Args:
        searcher: The searcher.
        space: The space to search.
        scheduler: The scheduler of the trials, whose rungs the searcher judges them at.
        max_epochs: The number of reports of a trial that nothing stops.
        seed: The seed of the proposals.

    Raises:
        RequestError: The searcher cannot search the space.
    """

    def __init__(
        self, searcher: Searcher, space: SearchSpace, scheduler: Scheduler, *, max_epochs: int, seed: int
    ) -> None:
        super().__init__()
        if problems := searcher.space_problems(space):
            raise RequestError(*problems)
        self._searcher, self._space, self._seed = searcher, space, seed
        self._rungs, self._max_epochs = scheduler.rungs(max_epochs), max_epochs
        self._names = set(space.parameters)
        self._begin()

    def _begin(self) -> None:
        self._calls: list[list[Any]] = []
        self._numbers: dict[str, int] = {}
        self._best = BestLosses()
        self._epochs: dict[int, int] = {}
        self._search = self._searcher.start(
            self._space, seed=self._seed, rungs=self._rungs, max_epochs=self._max_epochs
        )

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: Any) -> bool:  # noqa: ARG002 - Ray's signature
        """Take the objective of the ``TuneConfig``.

        Raises:
            RequestError: There is no objective.
        """
        check_objective(metric, mode, "a searcher")
        self._metric, self._mode = metric, mode
        # Ray merges a proposal into param_space: a name that the proposal lacks would keep its domain.
        self._names = set(self._space.parameters) | ({DRAW_KEY} & set(config))
        return True

    def suggest(self, trial_id: str) -> Any:
        """Return the configuration of a trial: None if Ray should ask later, FINISHED if nothing is left to try."""
        number = len(self._numbers)
        config = self._search.propose(number)
        if config is None:
            return RaySearcher.FINISHED
        if isinstance(config, Waiting):
            return None
        self._numbers[trial_id] = number
        self._calls.append(["propose", trial_id])
        return {**dict.fromkeys(self._names, INACTIVE), **config}

    def on_trial_result(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Take in a report of a trial."""
        number, epoch = self._numbers[trial_id], int(result["training_iteration"])
        self._epochs[number] = epoch
        loss = self._best.add(number, result, self._metric, self._mode)
        if loss is not None:
            self._calls.append(["report", number, epoch, loss])
            self._search.report(number, epoch, loss)

    def on_trial_complete(self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False) -> None:
        """Take in that a trial ended; its last report comes with the end alone."""
        number = self._numbers[trial_id]
        if result and result.get("training_iteration", 0) > self._epochs.get(number, 0):
            self.on_trial_result(trial_id, result)
        has_all = self._epochs.get(number, 0) >= self._max_epochs
        failed = error or number not in self._best
        self._calls.append(["end", number, failed, has_all])
        self._search.end(number, failed=failed, trained_out=has_all)

    def save(self, checkpoint_path: str) -> None:
        """Write the calls so far into a file."""
        state = {"objective": [self._metric, self._mode], "names": sorted(self._names), "calls": self._calls}
        Path(checkpoint_path).write_text(json.dumps(state))

    def restore(self, checkpoint_path: str) -> None:
        """Make the calls of a file again, on a fresh search."""
        state = json.loads(Path(checkpoint_path).read_text())
        self._begin()
        self._metric, self._mode = state["objective"]
        self._names = set(state["names"])
        for kind, *values in state["calls"]:
            if kind == "propose":
                self.suggest(values[0])
            elif kind == "report":
                number, epoch, loss = values
                self._epochs[number], self._best[number] = epoch, loss
                self._search.report(number, epoch, loss)
            else:
                number, failed, has_all = values
                self._search.end(number, failed=failed, trained_out=has_all)
        self._calls = state["calls"]

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Write the state as Ray does, once its run has an objective."""
        folder = Path(checkpoint_dir)
        scratch = folder / f".{self.CKPT_FILE_TMPL.format(session_str)}"
        self.save(str(scratch))
        scratch.replace(folder / self.CKPT_FILE_TMPL.format(session_str))
