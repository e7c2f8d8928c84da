"""The environment of workers: the variables and modules that they need to compute as this process does."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_FORWARDED = ("KERAS_", "TF_", "XLA_", "JAX_")
_OF_TERRAFORM = ("TF_VAR_", "TF_TOKEN_", "TF_CLI_")  # they hold secrets, which a job would show
_OF_THIS_PROCESS = ("KERAS_HOME", "TF_CONFIG")  # a path of this host; this process's part in a distributed training

# What libraries read when they are imported. Workers get all other variables when they are forked.
_READ_AT_IMPORT = (
    *(
        "KERAS_",
        "TF_",
        "XLA_",
        "JAX_",
        "TORCH_",
        "PYTORCH_",
        "OMP_",
        "MKL_",
        "OPENBLAS_",
        "NUMEXPR_",
        "KMP_",
        "ONEDNN_",
    ),
    *("DNNL_", "CUDA_", "NVIDIA_", "HIP_", "ROCR_", "LD_", "MALLOC_", "GLIBC_", "PYTHON", "RAY_", "HOME"),
)
# These are read later, or say the same as none, or are another one in each process of a Ray.
_READ_LATER = frozenset(
    {
        "PYTHONPATH",
        "PYTHONBREAKPOINT",
        "TF_CPP_MIN_LOG_LEVEL",
        "RAY_AUTH_TOKEN",
        "RAY_CLIENT_MODE",
        "RAY_JOB_ID",
        "RAY_LD_PRELOAD_ON_WORKERS",
        "RAY_RAYLET_PID",
        "RAY_preload_python_modules",
        "RAY_prestart_worker_first_driver",
    }
)


@contextmanager
def variables_set(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the block, and put back the former values afterwards."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def forwarded(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the driver that its workers on other nodes need, to compute as it does.

    Args:
        environment: All variables of the driver.
    """
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(_FORWARDED) and not name.startswith(_OF_TERRAFORM) and name not in _OF_THIS_PROCESS
    }


def read_at_import(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the libraries of a worker may read when they are imported.

    Args:
        environment: All variables of a process.
    """
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(_READ_AT_IMPORT) and name not in _READ_LATER
    }


def read_by_frameworks(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that Keras and its backends may read when they are imported.

    Args:
        environment: All variables of a process.
    """
    return {name: value for name, value in read_at_import(environment).items() if not name.startswith("RAY_")}


def own_packages() -> list[str]:
    """Return the folder that this project lies in, if a new Python would not find it: it is run from its sources."""
    root = Path(__file__).parents[2]
    installed = sysconfig.get_paths()
    return [] if root in {Path(installed[kind]) for kind in ("purelib", "platlib")} else [str(root)]


def own_folders() -> list[str]:
    """Return the folders that this process finds modules in, without those of Python and of installed packages."""
    installed = sysconfig.get_paths()
    standard = [Path(installed[kind]) for kind in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")]
    return [
        str(folder)
        for folder in (Path(entry).absolute() for entry in sys.path if isinstance(entry, str))  # as Python's imports do
        if folder.is_dir() and not any(folder.is_relative_to(parent) for parent in standard)
    ]


def folders_of_own_modules() -> dict[str, str]:
    """Return the folder in which this process found each module that is not an installed one, by the module's name."""
    own = set(own_folders())
    folders = {}
    for name, module in list(sys.modules.items()):
        fields = getattr(module, "__dict__", {})  # a module's own __getattr__ may raise anything
        file = fields.get("__file__")
        if isinstance(name, str) and "." not in name and isinstance(file, str):
            folder = Path(file).absolute().parent
            folder = folder.parent if "__path__" in fields else folder
            if str(folder) in own:
                folders[name] = str(folder)
    return folders


def modules_to_send(folders: Iterable[str], working_dir: str | None = None) -> list[str]:
    """Return the modules that workers on other nodes must be sent: files, and folders that are packages.

    All modules of the folders are among them, because a function may import a neighbour of its module only when it is
    called. Of two modules with the same name, the one that Python finds first is sent.

    Args:
        folders: The folders that hold a person's own modules: see ``own_folders``.
        working_dir: A folder that every worker has a copy of, and finds modules in.
    """
    own = [
        Path(folder) for folder in dict.fromkeys(folders) if working_dir is None or not _is_same(folder, working_dir)
    ]
    modules = [entry for folder in own for entry in sorted(folder.iterdir()) if _is_module(entry)]
    return [str(entry) for entry in {entry.stem: entry for entry in reversed(modules)}.values()][::-1]


def _is_module(entry: Path) -> bool:
    if entry.is_dir():
        return entry.name.isidentifier() and (entry / "__init__.py").is_file()
    return entry.suffix == ".py" and entry.stem.isidentifier() and entry.stem != "__init__" and entry.is_file()


def _is_same(folder: str, other: str) -> bool:
    return os.path.realpath(folder) == os.path.realpath(other)
