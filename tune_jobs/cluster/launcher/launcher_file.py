"""A launcher file, which `ray up` starts a cluster from: read, checked as Ray would, and what it promises to trials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tune_jobs.base.words import count
from tune_jobs.cluster.launcher.ray_schema import last_word, prepared
from tune_jobs.cluster.launcher.start_commands import head_runs_nothing, starts_workers, unknown_options
from tune_jobs.cluster.launcher.yaml_lines import Document, parse
from tune_jobs.errors import RequestError

PROVIDERS = ("aws", "azure", "gcp", "aliyun", "vsphere", "local", "external")
_LARGEST_BYTES = 1_000_000
_RAYS_NAMES = {"cpu": "CPU", "cpus": "CPU", "gpu": "GPU", "gpus": "GPU", "mem": "memory", "ram": "memory"}


@dataclass(frozen=True)
class NodeType:
    """One kind of node.

    Attributes:
        name: Its name in the file.
        resources: What each node has, by Ray's names; None: only known when it runs. A name that is missing: nothing.
        min_workers: How many there are at least.
        max_workers: How many there are at most; the head is there beside them.
        is_head: Whether the head is of this kind.
    """

    name: str
    resources: Mapping[str, float | None]
    min_workers: int
    max_workers: int
    is_head: bool = False


@dataclass(frozen=True)
class Cluster:
    """What a launcher file promises.

    Attributes:
        name: Its name.
        provider: Where its nodes are.
        node_types: The kinds of nodes; the head's is the first.
        max_workers: How many workers there are at most, of all kinds together.
        notes: What is allowed and probably not meant.
    """

    name: str
    provider: str
    node_types: tuple[NodeType, ...]
    max_workers: int
    notes: tuple[str, ...] = ()


def read(path: Path) -> Cluster:
    """Reads a launcher file.

    Raises:
        RequestError: There is none, Ray would refuse it, or its cluster would never do any work.
    """
    return cluster_of(parse(_text(path), path.name))


def cluster_of(document: Document) -> Cluster:
    """What a document promises as a launcher file.

    Raises:
        RequestError: See ``read``.
    """
    if problems := _provider_problems(document):
        raise RequestError(*problems)
    config = prepared(document)
    if problems := _meaning_problems(document, config) or last_word(document, config):
        raise RequestError(*problems)
    types = tuple(_node_types(config))
    notes = (*_worker_notes(document, config), *_path_notes(document, config), *_unfinished(document))
    return Cluster(config["cluster_name"], config["provider"]["type"], types, config["max_workers"], notes)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()[: _LARGEST_BYTES + 1]
        text = content.decode()
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}. Name a launcher file.") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{path} is not text in UTF-8 (byte {error.start}): name a launcher file.") from error
    if len(content) > _LARGEST_BYTES:
        raise RequestError(f"{path} is larger than {_LARGEST_BYTES:,} bytes, so it is no launcher file.")
    return text


def _provider_problems(document: Document) -> list[str]:
    """What keeps Ray from looking at the file at all."""
    config = document.value
    if not isinstance(config, dict):
        return [f"{document.name} holds {type(config).__name__} at the top, but must hold keys: cluster_name: …"]
    if "apiVersion" in config and "kind" in config:
        return [f"{document.name} is a manifest for Kubernetes, not a launcher file: `kubectl` reads it, not `ray up`."]
    provider = config.get("provider")
    kind = provider.get("type") if isinstance(provider, dict) else None
    if kind not in PROVIDERS:
        told = "no `provider` with a `type`" if kind is None else f"the provider {kind!r}"
        return [f"{document.place(('provider', 'type'))}: it has {told}, but `ray up` launches {', '.join(PROVIDERS)}."]
    return _local_problems(document) if kind == "local" else []


def _local_problems(document: Document) -> list[str]:
    config, provider = document.value, document.value["provider"]
    problems = [
        f"{document.place((key,))}: `{key}` is not for machines of your own (provider local), "
        "which are what they are: leave it out."
        for key in ("available_node_types", "head_node", "worker_nodes")
        if config.get(key)
    ]
    place = document.place(("provider",))
    if "coordinator_address" in provider:
        missing = [] if "max_workers" in config else [f"{place}: with a coordinator, `max_workers` must be said."]
        return problems + missing
    if not isinstance(provider.get("head_ip"), str):
        problems.append(f"{place}: `head_ip` is {provider.get('head_ip')!r}, but must be the head's address.")
    workers = provider.get("worker_ips")
    if not isinstance(workers, list) or not all(isinstance(each, str) for each in workers):
        problems.append(f"{place}: `worker_ips` is {workers!r}, but must be a list of addresses, as text.")
    elif repeated := sorted({each for each in workers if workers.count(each) > 1 or each == provider.get("head_ip")}):
        problems.append(f"{place}: {', '.join(repeated)} stands there twice, but a machine is one node.")
    return problems


def _meaning_problems(document: Document, config: Mapping[str, Any]) -> list[str]:
    """What Ray's schema has nothing against, and what yet cannot be meant."""
    kinds, head, most = config["available_node_types"], config["head_node_type"], config["max_workers"]
    problems = list(unknown_options(document, config))
    if head not in kinds:
        place = document.place(("head_node_type",))
        problems.append(f"{place}: `head_node_type` is {head}, but must be one of {', '.join(kinds)}.")
    for name, kind in kinds.items():
        problems += _node_type_problems(document, name, kind)
    least = sum(kind["min_workers"] for kind in kinds.values())
    if least > most:
        place = document.place(("max_workers",))
        problems.append(
            f"{place}: `max_workers` is {most}, but must be at least the sum of all `min_workers`, {least}."
        )
    if most and not starts_workers(config):
        problems.append(
            f"{document.place(('head_start_ray_commands',))}: `head_start_ray_commands` starts the head without "
            "--autoscaling-config=~/ray_bootstrap_config.yaml, so no worker would ever be started: add it."
        )
    return problems


