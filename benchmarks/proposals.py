"""The cost of a proposal: HyperOpt's searcher proposes one configuration after another and hears the result of each.

    python -m benchmarks.proposals [--proposals 2000] [--ray] [--json FILE]

`--ray` measures Ray Tune's own HyperOptSearch in the same way.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from benchmarks.figures import parser_of, write_figures


def loss_of(config: dict[str, Any]) -> float:
    """Return a loss that is a smooth valley over the numbers, so that the proposals gather in it."""
    rate = (math.log(config["learning_rate"]) + 6) ** 2 / 10
    return rate + (config["dropout"] - 0.2) ** 2 + (config["units"] - 128) ** 2 / 1e4 + 0.1 * config["layers"]


def ours(seed: int) -> Callable[[int], None]:
    """Return a function that asks this project's searcher once."""
    from benchmarks.noop import space
    from tune_jobs import HyperOpt

    search = HyperOpt().start(space(), seed=seed, rungs=(), max_epochs=1)

    def ask(trial: int) -> None:
        config = search.propose(trial)
        if not isinstance(config, dict):
            raise TypeError(config)
        search.report(trial, 1, loss_of(config))
        search.end(trial, failed=False, trained_out=True)

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
    parser.add_argument("--ray", action="store_true", help="measure Ray Tune's HyperOptSearch as well")
    options = parser.parse_args()
    figures = {}
    for side, begin in {"tune-jobs": ours, **({"Ray's HyperOptSearch": ray_tune} if options.ray else {})}.items():
        took = measure(begin(seed=0), options.proposals)
        last = took[-20:]
        figures[side] = {"all_s": sum(took), "last_ms": 1000 * sum(last) / len(last)}
        print(f"{side}: {len(took)} proposals {sum(took):.1f} CPU s, one of the last {figures[side]['last_ms']:.1f} ms")
    write_figures(options, {"proposals": options.proposals, "figures": figures})


if __name__ == "__main__":
    main()
