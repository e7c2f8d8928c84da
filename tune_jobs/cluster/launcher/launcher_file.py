"""A launcher file, from which ``ray up`` starts a cluster: read, checked, and turned into the nodes it promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tune_jobs.base.amounts import field_named, ray_name
from tune_jobs.base.named_files import plain_file
from tune_jobs.base.words import quantity
from tune_jobs.cluster.launcher.ray_schema import objections, with_defaults
from tune_jobs.cluster.launcher.start_commands import head_runs_nothing, option_problems, starts_workers
from tune_jobs.cluster.launcher.yaml_lines import Document, parse
from tune_jobs.errors import RequestError

PROVIDERS = ("aws", "azure", "gcp", "aliyun", "vsphere", "local", "external")
_LARGEST_BYTES = 1_000_000
_ABBREVIATIONS = {"mem": "memory", "ram": "memory"}


@dataclass(frozen=True)
class NodeType:
    """One kind of node.

    Attributes:
        name: Its name in the file.
        resources: The amounts that each node has, by Ray's names. None: only known when it runs. A name that is
            missing: it has none.
        min_workers: The least number of workers of this kind.
        max_workers: The largest number of workers of this kind; the head does not count among them.
        is_head: Whether this is the head.
    """

    name: str
    resources: Mapping[str, float | None]
    min_workers: int
    max_workers: int
    is_head: bool = False


@dataclass(frozen=True)
class LauncherFile:
    """The cluster that a launcher file promises.

    Attributes:
        name: The cluster's name.
        provider: The provider of its nodes, such as ``aws`` or ``local``.
        node_types: The kinds of nodes; the head is the first.
        max_workers: The largest number of workers, of all kinds together.
        notes: Notes on what is allowed but probably not meant.
    """

    name: str
    provider: str
    node_types: tuple[NodeType, ...]
    max_workers: int
    notes: tuple[str, ...] = ()


def read(path: Path) -> LauncherFile:
    """Read a launcher file.

    Args:
        path: The file.

    Returns:
        The cluster that it promises.

    Raises:
        RequestError: There is no such file, Ray would refuse it, or its cluster would never do any work.
    """
    return interpret(parse(_text(path), path.name))


def interpret(document: Document) -> LauncherFile:
    """Return the cluster that a YAML document promises as a launcher file.

    Args:
        document: The document.

    Raises:
        RequestError: See ``read``.
    """
    if problems := _provider_problems(document):
        raise RequestError(*problems)
    notes: list[str] = []
    config, is_complete = with_defaults(document, notes)
    problems = [*option_problems(document, config, notes), *_meaning_problems(document, config)]
    if not problems and is_complete:
        problems = objections(document, config, notes)
    if problems:
        raise RequestError(*problems)
    node_types = tuple(_node_types(config))
    notes += [*_worker_notes(document, config), *_path_notes(document, config), *_unfinished(document)]
    provider = config["provider"]["type"]
    return LauncherFile(config["cluster_name"], provider, node_types, config["max_workers"], tuple(notes))


def _text(path: Path) -> str:
    try:
        with open(path, "rb", opener=plain_file) as file:
            content = file.read(_LARGEST_BYTES + 1)
        text = content.decode()
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}. Name a launcher file.") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{path} is not text in UTF-8 (byte {error.start}): name a launcher file.") from error
    if len(content) > _LARGEST_BYTES:
        raise RequestError(f"{path} is larger than {_LARGEST_BYTES:,} bytes, so it is no launcher file.")
    return text


def _provider_problems(document: Document) -> list[str]:
    """Return the mistakes that keep Ray from looking at the rest of the file."""
    config = document.value
    if not isinstance(config, dict):
        return [f"{document.name} holds {type(config).__name__} at the top, but must hold keys: cluster_name: …"]
    if "apiVersion" in config and "kind" in config:
        return [f"{document.name} is a manifest for Kubernetes, not a launcher file: `kubectl` reads it, not `ray up`."]
    provider = config.get("provider")
    kind = provider.get("type") if isinstance(provider, dict) else None
    if kind not in PROVIDERS:
        wrong = "no `provider` with a `type`" if kind is None else f"the provider {kind!r}"
        line = document.line(("provider", "type"))
        return [f"{line}: it has {wrong}, but `ray up` launches {', '.join(PROVIDERS)}."]
    return _local_problems(document) if kind == "local" else []


def _local_problems(document: Document) -> list[str]:
    config, provider = document.value, document.value["provider"]
    problems = [
        f"{document.line((key,))}: `{key}` is not for machines of your own (provider local), "
        "whose resources Ray finds out: leave it out."
        for key in ("available_node_types", "head_node", "worker_nodes")
        if config.get(key)
    ]
    line = document.line(("provider",))
    if "coordinator_address" in provider:
        missing = [] if "max_workers" in config else [f"{line}: with a coordinator, `max_workers` must be given."]
        return problems + missing
    head_ip, workers = provider.get("head_ip"), provider.get("worker_ips")
    if not isinstance(head_ip, str):
        problems.append(f"{line}: `head_ip` is {head_ip!r}, but must be the head's address.")
    if not isinstance(workers, list) or not all(isinstance(worker, str) for worker in workers):
        problems.append(f"{line}: `worker_ips` is {workers!r}, but must be a list of addresses, as text.")
    elif twice := sorted({worker for worker in workers if workers.count(worker) > 1 or worker == head_ip}):
        problems.append(f"{line}: {', '.join(twice)} is given twice, but one machine can only be one node.")
    return problems


def _meaning_problems(document: Document, config: Mapping[str, Any]) -> list[str]:
    """Return the mistakes that Ray's schema accepts, but that nobody can mean."""
    kinds, head, most = config["available_node_types"], config["head_node_type"], config["max_workers"]
    problems = []
    if head not in kinds:
        line = document.line(("head_node_type",))
        problems.append(f"{line}: `head_node_type` is {head}, but must be one of {', '.join(kinds)}.")
    for name, kind in kinds.items():
        problems += _node_type_problems(document, name, kind)
    least = sum(kind["min_workers"] for kind in kinds.values())
    if least > most:
        line = document.line(("max_workers",))
        problems.append(f"{line}: `max_workers` is {most}, but must be at least the sum of all `min_workers`, {least}.")
    if most and not starts_workers(config):
        problems.append(
            f"{document.line(('head_start_ray_commands',))}: `head_start_ray_commands` starts the head without "
            "--autoscaling-config=~/ray_bootstrap_config.yaml, so no worker would ever be started: add it."
        )
    return problems


