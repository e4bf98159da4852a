"""What must be true of template.yaml beyond what cfn-lint can know."""

import copy
import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samcli.yamlhelper import yaml_parse

from ringhook import settings
from ringhook_ops.bundle import FUNCTIONS, ROOT

TEMPLATE: dict[str, Any] = json.loads(json.dumps(yaml_parse(Path("template.yaml").read_text())))
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
DELIVERIES: list[str] = TEMPLATE["Parameters"]["Delivery"]["AllowedValues"]
# Set by the template and read by telemetry and the clients of AWS.
OTHERS_VARIABLES = {
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "AWS_ENDPOINT_URL",
}
STATEFUL = {
    "AWS::DynamoDB::Table",
    "AWS::Logs::LogGroup",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::Queue",
}


def of_type(kind: str) -> dict[str, Any]:
    return {name: body for name, body in RESOURCES.items() if body["Type"] == kind}


def holds(condition: Any, delivery: str) -> bool:
    """Whether a condition of the template is true with its parameters' defaults and `delivery`."""
    match condition:
        case str(name):
            return holds(TEMPLATE["Conditions"][name], delivery)
        case {"Condition": name}:
            return holds(name, delivery)
        case {"Fn::Not": [inner]}:
            return not holds(inner, delivery)
        case {"Fn::Equals": [{"Ref": parameter}, value]}:
            default = TEMPLATE["Parameters"][parameter]["Default"]
            return bool(value == (delivery if parameter == "Delivery" else default))
    raise AssertionError(condition)


def resolved(node: Any, delivery: str) -> Any:
    """`node` with each Fn::If decided; what it decides to leave out is None."""
    match node:
        case {"Fn::If": [condition, then, otherwise]}:
            return resolved(then if holds(condition, delivery) else otherwise, delivery)
        case {"Ref": "AWS::NoValue"}:
            return None
        case dict():
            return {key: resolved(value, delivery) for key, value in node.items()}
        case list():
            return [x for x in (resolved(item, delivery) for item in node) if x is not None]
    return node


def deployed(delivery: str) -> dict[str, Any]:
    """The resources that a delivery has, each Fn::If decided."""
    return {
        name: resolved(body, delivery)
        for name, body in RESOURCES.items()
        if "Condition" not in body or holds(body["Condition"], delivery)
    }


