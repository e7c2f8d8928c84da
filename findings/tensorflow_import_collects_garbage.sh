#!/usr/bin/env bash
# Keras on TensorFlow: a fifth of `import keras` is Python's garbage collector, and so is nearly all of the process's end.
#
# Versions: keras 3.15.1, tensorflow 2.21.0, Python 3.11.
# Surprise: the import leaves some 770,000 objects that live as long as the process, and the collector walks over them again and
#   again while they are made: a fifth of the import's CPU time. `gc.disable()` before the import and `gc.enable()` after it save that. At
#   its end Python collects them once more and takes them apart: with `gc.freeze()` as the last statement the process ends at once.
# Seen, beside other work: "import keras: 1.94 CPU s, without the collector 1.54 (0.79); end of the process: 1.96 s, frozen 0.16".
# Exit status: 0 while they behave so, 1 when they do not any more.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "keras==3.15.1" "tensorflow==2.21.0"
cd "$folder"
export TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=""
"$folder/venv/bin/python" - <<'PY' 2>/dev/null
import statistics
import subprocess
import sys
import time

IMPORT = "import gc, sys, time; {before}; import keras; {after}; sys.stdout.write(f'{{time.process_time()}} {{time.time()}}')"


def run(before, after):
    command = [sys.executable, "-c", IMPORT.format(before=before, after=after)]
    cpu_s, said_s = map(float, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    return cpu_s, time.time() - said_s


run("pass", "pass")  # the files are in memory, and compiled, from now on
plain, helped = [], []
for _ in range(5):
    plain.append(run("pass", "pass"))
    helped.append(run("gc.disable()", "gc.freeze()"))
(import_s, end_s), (import_helped_s, end_helped_s) = (
    [statistics.median(column) for column in zip(*rounds)] for rounds in (plain, helped)
)
ratio = import_helped_s / import_s
print(
    f"import keras: {import_s:.2f} CPU s, without the collector {import_helped_s:.2f} ({ratio:.2f}); "
    f"end of the process: {end_s:.2f} s, frozen {end_helped_s:.2f}"
)
sys.exit(0 if ratio < 0.92 and end_helped_s < end_s / 2 else 1)
PY
