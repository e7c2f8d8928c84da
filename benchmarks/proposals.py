"""The cost of a proposal: a searcher proposes one configuration after another and hears the results of each.

    python -m benchmarks.proposals [--proposals 2000] [--searcher hyperopt] [--objectives 1] [--ray] [--json FILE]

As under ASHA, a third of the trials reach 3 epochs, a ninth 9, and so on. `--ray` measures Ray Tune's own
HyperOptSearch, which hears of one epoch of each trial. With `--objectives 2`, the number of units is to be small, too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from benchmarks.figures import parser_of, write_figures

RUNGS = (1, 3, 9, 27)


def loss_of(config: dict[str, Any]) -> float:
    """Return a loss that is a smooth valley over the numbers, so that the proposals gather in it."""
    rate = (math.log(config["learning_rate"]) + 6) ** 2 / 10
    return rate + (config["dropout"] - 0.2) ** 2 + (config["units"] - 128) ** 2 / 1e4 + 0.1 * config["layers"]


def ours(seed: int, name: str = "hyperopt", objectives: int = 1) -> Callable[[int], None]:
    """Return a function that asks one of this project's searchers once."""
    from benchmarks.noop import space
    from tune_jobs.searchers import SEARCHERS, Search
    from tune_jobs.searchers.scalarised import ScalarisedSearch

    def start() -> Search:
        return SEARCHERS[name]().start(space(), seed=seed, rungs=RUNGS[:-1], max_epochs=RUNGS[-1])

    search = start() if objectives == 1 else ScalarisedSearch(start, seed)

    def ask(trial: int) -> None:
        config = search.propose(trial)
        if not isinstance(config, dict):
            raise TypeError(config)
        reached = [rung for rung in RUNGS if trial % rung == 0]
        for rung in reached:
            losses = (loss_of(config) + 1 / rung, config["units"])
            search.report_all(trial, rung, losses[:objectives])
        search.end(trial, failed=False, trained_out=RUNGS[-1] in reached)

    return ask


def ray_tune(seed: int) -> Callable[[int], None]:
    """Return a function that asks Ray's searcher once."""
    from ray import tune
    from ray.tune.search.hyperopt import HyperOptSearch

    space = {
        "layers": tune.randint(1, 5),
        "units": tune.quniform(16, 256, 16),
        "dropout": tune.uniform(0.0, 0.5),
        "learning_rate": tune.loguniform(1e-4, 1e-1),
        "optimizer": tune.choice(["adam", "sgd", "rmsprop"]),
        "batch_size": tune.choice([32, 64, 128]),
        "augment": tune.choice([False, True]),
    }
    search = HyperOptSearch(space, metric="loss", mode="min", random_state_seed=seed)

    def ask(trial: int) -> None:
        config = search.suggest(str(trial))
        search.on_trial_complete(str(trial), {"loss": loss_of(config)})

    return ask


def measure(ask: Callable[[int], None], proposals: int) -> list[float]:
    """Return the CPU seconds of each proposal."""
    took = []
    for trial in range(proposals):
        begun_s = time.process_time()
        ask(trial)
        took.append(time.process_time() - begun_s)
    return took


def main() -> None:
    """Measure one searcher, or both."""
    parser = parser_of(__doc__)
    parser.add_argument("--proposals", type=int, default=2000)
    parser.add_argument("--searcher", default="hyperopt", help="the searcher to measure, by its name")
    parser.add_argument("--objectives", type=int, choices=(1, 2), default=1, help="the number of objectives")
    parser.add_argument("--ray", action="store_true", help="measure Ray Tune's HyperOptSearch as well")
    options = parser.parse_args()
    figures = {}
    sides = {options.searcher: ours(0, options.searcher, options.objectives)}
    if options.ray:
        sides["Ray's HyperOptSearch"] = ray_tune(0)
    for side, ask in sides.items():
        took = measure(ask, options.proposals)
        last = took[-20:]
        mean_ms, last_ms = 1000 * sum(took) / len(took), 1000 * sum(last) / len(last)
        figures[side] = {"all_s": sum(took), "mean_ms": mean_ms, "last_ms": last_ms}
        print(f"{side}: {len(took)} proposals, {mean_ms:.1f} CPU ms each in the mean, {last_ms:.1f} ms at last")
    write_figures(options, {"proposals": options.proposals, "figures": figures})


if __name__ == "__main__":
    main()
