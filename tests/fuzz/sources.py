"""Odd experiment files: wrong values in every field, code that raises anything anywhere, text that is no Python."""

from __future__ import annotations

from tests.fuzz.act import Act, command
from tests.fuzz.box import GOOD_FILE, Box
from tests.fuzz.commands import allowed
from tests.fuzz.damage import damaged_bytes
from tests.fuzz.draw import Draw

_FIELDS = {
    "trainable": "Blobs",
    "space": "SearchSpace(rate=Float(0.001, 1.0))",
    "objective": 'Objective("val_accuracy", "max")',
    "searcher": "Random()",
    "scheduler": "ASHA()",
    "max_epochs": "3",
    "trials": "3",
    "time_budget_s": "None",
    "total_epochs": "None",
    "executions": "1",
    "fraction": "1.0",
    "resources": "Resources()",
    "max_concurrent_trials": "1",
    "on_oom": "'fail'",
    "seed": "0",
    "checkpoint_every_s": "60.0",
    "max_retries": "3",
    "same_failures": "5",
    "trial_timeout_s": "None",
    "keep": "10",
}
_VALUES = (
    *(
        "0",
        "-1",
        "1",
        "10**9",
        "10**400",
        "-10**5000",
        "1e-320",
        "1e301",
        "float('nan')",
        "float('inf')",
        "True",
        "None",
    ),
    *(
        "''",
        "'x'",
        "'x' * 10**6",
        "[]",
        "{}",
        "()",
        "object()",
        "object",
        "lambda: 1",
        "len",
        "b'x'",
        "range(10**9)",
        "...",
    ),
    *(
        "np.float32(1)",
        "np.int64(3)",
        "np.zeros(3)",
        "np.array([])",
        "keras",
        "Evil()",
        "Evil",
        "[Evil()]",
        "{'a': Evil()}",
    ),
    *(
        "Mute()",
        "[[[[[[[[[[1]]]]]]]]]]",
        "deep(500)",
        "deep(900)",
        "open('/dev/null')",
        "(i for i in [1])",
        "set()",
        "{1, 2}",
    ),
    *(
        "'\\ud800'",
        "'\\x1b[31mred'",
        "'\\n'",
        "'9' * 5000",
        "1j",
        "type('Own', (), {})",
        "Exception('x')",
        "NotImplemented",
    ),
    *(
        "Blobs",
        "Blobs()",
        "SearchSpace",
        "Random",
        "ASHA",
        "Objective",
        "Resources",
        "Float(0, 1)",
        "Grid()",
        "HyperOpt()",
    ),
)
_SPACES = (
    "SearchSpace()",
    "SearchSpace(rate=Float(1e-320, 1e301, log=True))",
    "SearchSpace(rate=Float(1e-320, 1e-310))",
    "SearchSpace(rate=Float(-1.7e308, 1.7e308))",
    "SearchSpace(rate=Float(0, 1e308, step=1e-300))",
    "SearchSpace(rate=Float(0.0, 1.0, step=1e-9))",
    "SearchSpace(rate=Int(0, 10**400))",
    "SearchSpace(rate=Int(1, 10**300, log=True))",
    "SearchSpace(rate=Int(1, 10**18))",
    "SearchSpace(**{f'p{i}': Int(1, 1000) for i in range(3)})",
    "SearchSpace(**{f'p{i}': Choice(*range(50)) for i in range(500)})",
    "SearchSpace(rate=Choice(*range(10**5)))",
    "SearchSpace(rate=Choice(*map(str, range(3000))))",
    "SearchSpace(rate=Int(1, 9), units=Float(0, 1).per('rate'))",
    "SearchSpace(n=Int(1, 400), rate=Float(0, 1).per('n'))",
    "SearchSpace(n=Int(1, 10**9), rate=Float(0, 1).per('n'))",
    "SearchSpace(a=Int(1, 7), b=Int(1, 7).per('a'), c=Int(1, 7).per('b'))",
    "chain(500)",
    "chain(499)",
    "chain(200)",
    "fan(499)",
    "grid_chain(300)",
    "lists(8)",
    "lists(9)",
    "SearchSpace(**{'r' * 5000: Float(0, 1)})",
    "SearchSpace(**{'trial': Float(0, 1), 'rank': Int(0, 1), 'status': Int(0, 1)})",
    "SearchSpace(rate=Choice(deep(30), deep(31)))",
    "SearchSpace(rate=Choice('x' * 10**6, 'y'))",
    "SearchSpace(rate=Fixed(deep(500)))",
    "SearchSpace(rate=Float(0, 1).when(rate=1))",
    "SearchSpace(a=Int(0, 1).when(b=1), b=Int(0, 1).when(a=1))",
    "SearchSpace(a=Choice(1, 2), rate=Float(0, 1).when(a=Evil()))",
    "SearchSpace(a=Choice(1, 2), rate=Float(0, 1).when(a=list(range(10**5))))",
    "SearchSpace(a=Choice(Evil(), 1))",
    "SearchSpace(a=Evil())",
    "{'rate': Evil()}",
    "{'rate': 1}",
    "{1: 2}",
)
_SEARCHERS = (
    "Grid()",
    "Sweep()",
    "Sweep([('p0', 'p1', 'p2')])",
    "Sweep([('rate',)])",
    "Sweep([tuple(f'p{i}' for i in range(500))])",
    "Sweep([f'p{i}' for i in range(500)])",
    "Sweep([('rate', Evil())])",
    "Sweep(Evil())",
    "Sweep([('a', 'b', 'c')])",
    "Sweep('rate', {'rate': 1e-320})",
    "Sweep('rate', Evil())",
    "HyperOpt()",
    "HyperOpt(points=[{'rate': 0.1}])",
    "HyperOpt(points=[{'rate': Evil()}])",
    "HyperOpt(points=Evil())",
    "HyperOpt(points=[{'rate': 1}] * 10**5)",
    "HyperOpt(startup_trials=10**400)",
    "HyperOpt(gamma=1e-320, prior_weight=1e301)",
    "HyperOpt(candidates=10**12)",
    "Bayesian(candidates=10**12)",
    "Bayesian()",
    "ASHA(brackets=10**9)",
    "ASHA(grace_period=10**400)",
    "ASHA(reduction_factor=Evil())",
    "Resources(cpus=1e-320)",
    "Resources(gpus=1e-320)",
    "Resources(cpus=1e301, gpus=1e301)",
    "Resources(custom={'x': 1e-320})",
    "Resources(custom={'x' * 5000: 1})",
    "Resources(custom={Evil(): Evil()})",
    "Resources(memory_bytes=10**400)",
    "Objective('x' * 10**6, 'max')",
    "Objective('\\x1b[31m', 'max')",
    "Objective(Evil(), Evil())",
)
_RAISED = (
    *(
        "ValueError('x')",
        "SystemExit",
        "SystemExit(3)",
        "SystemExit('left')",
        "KeyboardInterrupt",
        "KeyboardInterrupt('own')",
    ),
    *(
        "GeneratorExit",
        "GeneratorExit('x')",
        "StopIteration",
        "StopAsyncIteration",
        "MemoryError",
        "RecursionError",
        "Own",
    ),
    *(
        "Own('x')",
        "Unspeakable()",
        "ValueError('x' * 10**6)",
        "ValueError('\\x1b[31mred')",
        "OSError(28, 'No space left')",
    ),
    *(
        "BrokenPipeError(32, 'x')",
        "OSError(32, 'Broken pipe')",
        "ExceptionGroup('all', [ValueError(1)])",
        "AssertionError",
    ),
    *("BaseExceptionGroup('all', [SystemExit(1)])", "UnicodeDecodeError('utf-8', b'x', 0, 1, 'r')", "KeyError(Evil())"),
    *(
        "ImportError('x', name=None)",
        "ModuleNotFoundError(name='x.y')",
        "SyntaxError('x')",
        "SyntaxError('x', (None, 1, 1, 'y'))",
    ),
    *(
        "NotImplementedError",
        "ZeroDivisionError",
        "Warning",
        "BlockingIOError(11, 'x')",
        "InterruptedError",
        "TimeoutError",
    ),
    *(
        "click.Abort()",
        "click.exceptions.Exit(3)",
        "click.UsageError('x')",
        "InvalidDeclaration('x')",
        "RequestError('x')",
    ),
    *(
        "InvalidData('x')",
        "RunFailed('x')",
        "ValueError('\\ud800')",
        "asyncio.CancelledError()",
        "EOFError",
        "LookupError(1, 2)",
    ),
)
_HELPERS = """
import asyncio, click
from tune_jobs import *
from search_spaces import *
from search_spaces import InvalidDeclaration
from trainables import InvalidData


class Own(BaseException):
    pass


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("no words")
    __repr__ = __str__


class Evil:
    def __repr__(self):
        raise ValueError("no words")

    def __eq__(self, other):
        raise ValueError("no equal")

    def __bool__(self):
        raise ValueError("no truth")

    def __len__(self):
        raise ValueError("no length")

    def __iter__(self):
        raise ValueError("no parts")

    def __hash__(self):
        return 1


class Mute:
    def __getattr__(self, name):
        raise ValueError("no attributes")


def deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


def chain(count):
    parts = {"p0": Choice(0, 1)}
    for i in range(1, count):
        parts[f"p{i}"] = Choice(0, 1).when(**{f"p{i-1}": 1})
    return SearchSpace(**parts)


def fan(count):
    return SearchSpace(p0=Choice(0, 1), **{f"p{i}": Choice(0, 1).when(p0=1) for i in range(1, count)})


def grid_chain(count):
    parts = {"p0": Choice(*range(5)), "p1": Choice(*range(5))}
    for i in range(2, count):
        parts[f"p{i}"] = Choice(*range(5)).when(**{f"p{i-1}": [0, 1], f"p{i-2}": [1, 2]})
    return SearchSpace(**parts)


def lists(levels):
    parts = {"p0": Int(1, 2)}
    for i in range(1, levels + 1):
        parts[f"p{i}"] = Int(1, 2).per(f"p{i-1}")
    return SearchSpace(**parts)
"""
_TEXTS = (
    *(
        "",
        "\n",
        "#",
        "x = 1\n",
        "EXPERIMENT = 1\n",
        "import nothing_like_this\n",
        "from . import x\n",
        "import blobs\nEXPERIMENT = blobs.EXPERIMENT\n",
    ),
    *(
        "# -*- coding: nothing -*-\n",
        "# -*- coding: utf-16 -*-\n",
        "# coding: rot13\nx\n",
        "x = (\n",
        "  x\n",
        "\tif 1:\n  x\n",
        "\0",
        "x = '\0'\n",
    ),
    *(
        "é = 1\n",
        "def f():\n" * 200,
        "(" * 300,
        "(" * 5000,
        "-" * 50_000 + "1",
        "x" + ".x" * 50_000,
        "[" * 90 + "]" * 90 + "\n",
        "1" + "+1" * 20_000,
    ),
    *(
        "if 1:\n" + " " * 200_000,
        "x = " + "9" * 5000 + "\n",
        "raise\n",
        "return 1\n",
        "await x\n",
        "yield 1\n",
        "from __future__ import braces\n",
    ),
    *("import sys; sys.modules[__name__] = 1\n", "del __name__\n", "__name__ = 1\n", "__doc__ = 1\n", "__dict__ = 1\n"),
    *(
        "import sys; sys.setrecursionlimit(50)\n",
        "import sys; sys.path.clear()\n",
        "import sys; sys.stdout = None\n",
    ),
    *(
        "import sys; sys.stderr = None\n",
        "import warnings; warnings.simplefilter('error')\n",
        "import builtins; builtins.x = 1\n",
        "def __getattr__(n): raise KeyError(n)\n",
    ),
    *(
        "import sys; sys.stdout.close()\n",
        "import os; os.close(1)\n",
        "def f(): f()\nf()\n",
    ),
    *(
        "import signal, os; os.kill(os.getpid(), signal.SIGINT)\n",
        "import gc; gc.disable()\n",
        "import locale; locale.setlocale(locale.LC_ALL, 'C')\n",
    ),
)


