"""The user's code is serialised without Ray to be checked, and by Ray's copy of cloudpickle to be sent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys, types
from trainables.before_ray.sent_class import pack, pickler, send_by_value, unpack

module = types.ModuleType("made_up")
exec(compile("class Mine:\\n    def answer(self):\\n        return 6 * 7\\n", "/where/mine.py", "exec"), vars(module))
module.Mine.__module__ = "made_up"
sys.modules["made_up"] = module
send_by_value(module)
checked = pack(module.Mine)
assert "ray" not in sys.modules and pickler().__name__ == "cloudpickle"
import ray.cloudpickle

sent = pack(module.Mine)
assert pickler() is ray.cloudpickle and b"/where/mine.py" in sent.pickled
del sys.modules["made_up"]
assert [unpack(one)().answer() for one in (checked, sent)] == [42, 42]
"""


def test_a_class_is_checked_without_ray_and_sent_by_value_with_ray(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_without_cloudpickle_rays_copy_is_taken() -> None:
    program = (
        "import sys\nsys.modules['cloudpickle'] = None\n"
        "from trainables.before_ray.sent_class import pickler\nassert pickler().__name__ == 'ray.cloudpickle'\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_module_that_is_gone_when_cloudpickle_comes_is_no_error() -> None:
    code = (
        "import sys, types; from trainables.before_ray.sent_class import send_by_value; "
        "kept, gone = types.ModuleType('kept'), types.ModuleType('gone'); sys.modules['kept'] = kept; "
        "send_by_value(kept); send_by_value(gone); from ray import cloudpickle; "
        "assert cloudpickle.list_registry_pickle_by_value() == {'kept'}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
