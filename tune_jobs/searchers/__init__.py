"""What to try: the searchers, one file each."""

from tune_jobs.searchers.base import Search, Searcher
from tune_jobs.searchers.grid import Grid
from tune_jobs.searchers.hyperopt_tpe import HyperOpt
from tune_jobs.searchers.random_search import Random

SEARCHERS: dict[str, type[Searcher]] = {kind.NAME: kind for kind in (HyperOpt, Random, Grid)}

__all__ = ["SEARCHERS", "Grid", "HyperOpt", "Random", "Search", "Searcher"]
