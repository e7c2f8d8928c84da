#!/usr/bin/env bash
# Ray Tune: ASHA and HyperBand train trials whose loss is NaN to the end, while they stop trials with a finite loss.
#
# Versions: ray 2.60.0, Python 3.11.
# Surprise: 12 trials report the losses 0.1 i + 1 / iteration, but 2, 5 and 8 report NaN from the first iteration on. A diverged trial is
#   the first that one would stop. ASHA compares it with the rung's cutoff, and no comparison with NaN is true: it goes on at every rung.
#   HyperBand sorts a bracket's trials by values among which NaN has no place, and promotes NaN over finite losses. Python's float and
#   the metric named in TuneConfig are all that is used; `stop` bounds the iterations.
# Seen: "asha: iterations with NaN 9 9 9, median of the finite 1" and
#   "hyperband: a trial with NaN reached 9 iterations, 5 finite ones ended before". The last number may vary with the order of reports.
# Exit status: 0 while Ray behaves so, 1 when it does not any more.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "ray[tune]==2.60.0"
cd "$folder"
cat > nan_trials.py <<'PY'
import math
import statistics
import sys
from pathlib import Path

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler, HyperBandScheduler

DIVERGED = (2, 5, 8)
ITERATIONS = 9


class Curve(tune.Trainable):
    def setup(self, config):
        self.number, self.done_iterations = config["number"], 0

    def step(self):
        self.done_iterations += 1
        return {"loss": math.nan if self.number in DIVERGED else 0.1 * self.number + 1 / self.done_iterations}

    def save_checkpoint(self, checkpoint_dir):
        Path(checkpoint_dir, "iterations").write_text(str(self.done_iterations))

    def load_checkpoint(self, checkpoint_dir):
        self.done_iterations = int(Path(checkpoint_dir, "iterations").read_text())


def iterations(scheduler):
    results = tune.Tuner(
        Curve,
        param_space={"number": tune.grid_search(list(range(12)))},
        tune_config=tune.TuneConfig(metric="loss", mode="min", scheduler=scheduler),
        run_config=tune.RunConfig(
            storage_path=str(Path("results").resolve()), stop={"training_iteration": ITERATIONS}, verbose=0
        ),
    ).fit()
    return {result.config["number"]: result.metrics["training_iteration"] for result in results}


ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
asha = iterations(ASHAScheduler(max_t=ITERATIONS, grace_period=1, reduction_factor=3))
hyperband = iterations(HyperBandScheduler(time_attr="training_iteration", max_t=ITERATIONS, reduction_factor=3))
ray.shutdown()
diverged = [asha[number] for number in DIVERGED]
median = statistics.median(count for number, count in asha.items() if number not in DIVERGED)
has_promoted = any(hyperband[number] == ITERATIONS for number in DIVERGED)
ended_before = sum(count < ITERATIONS for number, count in hyperband.items() if number not in DIVERGED)
print(f"asha: iterations with NaN {' '.join(map(str, diverged))}, median of the finite {median:g}")
print(f"hyperband: {'a' if has_promoted else 'no'} trial with NaN reached 9 iterations, {ended_before} finite ones ended before")
sys.exit(0 if diverged == [ITERATIONS] * 3 and median == 1 and has_promoted and ended_before else 1)
PY
RAY_AIR_NEW_OUTPUT=0 "$folder/venv/bin/python" nan_trials.py 2>/dev/null
