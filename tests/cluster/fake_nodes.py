"""Ray's fake nodes, whose types may say how much memory they give out, which Ray's own fake provider fails at."""

from typing import Any

from ray.autoscaler._private.fake_multi_node.node_provider import FakeMultiNodeProvider


class FakeNodes(FakeMultiNodeProvider):
    """The autoscaler counts with what a type states; the node itself finds out what this machine has."""

    def create_node_with_resources_and_labels(
        self, node_config: Any, tags: Any, count: int, resources: dict[str, Any], labels: Any
    ) -> None:
        """As Ray's."""
        stated = {name: amount for name, amount in resources.items() if name != "memory"}
        super().create_node_with_resources_and_labels(node_config, tags, count, stated, labels)
