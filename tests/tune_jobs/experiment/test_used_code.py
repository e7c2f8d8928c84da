"""What a trainable uses: each change that matters is named, and no other is."""

from __future__ import annotations

import sys
from importlib import invalidate_caches
from pathlib import Path

import pytest

from tune_jobs.experiment.used_code import used_code

FILES = {
    "model_of_mine.py": '''
"""A model."""
import json
import numpy as np
import helper_of_mine
from helper_of_mine import scale as scaled
from package_of_mine.layers import Layer
from space_of_mine import deep
try:
    from fast_of_mine import quick
except ImportError:
    quick = None
RATE = 0.1
LATE = 5
UNUSED = 1
np.random.seed(3)
def build(units):
    """Build."""
    return Layer(units, RATE)
def unused():
    return 1
class Base:
    pass
class Model(Base):
    def build_model(self, config):
        import late_of_mine
        return build(scaled(config)), helper_of_mine.ACTIVATION, deep.DEPTH, quick, np, json
Model.batch = 3
for name in ("a", "b"):
    setattr(Model, name, LATE)
print(EXPERIMENT)
EXPERIMENT = dict(trainable=Model, trials=3)
if __name__ == "__main__":
    print(EXPERIMENT)
''',
    "helper_of_mine.py": "from constants_of_mine import FACTOR\nACTIVATION = 'relu'\nscale = lambda x: x * FACTOR\n",
    "constants_of_mine.py": "FACTOR = 2\nOTHER = 3\n",
    "late_of_mine.py": "VALUE = 1\n",
    "fast_of_mine.py": "def quick():\n    return 1\n",
    "package_of_mine/__init__.py": "STARTED = print('package')\nprint('imported')\n",
    "package_of_mine/layers.py": "from . import sizes\nfrom .names import NAME\nclass Layer: w = sizes.WIDTH, NAME\n",
    "package_of_mine/sizes.py": "WIDTH = 3\n",
    "package_of_mine/names.py": "NAME = 'layer'\nSURNAME = ''\n",
    "space_of_mine/deep.py": "DEPTH = 1\n",
}


def write(folder: Path) -> None:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def used(_: Path) -> dict[str, str]:
    invalidate_caches()
    return used_code([("model_of_mine", "Model"), ("model_of_mine", "Base")], {"EXPERIMENT"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    write(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "names"),
    [
        ("model_of_mine.py", "RATE = 0.1", "RATE = 0.2", {"RATE"}),
        ("model_of_mine.py", "Layer(units, RATE)", "Layer(units + 1, RATE)", {"build"}),
        ("model_of_mine.py", "seed(3)", "seed(4)", {"import"}),
        ("model_of_mine.py", '("a", "b")', '("a", "c")', {"import", "name"}),
        ("model_of_mine.py", "LATE = 5", "LATE = 6", {"LATE"}),
        ("model_of_mine.py", "Model.batch = 3", "Model.batch = 4", {"Model"}),
        ("model_of_mine.py", "import numpy as np", "import pandas as np", {"np"}),
        ("model_of_mine.py", "quick = None", "quick = 1", {"quick"}),
        ("helper_of_mine.py", "'relu'", "'tanh'", {"helper_of_mine.ACTIVATION"}),
        ("helper_of_mine.py", "x * FACTOR", "x / FACTOR", {"helper_of_mine.scale"}),
        ("constants_of_mine.py", "FACTOR = 2", "FACTOR = 4", {"constants_of_mine.FACTOR"}),
        ("late_of_mine.py", "VALUE = 1", "VALUE = 2", {"late_of_mine.VALUE"}),
        ("fast_of_mine.py", "return 1", "return 2", {"fast_of_mine.quick"}),
        ("package_of_mine/__init__.py", "imported", "loaded", {"package_of_mine.import"}),
        ("package_of_mine/layers.py", "sizes.WIDTH", "-sizes.WIDTH", {"package_of_mine.layers.Layer"}),
        ("package_of_mine/sizes.py", "WIDTH = 3", "WIDTH = 4", {"package_of_mine.sizes.WIDTH"}),
        ("package_of_mine/names.py", "'layer'", "'other'", {"package_of_mine.names.NAME"}),
        ("space_of_mine/deep.py", "DEPTH = 1", "DEPTH = 2", {"space_of_mine.deep.DEPTH"}),
        ("model_of_mine.py", "trials=3", "trials=30", set()),
        ("model_of_mine.py", "UNUSED = 1", "UNUSED = 2", set()),
        ("model_of_mine.py", 'Build."""', 'Build a layer."""  # as before', set()),
        ("model_of_mine.py", "    print(EXPERIMENT)", "    print('run')", set()),
        ("constants_of_mine.py", "OTHER = 3", "OTHER = 4", set()),
        ("package_of_mine/names.py", "SURNAME = ''", "SURNAME = 'x'", set()),
    ],
)
def test_a_change_is_named_where_it_matters(folder: Path, file: str, old: str, new: str, names: set[str]) -> None:
    before = used(folder)
    path = folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    after = used(folder)
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == names
    assert not {name for name in sys.modules if "of_mine" in name}, "nothing may be imported"


REGISTERED = {
    "register_of_mine.py": "MODELS = {}\ndef register(name):\n    return lambda f: MODELS.setdefault(name, f)\n",
    "kinds_of_mine/__init__.py": "",
    "kinds_of_mine/mlp.py": """
import functools
from register_of_mine import register
from . import sizes
@register("mlp")
def mlp():
    return sizes.WIDTH
@functools.cache
def unused():
    return 1
""",
    "kinds_of_mine/sizes.py": "WIDTH = 3\n",
    "started_of_mine.py": "print('started')\nUNUSED = 1\n",
    "model_of_mine.py": """
import kinds_of_mine.mlp
from register_of_mine import MODELS
try:
    import started_of_mine
except ImportError:
    pass
class Base: pass
class Model(Base):
    def build_model(self, config):
        return MODELS[config["kind"]]()
""",
}


@pytest.mark.parametrize(
    ("file", "old", "new", "names"),
    [
        ("kinds_of_mine/mlp.py", "sizes.WIDTH", "-sizes.WIDTH", {"kinds_of_mine.mlp.mlp"}),
        ("kinds_of_mine/sizes.py", "3", "4", {"kinds_of_mine.sizes.WIDTH"}),
        ("started_of_mine.py", "'started'", "'begun'", {"started_of_mine.import"}),
        ("kinds_of_mine/mlp.py", "return 1", "return 2", set()),
        ("started_of_mine.py", "UNUSED = 1", "UNUSED = 2", set()),
    ],
)
def test_what_is_found_in_a_register_is_followed(folder: Path, file: str, old: str, new: str, names: set[str]) -> None:
    for name, text in REGISTERED.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    before = used(folder)
    (folder / file).write_text((folder / file).read_text().replace(old, new))
    after = used(folder)
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == names


def test_what_cannot_be_read_is_not_followed(folder: Path) -> None:
    (folder / "helper_of_mine.py").write_text("def scale(:\n")
    (folder / "late_of_mine.py").write_bytes(b"\0\xff")
    assert not {name for name in used(folder) if name.startswith(("helper_of_mine.", "late_of_mine."))}


def test_files_that_import_each_other_end(folder: Path) -> None:
    (folder / "constants_of_mine.py").write_text("import helper_of_mine\nFACTOR = helper_of_mine.ACTIVATION\n")
    assert "constants_of_mine.FACTOR" in used(folder)


def test_a_class_without_a_file_uses_nothing_that_is_known() -> None:
    assert used_code([("__no_module_of_mine__", "Model")]) == {}
