"""Lambda's resources: logging configuration, and updates that apply everything they are given."""

import functools

import pytest
from botocore.exceptions import ClientError

from deployment import TRUST, zip_of


@pytest.fixture(scope="module")
def cloud(local_cloud):
    """A function that gives boto3 clients of a running cloud, each made once."""
    return functools.cache(local_cloud.client)


@pytest.fixture(scope="module")
def functions(cloud):
    return cloud("lambda")


@pytest.fixture(scope="module")
def role(cloud):
    made = cloud("iam").create_role(RoleName="fn", AssumeRolePolicyDocument=TRUST)
    return made["Role"]["Arn"]


@pytest.fixture
def create(functions, role):
    """Creates the function `fn` with the given settings; it is deleted after."""
    code = {"ZipFile": zip_of({"app.py": "def handler(event, context): pass"})}

    def create(**settings):
        given = {"Code": code, **settings}
        return functions.create_function(
            FunctionName="fn", Runtime="python3.13", Handler="app.handler", Role=role, **given
        )

    yield create
    if functions.list_functions()["Functions"]:
        functions.delete_function(FunctionName="fn")


def update(functions, **settings):
    functions.update_function_configuration(FunctionName="fn", **settings)
    return functions.get_function_configuration(FunctionName="fn")


DEFAULT = {"LogFormat": "Text", "LogGroup": "/aws/lambda/fn"}


def test_logging_is_text_in_the_functions_own_group(create, functions):
    assert create()["LoggingConfig"] == DEFAULT
    [listed] = functions.list_functions()["Functions"]
    assert listed["LoggingConfig"] == DEFAULT


def test_json_logging_has_levels(create, functions):
    made = create(LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG"})
    assert made["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "DEBUG",
        "SystemLogLevel": "INFO",
        "LogGroup": "/aws/lambda/fn",
    }
    assert update(functions, LoggingConfig={"LogFormat": "Text"})["LoggingConfig"] == DEFAULT


def test_log_group_given_on_an_update_is_kept(create, functions):
    create()
    logging = update(functions, LoggingConfig={"LogGroup": "shared"})["LoggingConfig"]
    assert logging == {"LogFormat": "Text", "LogGroup": "shared"}
    assert update(functions, Timeout=9)["LoggingConfig"] == logging


def test_published_version_keeps_its_logging(create, functions):
    create()
    functions.publish_version(FunctionName="fn")
    update(functions, LoggingConfig={"LogFormat": "JSON"})
    version = functions.get_function_configuration(FunctionName="fn", Qualifier="1")
    assert version["LoggingConfig"] == DEFAULT


@pytest.mark.parametrize(
    "setting",
    [
        {"EphemeralStorage": {"Size": 2048}},
        {"TracingConfig": {"Mode": "Active"}},
        {"KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/1"},
        {"MemorySize": 1024},
    ],
)
def test_update_applies(create, functions, setting):
    create()
    updated = update(functions, **setting)
    assert {name: updated[name] for name in setting} == setting


def test_update_changes_last_modified(create, functions):
    before = create()["LastModified"]
    assert update(functions, Description="new")["LastModified"] > before


def test_empty_environment_removes_the_variables(create, functions):
    create(Environment={"Variables": {"AB": "1"}})
    assert "Environment" not in update(functions, Environment={})


def test_code_that_is_not_in_s3_is_refused(cloud, create, functions):
    cloud("s3").create_bucket(Bucket="code")
    with pytest.raises(ClientError, match="S3 Error Code: NoSuchKey") as caught:
        create(Code={"S3Bucket": "code", "S3Key": "missing.zip"})
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"
    with pytest.raises(ClientError, match="S3 Error Code: NoSuchBucket"):
        create(Code={"S3Bucket": "no-such-bucket", "S3Key": "app.zip"})
    create()
    with pytest.raises(ClientError, match="S3 Error Code: NoSuchKey"):
        functions.update_function_code(FunctionName="fn", S3Bucket="code", S3Key="missing.zip")


def test_layer_that_is_not_in_s3_is_refused(cloud, functions):
    with pytest.raises(ClientError, match="S3 Error Code: NoSuchBucket"):
        functions.publish_layer_version(
            LayerName="pillow", Content={"S3Bucket": "no-such-bucket", "S3Key": "pillow.zip"}
        )