def experiment_file(draw: Draw, box: Box) -> Act:
    """Return an act that describes, checks or runs an odd experiment file."""
    way = draw.one(("fields", "fields", "fields", "raises", "raises", "bytes", "text"))
    name = "odd.py"
    match way:
        case "fields":
            told, text = _with_odd_fields(draw)
        case "raises":
            told, text = _that_raises(draw)
        case "bytes":
            told, text = "a file with other bytes", ""
        case _:
            text = draw.one(_TEXTS)
            told = f"a file with the text {text[:60]!r}"
            if draw.chance(0.4):
                text += GOOD_FILE
    content = damaged_bytes(draw, GOOD_FILE.encode()) if way == "bytes" else text.encode("utf-8", "surrogatepass")
    (box.root / name).write_bytes(content)
    reference = draw.one((name, name, f"{name}:EXPERIMENT", "odd:EXPERIMENT", f"{name}:{draw.argument()}"))
    arguments = draw.one(
        (
            ["describe", reference],
            ["describe", reference],
            ["run", reference, "--name", "next"],
            ["run", reference],
            ["run", reference, "--name", "next", "--repeats", "2"],
            ["cluster", "check", "cluster.yaml", reference],
            ["resume", "first", "--experiment", reference],
            ["resume", "first", "--experiment", reference, "--force", "--trials", "9"],
            ["submit", reference, "--storage", "/mnt/runs"],
        )
    )
    act = command(box, *arguments, writes=allowed(box, arguments))
    return Act(f"{told}; {act.words}", act.work, act.writes)


