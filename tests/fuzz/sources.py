"""Odd experiment files: wrong values in every field, code that raises anything anywhere, text that is no Python."""

from __future__ import annotations

from tests.fuzz.act import Act, command
from tests.fuzz.box import GOOD_FILE, Box
from tests.fuzz.commands import allowed
from tests.fuzz.damage import damaged_bytes
from tests.fuzz.draw import Draw
from tests.fuzz.expressions import HELPERS, PARTS, RAISED, SPACES, VALUES
from tests.fuzz.texts import TEXTS

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
    "together": "1",
    "on_oom": "'fail'",
    "seed": "0",
    "checkpoint_every_s": "60.0",
    "max_retries": "3",
    "same_failures": "5",
    "trial_timeout_s": "None",
    "keep": "10",
}


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
            text = draw.one(TEXTS)
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
        odd[name] = draw.one(SPACES if name == "space" else PARTS if draw.chance(0.3) else VALUES)
    if draw.chance(0.35):
        odd["space"] = draw.one(SPACES)
    if draw.chance(0.25):
        odd["searcher"] = draw.one(PARTS[:21])
    fields |= odd
    if draw.chance(0.05):
        del fields[draw.one(list(fields))]
    arguments = "".join(f"    {name}={value},\n" for name, value in fields.items())
    extra = f"Blobs.{draw.one(_ATTRIBUTES)} = {draw.one(VALUES)}\n" if draw.chance(0.2) else ""
    told = "; ".join(f"{name}={value}" for name, value in odd.items())
    head = GOOD_FILE[: GOOD_FILE.index("EXPERIMENT")]
    return f"{told}; {extra.strip()}", f"{head}{HELPERS}\n\n{extra}EXPERIMENT = Experiment(\n{arguments})\n"


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
    ),
    *("__init_subclass__", "__reduce__", "__getstate__", "__slots__", "__annotations__", "__qualname__"),
    *("__getattribute__", "__getattr__", "__setattr__", "__del__", "__call__", "__eq__", "__hash__", "__bool__"),
    *("__repr__", "__str__", "__dir__", "__class_getitem__", "__abstractmethods__", "__len__", "data_cpus", "prepare"),
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
    place, raised = draw.one(list(_PLACES)), draw.one(RAISED)
    before, after = _PLACES[place]
    head = GOOD_FILE.replace(
        "\n\ndef blobs(", f"\n{HELPERS}\nfrom tune_jobs.errors import RequestError, RunFailed\n\n\ndef blobs(", 1
    )
    return f"{raised} raised in {place}", head.replace(before, after.replace("{raise}", f"raise {raised}"), 1)
