"""DeleteFunction takes everything that belongs to a function along."""

from deployment import deploy, invoke, wait_for
from refusals import refusal

SOURCE = "import os\ndef handler(event, context): return os.getpid()\n"
ARN = "arn:aws:lambda:us-east-1:000000000000:function"


def ended(local_cloud, *environments):
    """Whether an environment of each of these functions was shut down for the reason beside it."""
    gone = {
        (entry["function"], entry["reason"])
        for entry in local_cloud.record.entries()
        if entry["type"] == "shutdown"
    }
    return gone.issuperset(environments)


def test_a_function_made_again_has_nothing_of_the_old(local_cloud):
    functions = local_cloud.client("lambda")
    role = deploy(local_cloud, "gone", SOURCE)["Role"]
    functions.publish_version(FunctionName="gone")
    given = {"FunctionName": "gone"}
    functions.create_alias(**given, Name="live", FunctionVersion="1")
    for qualifier in ("$LATEST", "1", "live"):
        functions.put_function_event_invoke_config(
            **given, Qualifier=qualifier, MaximumRetryAttempts=0
        )
    functions.create_function_url_config(**given, AuthType="NONE")
    functions.create_function_url_config(**given, Qualifier="live", AuthType="NONE")
    functions.put_function_concurrency(**given, ReservedConcurrentExecutions=5)
    functions.put_provisioned_concurrency_config(
        **given, Qualifier="live", ProvisionedConcurrentExecutions=1
    )
    functions.add_permission(
        **given, StatementId="s", Action="lambda:InvokeFunction", Principal="*"
    )
    functions.tag_resource(Resource=f"{ARN}:gone", Tags={"a": "b"})
    functions.put_function_recursion_config(**given, RecursiveLoop="Allow")
    invoke(local_cloud, "gone")
    invoke(local_cloud, "gone", Qualifier="1")
    wait_for(lambda: functions.get_provisioned_concurrency_config(**given, Qualifier="live")["Status"]
             == "READY")  # fmt: skip

    answer = functions.delete_function(**given)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    own = [(f"{ARN}:gone", "deleted"), (f"{ARN}:gone:1", "deleted"), (f"{ARN}:gone:1", "released")]
    wait_for(lambda: ended(local_cloud, *own))
    missing = f"Function not found: {ARN}:gone"
    assert refusal(functions.delete_function, **given)[2] == missing
    assert refusal(functions.invoke, **given)[2] == f"{missing}:$LATEST"
    assert refusal(functions.list_aliases, **given)[2] == missing
    unreserved = functions.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    assert unreserved == 1000

    deploy(local_cloud, "gone", SOURCE, role=role)
    assert functions.list_aliases(**given)["Aliases"] == []
    assert len(functions.list_versions_by_function(**given)["Versions"]) == 1
    assert functions.list_function_event_invoke_configs(**given)["FunctionEventInvokeConfigs"] == []
    assert functions.list_function_url_configs(**given)["FunctionUrlConfigs"] == []
    assert (
        functions.list_provisioned_concurrency_configs(**given)["ProvisionedConcurrencyConfigs"]
        == []
    )
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(**given)
    assert refusal(functions.get_policy, **given)[0] == 404
    assert "Tags" not in functions.get_function(**given)
    assert functions.get_function_recursion_config(**given)["RecursiveLoop"] == "Terminate"
    assert functions.publish_version(**given)["Version"] == "1"


def test_a_deleted_version_ends_its_environments_and_no_others(local_cloud):
    functions = local_cloud.client("lambda")
    deploy(local_cloud, "fewer", SOURCE)
    functions.publish_version(FunctionName="fewer")
    latest = invoke(local_cloud, "fewer")[0]
    invoke(local_cloud, "fewer", Qualifier="1")
    functions.delete_function(FunctionName="fewer", Qualifier="1")
    wait_for(lambda: ended(local_cloud, (f"{ARN}:fewer:1", "deleted")))
    assert not ended(local_cloud, (f"{ARN}:fewer", "deleted"))
    assert invoke(local_cloud, "fewer")[0] == latest
