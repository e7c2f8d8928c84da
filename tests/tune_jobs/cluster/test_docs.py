"""Whatever the documentation offers to copy is checked: launcher files by Ray, manifests by KubeRay's rules."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.support.kuberay_schema import CLAIM, RAY_JOB
from tune_jobs.cluster.launcher.fitting import trials_on
from tune_jobs.cluster.launcher.launcher_file import NodeType, interpret
from tune_jobs.cluster.launcher.yaml_lines import parse
from tune_jobs.experiment.resources import Resources

TOP = Path(__file__).parents[3]
PAGE = TOP / "docs" / "cluster.md"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
MANIFEST = TOP / "docs" / "kubernetes" / "rayjob.yaml"
SCHEMAS = {"RayJob": RAY_JOB, "PersistentVolumeClaim": CLAIM}


def documents() -> dict[str, Any]:
    return {document["kind"]: document for document in yaml.safe_load_all(MANIFEST.read_text())}


def test_the_page_shows_launcher_files() -> None:
    assert BLOCKS


@pytest.mark.parametrize("block", BLOCKS)
def test_a_launcher_file_of_the_page_is_right(block: str) -> None:
    launcher_file = interpret(parse(block, "docs/cluster.md"))
    assert trials_on(launcher_file.node_types[0], Resources()) == 0  # the head


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_a_manifest_is_what_kuberay_and_kubernetes_want(kind: str) -> None:
    jsonschema.validate(documents()[kind], SCHEMAS[kind])


def test_nothing_else_is_in_the_manifest() -> None:
    assert sorted(documents()) == sorted(SCHEMAS)


def test_all_nodes_see_the_claim_where_the_run_is_written() -> None:
    claim, job = documents()["PersistentVolumeClaim"], documents()["RayJob"]
    spec = job["spec"]["rayClusterSpec"]
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        (volume,) = pod["volumes"]
        (mount,) = pod["containers"][0]["volumeMounts"]
        assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        assert mount["name"] == volume["name"]
        assert f"--storage {mount['mountPath']}/" in job["spec"]["entrypoint"]


def test_the_head_runs_no_trial_and_a_worker_does() -> None:
    spec = documents()["RayJob"]["spec"]["rayClusterSpec"]
    assert spec["headGroupSpec"]["rayStartParams"] == {"num-cpus": "0"}
    (workers,) = spec["workerGroupSpecs"]
    limits = workers["template"]["spec"]["containers"][0]["resources"]["limits"]
    has = {"CPU": float(limits["cpu"]), "GPU": float(limits["nvidia.com/gpu"])}
    node_type = NodeType(workers["groupName"], has, workers["minReplicas"], workers["maxReplicas"])
    assert trials_on(node_type, Resources(gpus=0.25)) == 16


def test_the_images_have_the_ray_that_is_tested() -> None:
    import ray

    spec = documents()["RayJob"]["spec"]["rayClusterSpec"]
    assert spec["rayVersion"] == ray.__version__
    assert f"FROM rayproject/ray:{ray.__version__}-" in (MANIFEST.parent / "Dockerfile").read_text()


def test_every_option_of_the_manifests_command_exists() -> None:
    from click.testing import CliRunner

    from tune_jobs.cli.main import main

    words = documents()["RayJob"]["spec"]["entrypoint"].split()
    assert words[:3] == ["python", "-m", "tune_jobs"]
    assert CliRunner().invoke(main, [*words[3:], "--help"]).exit_code == 0
