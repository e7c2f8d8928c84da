#!/usr/bin/env bash
# JAX on a CPU: within a loop, the gradient of a convolution takes 25 times as long.
#
# Versions: jax 0.10.2, Python 3.11.
# Surprise: five training steps by `lax.fori_loop` take far longer than five calls of the same jitted step. XLA hands a convolution to a
#   fast library only if its axes have one order. Outside of loops it adds the transpositions that others need. Within a loop it adds
#   none, and computes the convolution number by number. The gradient for a kernel always has another order.
#   Known for loops since 2022: https://github.com/jax-ml/jax/issues/12868.
# Seen: "five steps: 20 ms alone, 500 ms in a loop".
# Exit status: 0 while the loop takes more than 5 times as long, 1 when it does not any more.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "jax==0.10.2"
cd "$folder"
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PY'
import sys
import time

import jax
import jax.numpy as jnp

images, first = jnp.ones((128, 13, 13, 16)), jnp.ones((3, 3, 16, 32))
LAYOUT = ("NHWC", "HWIO", "NHWC")


def loss(kernel, images):
    return (jax.lax.conv_general_dilated(images, kernel, (1, 1), "VALID", dimension_numbers=LAYOUT) ** 2).sum()


def step(kernel, images):
    return kernel - 1e-9 * jax.grad(loss)(kernel, images)


alone = jax.jit(step)
loop = jax.jit(lambda kernel, images: jax.lax.fori_loop(0, 5, lambda _, kernel: step(kernel, images), kernel))


def five_alone():
    kernel = first
    for _ in range(5):
        kernel = alone(kernel, images)
    return kernel


def least_ms(function):
    jax.block_until_ready(function())
    times = []
    for _ in range(3):
        begun = time.process_time()
        jax.block_until_ready(function())
        times.append(time.process_time() - begun)
    return 1e3 * min(times)


alone_ms, loop_ms = least_ms(five_alone), least_ms(lambda: loop(first, images))
print(f"five steps: {alone_ms:.0f} ms alone, {loop_ms:.0f} ms in a loop")
sys.exit(0 if loop_ms > 5 * alone_ms else 1)
PY
