"""A schema of the part of KubeRay's v1 API that our manifest uses.

It was written by hand from KubeRay's rayjob_types.go and raycluster_types.go. Unknown keys are refused on every
level that is KubeRay's. Of a pod, only what it cannot do without is required.
"""

from __future__ import annotations


def _object(required: list[str], **properties: object) -> dict[str, object]:
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
QUANTITIES = {"type": "object", "additionalProperties": {"type": "string", "pattern": r"^[0-9.]+([KMGT]i?|m)?$"}}
MOUNTS = {"type": "array", "items": _object(["name", "mountPath"], name=TEXT, mountPath=TEXT)}
CONTAINER = _object(
    ["name", "image", "resources"],
    name={"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
    image=TEXT,
    resources=_object(["requests", "limits"], requests=QUANTITIES, limits=QUANTITIES),
    volumeMounts=MOUNTS,
)
VOLUME = _object(["name"], name=TEXT, persistentVolumeClaim=_object(["claimName"], claimName=TEXT))
POD = _object(
    ["spec"],
    spec=_object(
        ["containers"],
        containers={"type": "array", "minItems": 1, "items": CONTAINER},
        volumes={"type": "array", "items": VOLUME},
        securityContext=_object([], fsGroup=COUNT),
    ),
)
HEAD_GROUP = _object(["rayStartParams", "template"], rayStartParams=TEXTS, template=POD)
WORKER_GROUP = _object(
    ["groupName", "minReplicas", "maxReplicas", "rayStartParams", "template"],
    groupName=TEXT,
    replicas=COUNT,
    minReplicas=COUNT,
    maxReplicas=COUNT,
    rayStartParams=TEXTS,
    template=POD,
)
RAY_CLUSTER = _object(
    ["headGroupSpec"],
    rayVersion=TEXT,
    enableInTreeAutoscaling={"type": "boolean"},
    autoscalerOptions=_object([], idleTimeoutSeconds=COUNT),
    headGroupSpec=HEAD_GROUP,
    workerGroupSpecs={"type": "array", "items": WORKER_GROUP},
)
RAY_JOB = _object(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata=_object(["name"], name=TEXT),
    spec=_object(
        ["entrypoint", "rayClusterSpec"],
        entrypoint=TEXT,
        shutdownAfterJobFinishes={"type": "boolean"},
        ttlSecondsAfterFinished=COUNT,
        backoffLimit=COUNT,
        submitterConfig=_object([], backoffLimit=COUNT),
        rayClusterSpec=RAY_CLUSTER,
    ),
)
CLAIM = _object(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "v1"},
    kind={"const": "PersistentVolumeClaim"},
    metadata=_object(["name"], name=TEXT),
    spec=_object(
        ["accessModes", "resources"],
        accessModes={"const": ["ReadWriteMany"]},
        storageClassName=TEXT,
        resources=_object(["requests"], requests=QUANTITIES),
    ),
)
