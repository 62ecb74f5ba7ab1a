"""The AWS CLI and the SAM CLI, from their packages and unmodified, on the local cloud by `lab env` alone."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deployment import wait_for, zip_of
from http_apis import request
from labkit import packages, project
from stacks import delete, described, outputs

CLIENTS = Path(sys.prefix) / "share" / "clients" / "bin"
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
GREETER = """
def handler(event, context):
    print("hello", event["name"])
    return "Hi " + event["name"]
"""
FUNCTION = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Greeter:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: sam-greeter
      Runtime: RUNTIME
      Handler: app.handler
      Role: !GetAtt Role.Arn
      Code: ./src
""".replace("RUNTIME", RUNTIME)


@pytest.fixture(scope="module")
def shell(local_cloud, tmp_path_factory):
    """A function that runs a line in a shell set up by `lab env`, and gives what it printed."""
    if not (CLIENTS / "aws").exists():
        pytest.skip("not installed here: the AWS CLI. `make test` installs it")
    folder = tmp_path_factory.mktemp("shell")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LAB_"))}
    environment |= {
        "AWS_ENDPOINT_URL": local_cloud.endpoint_url,
        "LAB_WORK": str(folder / "work"),
        "HOME": str(folder),
        "PATH": os.pathsep.join([str(CLIENTS), environment["PATH"]]),
    }
    settings = subprocess.run(
        [sys.executable, "-m", "labkit.cli", "env"],
        env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    def run(line):
        done = subprocess.run(
            ["bash", "-c", f"{settings}\n{line}"],
            env=environment, cwd=folder, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run.folder = folder
    return run


def test_s3(shell):
    (shell.folder / "notes").mkdir()
    for name in ("a.txt", "b c.txt"):
        (shell.folder / "notes" / name).write_text(name)
    (shell.folder / "large.bin").write_bytes(os.urandom(9 * 1024 * 1024))  # in parts
    shell("aws s3 mb s3://cli-bucket")
    shell(
        "aws s3 cp notes/a.txt s3://cli-bucket/one/a.txt && aws s3 sync notes s3://cli-bucket/all"
    )
    shell("aws s3 cp large.bin s3://cli-bucket/ && aws s3 cp s3://cli-bucket/large.bin back.bin")
    listed = shell("aws s3 ls --recursive s3://cli-bucket")
    assert [line.split(maxsplit=3)[3] for line in listed.splitlines()] == [
        "all/a.txt", "all/b c.txt", "large.bin", "one/a.txt",
    ]  # fmt: skip
    assert (shell.folder / "back.bin").read_bytes() == (shell.folder / "large.bin").read_bytes()
    shell("aws s3 rb --force s3://cli-bucket")
    assert "cli-bucket" not in shell("aws s3 ls")


def test_functions_and_their_logs(shell, local_cloud):
    (shell.folder / "greeter.zip").write_bytes(zip_of({"app.py": GREETER}))
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    (shell.folder / "trust.json").write_text(json.dumps(trust))
    shell(
        "arn=$(aws iam create-role --role-name cli --assume-role-policy-document file://trust.json"
        " --query Role.Arn --output text)\n"
        "aws iam attach-role-policy --role-name cli"
        " --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole\n"
        f"aws lambda create-function --function-name greeter --runtime {RUNTIME} --handler app.handler"
        ' --role "$arn" --zip-file fileb://greeter.zip\n'
        "aws lambda wait function-active-v2 --function-name greeter"
    )
    answer = shell(
        "aws lambda invoke --function-name greeter"
        """ --payload '{"name": "Ana"}' answer.json"""
    )
    assert json.loads(answer)["StatusCode"] == 200
    assert json.loads((shell.folder / "answer.json").read_text()) == "Hi Ana"
    logs = local_cloud.client("logs")
    group = "/aws/lambda/greeter"
    wait_for(
        lambda: any(
            "REPORT" in event["message"]
            for event in logs.filter_log_events(logGroupName=group)["events"]
        )
    )
    # `aws logs tail` is in the CLI's second version only, which no package index has.
    lines = shell(
        f"aws logs filter-log-events --log-group-name {group} --query events[].message --output text"
    )
    assert "hello Ana" in lines and "REPORT RequestId:" in lines
    followed = shell(f"sam logs --cw-log-group {group}")
    assert "hello Ana" in followed and "REPORT RequestId:" in followed


def test_cloudformation_deploys_the_resizer(shell, local_cloud):
    s3 = local_cloud.client("s3")
    s3.create_bucket(Bucket="cli-artifacts")
    s3.put_object(Bucket="cli-artifacts", Key="pillow.zip", Body=packages.pillow_layer_zip())
    deploy = (
        f"aws cloudformation deploy --template-file {project.TEMPLATE} --stack-name cli-resizer"
        " --capabilities CAPABILITY_IAM --parameter-overrides Name=cli ArtifactBucket=cli-artifacts"
        f" LayerKey=pillow.zip Runtime={RUNTIME} Architecture={packages.architecture()}"
    )
    assert "Successfully created/updated stack" in shell(deploy)
    assert "No changes to deploy" in shell(f"{deploy} --no-fail-on-empty-changeset")
    outputs = json.loads(
        shell(
            "aws cloudformation describe-stacks --stack-name cli-resizer --query Stacks[0].Outputs"
        )
    )
    names = {output["OutputKey"]: output["OutputValue"] for output in outputs}
    photo = project.PHOTOS / "coffee.jpg"
    shell(f"aws s3 cp {photo} s3://{names['SourceBucket']}/raw/coffee.jpg")
    shell(
        f"aws s3api wait object-exists --bucket {names['DestinationBucket']} --key thumbnails/coffee.jpg"
    )
    shell("aws cloudformation delete-stack --stack-name cli-resizer")
    shell("aws cloudformation wait stack-delete-complete --stack-name cli-resizer")
    assert names["SourceBucket"] not in shell("aws s3 ls")


def test_sam_packages_and_deploys(shell, local_cloud):
    folder = shell.folder / "sam"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "app.py").write_text(GREETER)
    (folder / "template.yaml").write_text(FUNCTION)
    shell("cd sam && sam validate")
    shell("aws s3 mb s3://sam-bucket")
    packaged = shell("cd sam && sam package --s3-bucket sam-bucket --output-template-file out.yaml")
    assert "Successfully packaged artifacts" in packaged
    assert (
        "s3://sam-bucket/" in (folder / "out.yaml").read_text()
        or "S3Bucket: sam-bucket" in (folder / "out.yaml").read_text()
    )
    deployed = shell(
        "cd sam && sam deploy --template-file template.yaml --stack-name sam-greeter --resolve-s3"
        " --capabilities CAPABILITY_IAM --no-confirm-changeset"
    )
    assert "Successfully created/updated stack" in deployed
    answer = local_cloud.client("lambda").invoke(
        FunctionName="sam-greeter", Payload=b'{"name": "Bo"}'
    )
    assert json.load(answer["Payload"]) == "Hi Bo"


HELLO_WORLD = """AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Description: >
  sam-app

  Sample SAM Template for sam-app

Globals:
  Function:
    Timeout: 3
    LoggingConfig:
      LogFormat: JSON

Resources:
  HelloWorldFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: hello_world/
      Handler: app.lambda_handler
      Runtime: RUNTIME
      Architectures:
        - x86_64
      Events:
        HelloWorld:
          Type: Api
          Properties:
            Path: /hello
            Method: get

Outputs:
  HelloWorldApi:
    Description: "API Gateway endpoint URL for Prod stage for Hello World function"
    Value: !Sub "https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/hello/"
  HelloWorldFunction:
    Value: !GetAtt HelloWorldFunction.Arn
  HelloWorldFunctionIamRole:
    Value: !GetAtt HelloWorldFunctionRole.Arn
"""
HELLO_WORLD_APP = """
import json

def lambda_handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"message": "MESSAGE"})}
"""


def test_sam_deploys_hello_world(shell, local_cloud):
    """The template that `sam init` writes, from its folder to an answer."""
    folder = shell.folder / "sam-app"
    (folder / "hello_world").mkdir(parents=True)
    (folder / "hello_world" / "__init__.py").touch()
    app = folder / "hello_world" / "app.py"
    app.write_text(HELLO_WORLD_APP.replace("MESSAGE", "hello world"))
    (folder / "template.yaml").write_text(HELLO_WORLD.replace("RUNTIME", RUNTIME))
    deploy = (
        "cd sam-app && sam deploy --stack-name sam-app --resolve-s3 --capabilities CAPABILITY_IAM"
        " --no-confirm-changeset"
    )
    deployed = shell(deploy)
    assert "Successfully created/updated stack" in deployed
    assert "ServerlessRestApi" in deployed, "the change set tells what comes of the template"
    cfn = local_cloud.client("cloudformation")
    found = outputs(described(cfn, "sam-app"))
    address = urlsplit(found["HelloWorldApi"])

    def message():
        answer = request(local_cloud, address.hostname, "/Prod/hello")
        assert answer.status == 200
        return answer.json()["message"]

    assert message() == "hello world"
    app.write_text(HELLO_WORLD_APP.replace("MESSAGE", "changed"))
    assert "Successfully created/updated stack" in shell(deploy)
    assert message() == "changed"
    assert delete(cfn, "sam-app")["StackStatus"] == "DELETE_COMPLETE"


def test_env_says_what_to_do_without_a_cloud(tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LAB_TARGET"))}
    done = subprocess.run(
        [sys.executable, "-m", "labkit.cli", "env"],
        env=environment | {"LAB_WORK": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "")
    assert "lab cloud" in done.stderr


def test_env_for_aws_takes_the_local_settings_back(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "labkit.cli", "env"],
        env=os.environ | {"LAB_TARGET": "aws"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "unset AWS_ENDPOINT_URL" in done.stdout
    assert "export" not in done.stdout
