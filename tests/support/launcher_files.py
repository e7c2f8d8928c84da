"""A launcher file of `ray up`, for tests that change it."""

from __future__ import annotations

AWS = """\
cluster_name: ours
max_workers: 3
provider: {type: aws, region: us-west-2}
head_node_type: head
available_node_types:
  head:
    resources: {CPU: 0}
    node_config: {}
  gpu:
    max_workers: 2
    resources: {CPU: 32, GPU: 4}
    node_config: {InstanceType: p3.8xlarge}
"""
