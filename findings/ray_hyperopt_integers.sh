#!/usr/bin/env bash
# Ray Tune with HyperOptSearch: the ends of an integer range come half as often as the rest, and a stepped range loses its last value.
#
# Versions: ray 2.60.0, hyperopt 0.3.0, Python 3.11.
# Surprise: `tune.randint(1, 4)` means 1, 2 and 3 alike, and Ray's own sampler draws them so. HyperOptSearch hands the range to
#   HyperOpt's `uniformint`, which rounds a uniform number between 1 and 3: only half of an interval is rounded to each end.
#   `tune.qrandint(2, 10, 2)` includes 10 for Ray, and never gives it here. All proposals below are random ones, before TPE begins.
# Seen: "randint(1, 4): 1 26 %, 2 50 %, 3 24 %; Ray alone 1 33 %, 2 34 %, 3 33 %", and
#   "qrandint(2, 10, 2): largest of 3000 draws 8; Ray alone 10".
# Exit status: 0 while they behave so, 1 when they do not any more.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "ray[tune]==2.60.0" "hyperopt==0.3.0"
cd "$folder"
"$folder/venv/bin/python" - <<'PY' 2>/dev/null
import random
import sys

import numpy as np
from ray import tune
from ray.tune.search.hyperopt import HyperOptSearch

DRAWS = 3000


def proposals(domain):
    search = HyperOptSearch({"x": domain}, metric="loss", mode="min", n_initial_points=DRAWS + 1, random_state_seed=0)
    return [int(search.suggest(f"{number}")["x"]) for number in range(DRAWS)]


def own(domain):
    random.seed(0)
    np.random.seed(0)
    return [int(value) for value in domain.sample(size=DRAWS)]


def shares(values):
    return [values.count(value) / DRAWS for value in (1, 2, 3)]


def text(parts):
    return ", ".join(f"{value} {part:.0%}" for value, part in zip((1, 2, 3), parts, strict=True)).replace("%", " %")


searched, sampled = shares(proposals(tune.randint(1, 4))), shares(own(tune.randint(1, 4)))
last, last_sampled = max(proposals(tune.qrandint(2, 10, 2))), max(own(tune.qrandint(2, 10, 2)))
print(f"randint(1, 4): {text(searched)}; Ray alone {text(sampled)}")
print(f"qrandint(2, 10, 2): largest of {DRAWS} draws {last}; Ray alone {last_sampled}")
is_uneven = np.allclose(searched, [0.25, 0.5, 0.25], atol=0.03) and np.allclose(sampled, 1 / 3, atol=0.03)
sys.exit(0 if is_uneven and (last, last_sampled) == (8, 10) else 1)
PY
