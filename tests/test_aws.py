"""cluster.yaml started by Ray's own AWS provider, in an account that aws/account.yaml prepared, which moto plays."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

pytestmark = [
    pytest.mark.cluster,  # moto's lists of instance types and policies take their time
    pytest.mark.filterwarnings("ignore:Tried to parse AWS.*Budget"),
]

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = ROOT / "aws" / "account.yaml"
ADDRESS = "203.0.113.7/32"  # RFC 5737


@pytest.fixture(scope="module")
def cluster() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "cluster.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An AWS account on this machine, in which aws/account.yaml stands."""
    import boto3
    import moto

    stated = {"BucketName": "results", "SshFrom": ADDRESS, "Email": "a@example.org"}
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            environment.setenv(name, "testing")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        environment.setenv("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        environment.setenv("HOME", str(tmp_path_factory.mktemp("home")))  # Ray writes the key for SSH there
        with moto.mock_aws():
            boto3.client("cloudformation").create_stack(
                StackName="figray",
                TemplateBody=ACCOUNT.read_text(encoding="utf-8"),
                Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in stated.items()],
                Capabilities=["CAPABILITY_NAMED_IAM"],
            )
            yield


@pytest.fixture(scope="module")
def launched(cluster: dict[str, Any], aws: None) -> dict[str, dict[str, Any]]:
    """One node of every group, started by Ray's provider, as EC2 describes it."""
    import boto3
    from ray.autoscaler._private.aws.config import bootstrap_aws
    from ray.autoscaler._private.aws.node_provider import AWSNodeProvider

    config = AWSNodeProvider.fillout_available_node_types_resources(prepare_config(cluster))
    validate_config(config)
    config = bootstrap_aws(config)
    provider = AWSNodeProvider(config["provider"], config["cluster_name"])
    for name, kind in config["available_node_types"].items():
        provider.create_node(kind["node_config"], {"ray-user-node-type": name}, 1)
    found = {}
    for reservation in boto3.client("ec2").describe_instances()["Reservations"]:
        for instance in reservation["Instances"]:
            instance["tags"] = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
            found[instance["tags"]["ray-user-node-type"]] = instance
    return found


def test_rays_provider_starts_every_group_as_it_is_written(
    cluster: dict[str, Any], launched: dict[str, dict[str, Any]]
) -> None:
    kinds = cluster["available_node_types"]
    assert launched.keys() == kinds.keys()
    for name, instance in launched.items():
        assert instance["InstanceType"] == kinds[name]["node_config"]["InstanceType"]
        on_demand = name == "head" or name.endswith("-ondemand")
        assert instance.get("InstanceLifecycle") == (None if on_demand else "spot")
        profile = "figray-head" if name == "head" else "figray-node"
        assert instance["IamInstanceProfile"]["Arn"].endswith(f":instance-profile/{profile}")
        assert [group["GroupName"] for group in instance["SecurityGroups"]] == ["figray"]
        assert instance["MetadataOptions"]["HttpTokens"] == "required"
        assert instance["tags"]["project"] == "figray"


def test_amazon_has_as_many_cpus_and_gpus_in_each_type_as_is_said(cluster: dict[str, Any], aws: None) -> None:
    from ray.autoscaler._private.aws.node_provider import AWSNodeProvider

    bare = json.loads(json.dumps(cluster))
    for kind in bare["available_node_types"].values():
        kind["resources"] = {}
    found = AWSNodeProvider.fillout_available_node_types_resources(bare)["available_node_types"]
    for name, kind in cluster["available_node_types"].items():
        said = {what: amount for what, amount in kind["resources"].items() if what in ("CPU", "GPU") and amount}
        if name == "gpu-other":  # more than is said, so that it is like the group whose place it takes
            assert all(amount <= found[name]["resources"][what] for what, amount in said.items())
        else:
            assert said == {what: found[name]["resources"][what] for what in said}, name


def test_ray_makes_no_role_and_opens_no_door_where_the_account_is_prepared(launched: object) -> None:
    import boto3

    assert {role["RoleName"] for role in boto3.client("iam").list_roles()["Roles"]} == {"figray-head", "figray-node"}
    (group,) = boto3.client("ec2").describe_security_groups(GroupNames=["figray"])["SecurityGroups"]
    ranges = [(rule.get("FromPort"), every["CidrIp"]) for rule in group["IpPermissions"] for every in rule["IpRanges"]]
    assert ranges == [(22, ADDRESS)]
    inside = [pair["GroupId"] for rule in group["IpPermissions"] for pair in rule["UserIdGroupPairs"]]
    assert inside == [group["GroupId"]]
