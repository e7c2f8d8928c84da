#!/usr/bin/env bash
# Ray counts resources in ten-thousandths, and rounds what is asked for down, after a multiplication in floating point.
#
# Versions: ray 2.60.0, Python 3.11.
# Surprise: 0.57 of a CPU takes 0.5699 of one, because 0.57 * 10000 is 5699.999... in floating point, and 1/7 takes 0.1428.
#   So seven parts of 1/7 leave 0.0004 of a CPU over. Whoever computes how many tasks fit with a tolerance, or with rounding to the
#   nearest ten-thousandth, comes to other numbers than Ray.
# Seen: "0.57 takes 0.5699" and "1/7 takes 0.1428".
# Exit status: 0 while Ray behaves so, 1 when it does not any more.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "ray==2.60.0"
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import sys
import time

import ray
from ray.util.placement_group import placement_group, remove_placement_group

ray.init(num_cpus=1, include_dashboard=False, logging_level="ERROR")


def taken(amount):
    """Return what a placement group of so much of a CPU takes away from what is available."""
    group = placement_group([{"CPU": amount}])
    ray.get(group.ready())
    deadline = time.monotonic() + 30
    while (left := ray.available_resources().get("CPU", 0.0)) == 1.0 and time.monotonic() < deadline:
        time.sleep(0.2)
    remove_placement_group(group)
    while ray.available_resources().get("CPU", 0.0) != 1.0 and time.monotonic() < deadline:
        time.sleep(0.2)
    return round(1 - left, 6)


seen = {"0.57": taken(0.57), "1/7": taken(1 / 7)}
ray.shutdown()
for name, amount in seen.items():
    print(f"{name} takes {amount:g}")
sys.exit(0 if seen == {"0.57": 0.5699, "1/7": 0.1428} else 1)
PY
