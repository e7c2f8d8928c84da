#!/usr/bin/env bash
# Ray: after the first call of an actor, `ray.shutdown()` sleeps for a quarter of a second, dashboard or not.
#
# Versions: ray 2.60.0, Python 3.11.
# Surprise: the driver's part of the shutdown takes 0.006 s until a task has run, and 0.25 s afterwards, whether the actors still live or
#   left long ago. It waits while the history of calls is handed over, which only the dashboard and the state API show. With
#   `RAY_task_events_report_interval_ms=0` (no history) it takes 0.006 s again. `include_dashboard=False` changes nothing.
# Seen: "the driver's part of a shutdown: 0.257 s, without the history of calls 0.006 s".
# Exit status: 0 while Ray behaves so, 1 when it does not any more.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "ray==2.60.0"
cd "$folder"
cat >shut_down.py <<'PY'
import sys
import time

import ray

ray.init(address="local", num_cpus=1, include_dashboard=False, logging_level=40, log_to_driver=False)


@ray.remote
class Counter:
    def one(self):
        return 1


counter = Counter.remote()
for _ in range(20):
    ray.get(counter.one.remote())
worker = ray._private.worker.global_worker
shut_down = worker.core_worker.shutdown_driver
began = time.perf_counter()
shut_down()
print(time.perf_counter() - began)
sys.stdout.flush()
PY
with=$("$folder/venv/bin/python" shut_down.py 2>/dev/null | tail -1)
without=$(RAY_task_events_report_interval_ms=0 "$folder/venv/bin/python" shut_down.py 2>/dev/null | tail -1)
"$folder/venv/bin/python" - "$with" "$without" <<'PY'
import sys

with_s, without_s = map(float, sys.argv[1:])
print(f"the driver's part of a shutdown: {with_s:.3f} s, without the history of calls {without_s:.3f} s")
sys.exit(0 if with_s > 0.2 > 4 * without_s else 1)
PY