def references(node: Any) -> Iterator[str]:
    """The names of what `node` refers to, parameters and pseudo-parameters too."""
    match node:
        case {"Ref": name} | {"Fn::GetAtt": [name, *_]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from (part.split("}")[0].split(".")[0] for part in text.split("${")[1:])
        case dict():
            for value in node.values():
                yield from references(value)
        case list():
            for item in node:
                yield from references(item)


def statements(role: str, delivery: str = "queue") -> list[dict[str, Any]]:
    return [
        statement
        for policy in deployed(delivery)[role]["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def may(role: str, resource: str, delivery: str = "queue") -> set[str]:
    """The actions that a role is granted on a resource."""
    return {
        action
        for statement in statements(role, delivery)
        if resource in references(statement["Resource"])
        for action in as_list(statement["Action"])
    }


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def variables(function: str) -> dict[str, Any]:
    own = RESOURCES[function]["Properties"]["Environment"]["Variables"]
    return {**TEMPLATE["Globals"]["Function"]["Environment"]["Variables"], **own}


class Asked(dict[str, str]):
    """An environment that remembers which variables were looked up."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return default


@pytest.mark.parametrize("name", of_type("AWS::Serverless::Function"))
def test_each_functions_handler_can_be_imported(name: str) -> None:
    module, function = RESOURCES[name]["Properties"]["Handler"].rsplit(".", 1)
    assert callable(getattr(importlib.import_module(module), function))


def test_both_functions_are_one_build() -> None:
    assert tuple(of_type("AWS::Serverless::Function")) == FUNCTIONS
    assert TEMPLATE["Globals"]["Function"]["CodeUri"] == "src/"
    assert not any("CodeUri" in RESOURCES[name]["Properties"] for name in FUNCTIONS)


def test_the_variables_are_the_settings_and_the_settings_the_variables() -> None:
    asked = Asked()
    settings.read(asked)
    given = {name for function in FUNCTIONS for name in variables(function)}
    assert given - OTHERS_VARIABLES == asked.names


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_a_delivery_refers_only_to_what_it_deploys(delivery: str) -> None:
    there = deployed(delivery)
    known = there.keys() | TEMPLATE["Parameters"].keys()
    outputs = {
        name: resolved(body, delivery)
        for name, body in TEMPLATE["Outputs"].items()
        if "Condition" not in body or holds(body["Condition"], delivery)
    }
    used = {name for name in references([there, outputs]) if not name.startswith("AWS::")}
    assert used <= known


def test_direct_delivery_is_one_function_without_queue_or_table() -> None:
    kinds = [body["Type"] for body in deployed("direct").values()]
    assert kinds.count("AWS::Serverless::Function") == 1
    assert not {"AWS::SQS::Queue", "AWS::DynamoDB::Table"} & set(kinds)
    with_ledger = [body["Type"] for body in deployed("direct-with-ledger").values()]
    assert sorted(with_ledger) == sorted([*kinds, "AWS::DynamoDB::Table"])


@pytest.mark.parametrize("name", of_type("AWS::CloudWatch::Alarm"))
def test_each_alarm_watches_something_that_exists_under_the_right_dimension(name: str) -> None:
    alarm = RESOURCES[name]["Properties"]
    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    queues, functions = of_type("AWS::SQS::Queue"), of_type("AWS::Serverless::Function")
    match alarm["Namespace"], dimensions:
        case "AWS/SQS", {"QueueName": {"Fn::GetAtt": [queue, "QueueName"]}}:
            assert queue in queues
        case "AWS/Lambda", {"FunctionName": {"Ref": function}}:
            assert function in functions
        case "AWS/ApiGateway", {"ApiId": {"Ref": api}}:
            assert api in of_type("AWS::ApiGatewayV2::Api")
        case "Ringhook", {"service": service}:
            # The functions' metrics carry POWERTOOLS_SERVICE_NAME as their one dimension.
            assert service == {"Ref": "AWS::StackName"}
            assert all(variables(name)["POWERTOOLS_SERVICE_NAME"] == service for name in functions)
        case unknown:
            raise AssertionError(unknown)
    assert len(dimensions) == 1


def test_each_alarm_on_a_metric_of_ringhooks_own_is_on_one_that_the_code_counts() -> None:
    code = "".join(path.read_text() for path in (ROOT / "src" / "ringhook").rglob("*.py"))
    watched = {
        alarm["Properties"]["MetricName"]
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["Namespace"] == "Ringhook"
    }
    assert {metric for metric in watched if f'"{metric}"' not in code} == set()


@pytest.mark.parametrize("name", of_type("AWS::CloudWatch::Alarm"))
def test_each_alarm_tells_somebody_what_to_do_if_there_is_somebody(name: str) -> None:
    alarm = RESOURCES[name]["Properties"]
    assert alarm["AlarmActions"]["Fn::If"][:2] == ["HasAlarmEmail", [{"Ref": "AlarmTopic"}]]
    assert alarm["AlarmDescription"].count(". ") >= 1  # what is the matter; then what to do
    assert len(alarm["AlarmDescription"]) <= 1024
    assert alarm["TreatMissingData"] == "notBreaching"


def test_each_queue_has_a_dead_letter_queue_or_is_one() -> None:
    queues = of_type("AWS::SQS::Queue")
    dead = {
        name: queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for name, queue in queues.items()
        if "RedrivePolicy" in queue["Properties"]
    }
    assert queues.keys() == dead.keys() | set(dead.values())
    for name, target in dead.items():
        # The most that there is. What cannot be taken is sent anew, so no message grows old in one.
        for queue in (name, target):
            assert queues[queue]["Properties"]["MessageRetentionPeriod"] == 14 * 86400


@pytest.mark.parametrize("function", ["DialerFunction", "KeeperFunction"])
def test_a_message_stays_hidden_for_six_times_as_long_as_its_function_may_take(
    function: str,
) -> None:
    (event,) = RESOURCES[function]["Properties"]["Events"].values()
    queue = RESOURCES[event["Properties"]["Queue"]["Fn::GetAtt"][0]]
    timeout = RESOURCES[function]["Properties"]["Timeout"]
    assert queue["Properties"]["VisibilityTimeout"] >= 6 * timeout


def test_a_dialer_gets_one_message_and_can_say_that_it_failed() -> None:
    (event,) = RESOURCES["DialerFunction"]["Properties"]["Events"].values()
    assert event["Properties"]["BatchSize"] == 1
    assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_receiver_answers_before_the_api_gives_up() -> None:
    for delivery in DELIVERIES:
        receiver = deployed(delivery)["ReceiverFunction"]["Properties"]
        assert receiver["Timeout"] < 30  # the HTTP API's own limit, in seconds


@pytest.mark.parametrize("role", of_type("AWS::IAM::Role"))
@pytest.mark.parametrize("delivery", DELIVERIES)
def test_no_action_is_a_wildcard_and_none_but_x_rays_is_on_everything(
    role: str, delivery: str
) -> None:
    if role not in deployed(delivery):
        return
    for statement in statements(role, delivery):
        actions = as_list(statement["Action"])
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in actions)
        if "*" in as_list(statement["Resource"]):
            assert {action.split(":")[0] for action in actions} == {"xray"}


def test_the_receiver_cannot_read_the_token_unless_it_dials() -> None:
    assert may("ReceiverRole", "ApiTokens") == set()
    assert variables("ReceiverFunction")["RINGHOOK_TOKENS"]["Fn::If"][0] == "Direct"
    for delivery in ("direct", "direct-with-ledger"):
        assert may("ReceiverRole", "ApiTokens", delivery) == {"secretsmanager:GetSecretValue"}


def test_the_dialer_cannot_read_signing_secrets() -> None:
    assert may("DialerRole", "SigningSecrets") == set()
    assert may("DialerRole", "ApiTokens") == {"secretsmanager:GetSecretValue"}
    assert "RINGHOOK_SIGNING_SECRETS" not in variables("DialerFunction")


def test_the_receiver_can_only_send_to_the_queue_and_has_no_ledger() -> None:
    assert may("ReceiverRole", "CallsQueue") == {"sqs:SendMessage"}
    assert may("ReceiverRole", "ToldQueue") == {"sqs:SendMessage"}
    assert may("ReceiverRole", "LedgerTable") == set()


def test_the_keeper_reads_no_secret_and_sends_the_dialer_nothing_but_wakes() -> None:
    for secret in of_type("AWS::SecretsManager::Secret"):
        assert may("KeeperRole", secret) == set()
    assert may("KeeperRole", "CallsQueue") == {"sqs:SendMessage"}


def test_what_wakes_itself_is_not_taken_for_a_loop() -> None:
    for name in ("DialerFunction", "KeeperFunction"):
        assert RESOURCES[name]["Properties"]["RecursiveLoop"] == "Allow"


def test_sam_adds_no_right_and_nothing_else_than_the_queues_mapping() -> None:
    # They load for seconds, and this test alone asks them.
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    template = copy.deepcopy(TEMPLATE)
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    expanded = Translator({}, Parser()).translate(template, {})["Resources"]
    added = {name: expanded[name]["Type"] for name in expanded.keys() - RESOURCES.keys()}
    assert added == {
        "DialerFunctionCalls": "AWS::Lambda::EventSourceMapping",
        "KeeperFunctionTold": "AWS::Lambda::EventSourceMapping",
    }
    roles = of_type("AWS::IAM::Role")
    assert {name: expanded[name]["Properties"] for name in roles} == {
        name: role["Properties"] for name, role in roles.items()
    }
    assert not any("ManagedPolicyArns" in role["Properties"] for role in roles.values())


def test_secrets_have_no_value_in_the_template() -> None:
    for secret in of_type("AWS::SecretsManager::Secret").values():
        assert secret["Properties"].keys() == {"Description", "Tags"}


def test_the_local_cloud_and_aws_mean_the_same_by_a_secrets_reference() -> None:
    """`Ref` is the ARN on AWS alone; GetAtt Id is it on both."""
    refs = json.dumps(TEMPLATE).count
    for secret in of_type("AWS::SecretsManager::Secret"):
        assert refs(json.dumps({"Ref": secret})) == 0


def test_each_log_group_is_kept_for_the_days_asked() -> None:
    for group in of_type("AWS::Logs::LogGroup").values():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("name", of_type("AWS::Serverless::Function"))
def test_each_function_logs_to_its_own_group_and_may_write_no_other(name: str) -> None:
    properties = RESOURCES[name]["Properties"]
    group = properties["LoggingConfig"]["LogGroup"]["Ref"]
    assert group in of_type("AWS::Logs::LogGroup")
    role = properties["Role"]["Fn::GetAtt"][0]
    assert may(role, group) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert not any(
        other in references(statements(role))
        for other in of_type("AWS::Logs::LogGroup").keys() - {group}
    )


def test_what_holds_data_says_what_becomes_of_it() -> None:
    for name, body in RESOURCES.items():
        if body["Type"] in STATEFUL:
            assert {"DeletionPolicy", "UpdateReplacePolicy"} <= body.keys(), name
    for name in ("LedgerTable", "DeadLetterQueue"):
        assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_no_resource_has_a_fixed_name_so_that_a_second_stack_can_stand_beside_it() -> None:
    names = {"TableName", "QueueName", "FunctionName", "RoleName", "LogGroupName", "TopicName"}
    for body in RESOURCES.values():
        for key in names & body["Properties"].keys():
            assert not isinstance(body["Properties"][key], str)
        assert body["Properties"].get("Name", {"Ref": "AWS::StackName"}) == {
            "Ref": "AWS::StackName"
        }


def test_the_access_log_is_json_with_the_request_id() -> None:
    line = RESOURCES["ApiStage"]["Properties"]["AccessLogSettings"]["Format"]
    assert json.loads(line)["requestId"] == "$context.requestId"
    assert "\n" not in line


def test_every_parameter_is_explained_where_it_is_asked() -> None:
    interface = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(TEMPLATE["Parameters"])
    assert interface["ParameterLabels"].keys() == TEMPLATE["Parameters"].keys()
    assert all(body["Description"] for body in TEMPLATE["Parameters"].values())
    assert all(body["Description"] for body in TEMPLATE["Outputs"].values())


def test_no_access_log_holds_an_address_in_which_a_secret_may_stand() -> None:
    (stage,) = of_type("AWS::ApiGatewayV2::Stage").values()
    told = json.loads(stage["Properties"]["AccessLogSettings"]["Format"])

    assert told["route"] == "$context.routeKey"
    assert not {"$context.path", "$context.domainName"} & set(told.values())
    assert not any("query" in value.lower() for value in told.values())


def test_every_route_of_the_api_may_invoke_the_receiver() -> None:
    routes = {r["Properties"]["RouteKey"] for r in of_type("AWS::ApiGatewayV2::Route").values()}
    allowed = [p["Properties"] for p in of_type("AWS::Lambda::Permission").values()]

    assert routes == {"ANY /hooks/{source}", "ANY /hooks/{source}/{secret}"}
    for route in routes:
        path = route.removeprefix("ANY ")
        assert any(
            p["SourceArn"]["Fn::Sub"].endswith(f"/*/*{path}")
            for p in allowed
            if p["Principal"] == "apigateway.amazonaws.com"
        )