def _node_type_problems(document: Document, name: str, kind: Mapping[str, Any]) -> Iterator[str]:
    def place(*keys: str) -> str:
        return document.place(("available_node_types", name, *keys))

    least, most = kind["min_workers"], kind["max_workers"]
    for key, value in (("min_workers", least), ("max_workers", most)):
        if value < 0:
            yield f"{place(key)}: `{key}` of {name} is {value}, but must be >= 0."
    if least > most >= 0:
        yield f"{place('min_workers')}: `min_workers` of {name} is {least}, but its `max_workers` is {most}: swap them."
    for resource in kind["resources"]:
        meant = _RAYS_NAMES.get(resource.lower(), resource)
        if resource != meant:
            yield (
                f"{place('resources', resource)}: the resource `{resource}` of {name} is one of your own to Ray: "
                f"write `{meant}`."
            )


def _node_types(config: Mapping[str, Any]) -> Iterator[NodeType]:
    """The head, then the kinds of workers; one kind may be both."""
    provider, head = config["provider"]["type"], config["head_node_type"]
    kinds = config["available_node_types"]
    on_head = _unknown(provider, is_head=True) | kinds[head]["resources"]
    yield NodeType(head, on_head | {"CPU": 0} if head_runs_nothing(config) else on_head, 0, 0, is_head=True)
    for name, kind in kinds.items():
        if name != head or kind["max_workers"]:
            has = _unknown(provider, is_head=False) | kind["resources"]
            yield NodeType(name, has, kind["min_workers"], kind["max_workers"])


def _unknown(provider: str, *, is_head: bool) -> dict[str, float | None]:
    """What Ray finds out where the file says nothing: from AWS about its instances, on a head from the machine."""
    found = is_head or provider in ("aws", "local")
    return dict.fromkeys(("CPU", "GPU", "memory") if found else ("memory",))


def _worker_notes(document: Document, config: Mapping[str, Any]) -> list[str]:
    head, most = config["head_node_type"], config["max_workers"]
    possible = sum(kind["max_workers"] for name, kind in config["available_node_types"].items() if name != head)
    if "max_workers" in document.value or possible <= most:
        return []
    return [f"`max_workers` is not said at the top: Ray starts {count(most, 'worker')} at most."]


def _path_notes(document: Document, config: Mapping[str, Any]) -> list[str]:
    """Files of this machine that `ray up` will want, from the folder that it is called in."""
    auth = config["auth"]
    wanted = {("file_mounts", remote): local for remote, local in config["file_mounts"].items()}
    wanted |= {("auth", key): auth[key] for key in ("ssh_private_key", "ssh_public_key") if key in auth}
    return [
        f"{document.place(path)}: {local} is not on this machine; `ray up` will want it."
        for path, local in wanted.items()
        if isinstance(local, str) and not Path(local).expanduser().exists()
    ]


def _unfinished(document: Document) -> list[str]:
    """Where a template has not been filled in."""
    return [f"{place}: CHANGE-ME is still to be replaced." for place in document.places_of("CHANGE-ME")]
