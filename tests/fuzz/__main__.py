"""The command of the fuzzer: ``python -m tests.fuzz --seed 1 --inputs 10000``."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from tests.fuzz.verdict import FAULTS, Outcome

_LIBRARIES = (
    *("keras", "matplotlib.pyplot", "pyarrow.parquet", "ray.scripts.scripts", "rich.progress", "sklearn.metrics"),
    *("yaml", "tests.fuzz.kinds", "tests.fuzz.watch"),
)
_SIDE_EFFECTS = {"__main__", "examples", "keras_tuner", "worker_preload"}


def main() -> int:
    """Carry out the inputs, print what was found, and return 1 if anything was."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        prepared = Path(folder)
        _prepare(prepared / "template")
        if options.only is not None:
            return _one(options, prepared)
        return _all(options, prepared)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Odd inputs, each answered in words.")
    parser.add_argument("--seed", type=int, default=1, help="seed of all inputs")
    parser.add_argument("--inputs", type=int, default=10_000, help="number of inputs")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--only", type=int, help="carry out this input alone, and show what it prints")
    parser.add_argument("--kind", help="carry out inputs of this kind only")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="processes at once")
    return parser.parse_args()


def _prepare(template: Path) -> None:
    """Load what inputs need, so that each of them is only a fork, and make the box that they get copies of."""
    from trainables.tensorflow_log import quiet_tensorflow

    os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "MPLBACKEND": "agg", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    quiet_tensorflow()
    process = os.fork()
    if process == 0:  # training starts threads, which no fork has
        from tests.fuzz.box import make_template

        status = 1
        try:
            make_template(template)
            status = 0
        except Exception:  # noqa: BLE001 - the fork must end here, whatever happens
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    if os.waitpid(process, 0)[1]:
        raise SystemExit("The box of all inputs could not be made.")
    _load_modules()
    from tests.fuzz.large_pages import use_large_pages
    from tests.fuzz.offline import leave_network_out, leave_ray_out

    leave_ray_out()
    leave_network_out()
    gc.collect()
    gc.freeze()
    use_large_pages()


def _load_modules() -> None:
    """Load what an input may import, or else each of them would load it anew."""
    import trainables
    import tune_jobs

    for name in _LIBRARIES:
        import_module(name)
    for name in tune_jobs.__all__:
        getattr(tune_jobs, name)
    for package in (trainables, tune_jobs):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if not _SIDE_EFFECTS.intersection(module.name.split(".")):
                import_module(module.name)


def _jobs(options: argparse.Namespace) -> Iterator[object]:
    from tests.fuzz.children import Job
    from tests.fuzz.kinds import kind_of

    for number in range(options.first, options.first + options.inputs):
        kind = kind_of(options.seed, number)
        if options.kind in (None, kind):
            yield Job(options.seed, number, kind)


def _one(options: argparse.Namespace, prepared: Path) -> int:
    from tests.fuzz.children import Job, carry_out_here
    from tests.fuzz.kinds import kind_of

    kind = options.kind or kind_of(options.seed, options.only)
    folder = Path(tempfile.mkdtemp(prefix="fuzz-input-"))
    outcome = carry_out_here(Job(options.seed, options.only, kind), prepared / "template", folder)
    print(f"{outcome.output}\n{kind}: {outcome.words}\nits folder: {folder}/{options.only}/box")
    print(f"exit status {outcome.status}, {outcome.took_s:.2f} s, faults: {', '.join(outcome.faults) or 'none'}")
    print(*filter(None, [outcome.raised, *outcome.outside]), sep="\n")
    return 1 if outcome.faults else 0


def _all(options: argparse.Namespace, prepared: Path) -> int:
    from tests.fuzz.children import Job, carry_out

    started_s = time.monotonic()
    counts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    found: list[Outcome] = []
    for outcome in carry_out(_jobs(options), prepared / "template", prepared / "boxes", options.jobs):
        kinds[outcome.kind] += 1
        seconds[outcome.kind] += outcome.took_s
        if outcome.faults == ["silent"]:
            # The machine may have been busy with something else.
            again = Job(options.seed, outcome.number, outcome.kind)
            (outcome,) = carry_out([again], prepared / "template", prepared / "again", 1, grace_s=25.0)
        if outcome.faults:
            found.append(outcome)
            counts.update(outcome.faults)
            _print_fault(options.seed, outcome)
        if sum(kinds.values()) % 1000 == 0:
            print(f"{sum(kinds.values())} inputs, {time.monotonic() - started_s:.0f} s", flush=True)
    took_s = time.monotonic() - started_s
    print(f"\nseed {options.seed}: {sum(kinds.values())} inputs in {took_s:.0f} s")
    for kind, count in kinds.most_common():
        wrong = sum(outcome.kind == kind for outcome in found)
        print(f"  {kind:16} {count:6}  {1000 * seconds[kind] / count:5.0f} ms each  with a fault: {wrong}")
    print("  " + ", ".join(f"{name}: {counts[name]}" for name in FAULTS))
    return 1 if found else 0


def _print_fault(seed: int, outcome: Outcome) -> None:
    shortened = replace(outcome, output="", raised=None)
    print(f"FAULT {', '.join(outcome.faults)}: {shortened.kind}: {shortened.words[:400]!r}")
    why = outcome.raised or outcome.output
    for line in [*why.strip().splitlines()[-3:], *outcome.outside]:
        print(f"      {line[:300]}")
    print(
        f"      {outcome.took_s:.1f} s; repeat: python -m tests.fuzz --seed {seed} --only {outcome.number}", flush=True
    )


if __name__ == "__main__":
    sys.exit(main())