def _with_odd_fields(draw: Draw) -> tuple[str, str]:
    fields = dict(_FIELDS)
    odd = {}
    for name in draw.some(list(fields), 3) or ["space"]:
        odd[name] = draw.one(_SPACES if name == "space" else _SEARCHERS if draw.chance(0.3) else _VALUES)
    if draw.chance(0.35):
        odd["space"] = draw.one(_SPACES)
    if draw.chance(0.25):
        odd["searcher"] = draw.one(_SEARCHERS[:21])
    fields |= odd
    if draw.chance(0.05):
        del fields[draw.one(list(fields))]
    arguments = "".join(f"    {name}={value},\n" for name, value in fields.items())
    extra = f"Blobs.{draw.one(_ATTRIBUTES)} = {draw.one(_VALUES)}\n" if draw.chance(0.2) else ""
    told = "; ".join(f"{name}={value}" for name, value in odd.items())
    head = GOOD_FILE[: GOOD_FILE.index("EXPERIMENT")]
    return f"{told}; {extra.strip()}", f"{head}{_HELPERS}\n\n{extra}EXPERIMENT = Experiment(\n{arguments})\n"


_ATTRIBUTES = (
    *(
        "load_data",
        "build_model",
        "fit_options",
        "batch_size",
        "step",
        "setup",
        "cleanup",
        "standalone",
        "reset_config",
    ),
    *(
        "__init__",
        "__name__",
        "__doc__",
        "__module__",
        "__new__",
        "train",
        "stop",
        "config",
        "reuse_models",
        "__getattribute__",
    ),
    *("__init_subclass__", "__reduce__", "__getstate__", "__slots__", "__annotations__", "__qualname__"),
)
_PLACES = {
    "the module": ("\n\ndef blobs(", "\n\n{raise}\n\n\ndef blobs("),
    "the class": ("    batch_size = 16\n", "    batch_size = 16\n    {raise}\n"),
    "load_data": ("    def load_data(self):\n", "    def load_data(self):\n        {raise}\n"),
    "build_model": ("    def build_model(self, config):\n", "    def build_model(self, config):\n        {raise}\n"),
    "fit_options": (
        "    def build_model",
        "    def fit_options(self, config):\n        {raise}\n\n    def build_model",
    ),
    "__init__": ("    def build_model", "    def __init__(self):\n        {raise}\n\n    def build_model"),
    "a property": (
        "    def build_model",
        "    @property\n    def batch_size(self):\n        {raise}\n\n    def build_model",
    ),
    "the end": ("EXPERIMENT = ", "{raise}\nEXPERIMENT = "),
}


def _that_raises(draw: Draw) -> tuple[str, str]:
    place, raised = draw.one(list(_PLACES)), draw.one(_RAISED)
    before, after = _PLACES[place]
    head = GOOD_FILE.replace(
        "\n\ndef blobs(", f"\n{_HELPERS}\nfrom tune_jobs.errors import RequestError, RunFailed\n\n\ndef blobs(", 1
    )
    return f"{raised} raised in {place}", head.replace(before, after.replace("{raise}", f"raise {raised}"), 1)