def _node_type_problems(document: Document, name: str, kind: Mapping[str, Any]) -> Iterator[str]:
    def line(*keys: str) -> str:
        return document.line(("available_node_types", name, *keys))

    least, most = kind["min_workers"], kind["max_workers"]
    for key, value in (("min_workers", least), ("max_workers", most)):
        if value < 0:
            yield f"{line(key)}: `{key}` of {name} is {value}, but must be >= 0."
    if least > most >= 0:
        yield f"{line('min_workers')}: `min_workers` of {name} is {least}, but its `max_workers` is {most}: swap them."
    for resource in kind["resources"]:
        field = field_named(_ABBREVIATIONS.get(resource.lower(), resource))
        if field is not None and resource != ray_name(field):
            yield (
                f"{line('resources', resource)}: the resource `{resource}` of {name} is a custom one to Ray: "
                f"write `{ray_name(field)}`."
            )


def _node_types(config: Mapping[str, Any]) -> Iterator[NodeType]:
    """Yield the head, then the kinds of workers; one kind may be both."""
    provider, head = config["provider"]["type"], config["head_node_type"]
    kinds = config["available_node_types"]
    on_head = _unknown(provider, is_head=True) | kinds[head]["resources"]
    yield NodeType(head, on_head | {"CPU": 0} if head_runs_nothing(config) else on_head, 0, 0, is_head=True)
    for name, kind in kinds.items():
        if name != head or kind["max_workers"]:
            on_worker = _unknown(provider, is_head=False) | kind["resources"]
            yield NodeType(name, on_worker, kind["min_workers"], kind["max_workers"])


def _unknown(provider: str, *, is_head: bool) -> dict[str, float | None]:
    """Return the resources that Ray finds out where the file gives no amount.

    Ray asks AWS about its instances, and on a head the machine itself.
    """
    is_found = is_head or provider in ("aws", "local")
    return dict.fromkeys(("CPU", "GPU", "memory") if is_found else ("memory",))


def _worker_notes(document: Document, config: Mapping[str, Any]) -> list[str]:
    head, most = config["head_node_type"], config["max_workers"]
    possible = sum(kind["max_workers"] for name, kind in config["available_node_types"].items() if name != head)
    if "max_workers" in document.value or possible <= most:
        return []
    return [f"`max_workers` is not given at the top: Ray starts {quantity(most, 'worker')} at most."]


def _path_notes(document: Document, config: Mapping[str, Any]) -> list[str]:
    """Return notes on files that ``ray up`` will need and that are not here, as seen from the current folder."""
    auth = config["auth"]
    needed = {("file_mounts", remote): local for remote, local in config["file_mounts"].items()}
    needed |= {("auth", key): auth[key] for key in ("ssh_private_key", "ssh_public_key") if key in auth}
    return [
        f"{document.line(keys)}: {local} is not on this machine; `ray up` will need it."
        for keys, local in needed.items()
        if isinstance(local, str) and not Path(local).expanduser().exists()
    ]


def _unfinished(document: Document) -> list[str]:
    """Return the lines where a template has not been filled in."""
    return [f"{line}: CHANGE-ME is still to be replaced." for line in document.lines_with("CHANGE-ME")]
