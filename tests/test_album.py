"""The album's page in a real browser, over stage 06's solution: a photograph in, its thumbnail on the page.

LAB_PICTURES=docs/images keeps the picture of the page there, for the notebook.
"""

import base64
import io
import json
import os
from pathlib import Path
from string import Template

import pytest
from PIL import Image
from playwright.sync_api import expect

import resizer_stack
from deployment import deploy, make_role
from labkit import packages, project
from websocket_apis import WebSocketApi

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(180)]
WAIT_MS = 60_000
PAGE = project.ROOT / "assets" / "album.html"
SOLUTION = project.SOLUTIONS / "06-api-gateway"
ELSEWHERE = "https://else.example"
S3 = {"Action": "s3:*", "Resource": "*"}
# Notes who connects.
NOTES = """
import boto3

def handler(event, context):
    key = "connections/" + event["requestContext"]["connectionId"]
    boto3.client("s3").put_object(Bucket="album-page", Key=key)
    return {"statusCode": 200}
"""


@pytest.fixture(scope="module")
def origin(local_cloud):
    """Where the page is from: a bucket of the local cloud."""
    return local_cloud.endpoint_url


@pytest.fixture(scope="module")
def resizer(local_cloud):
    """The image resizer, made by its template: what is uploaded gets a thumbnail."""
    s3 = local_cloud.client("s3")
    s3.create_bucket(Bucket="artifacts")
    code = project.SOLUTIONS / "09-function" / "app.py"
    s3.put_object(Bucket="artifacts", Key="app.zip", Body=packages.function_zip(code))
    s3.put_object(Bucket="artifacts", Key="pillow.zip", Body=packages.pillow_layer_zip())
    made = resizer_stack.create(
        local_cloud.client("cloudformation"), LayerKey="pillow.zip", Runtime=packages.runtime(),
        Architecture=packages.architecture(),
    )  # fmt: skip
    assert made["StackStatus"] == "CREATE_COMPLETE"


@pytest.fixture(scope="module")
def functions(local_cloud, resizer):
    """The ARNs of the solution's two functions, which APIs may call."""
    buckets = {"SOURCE_BUCKET": resizer_stack.SOURCE, "DEST_BUCKET": resizer_stack.DESTINATION}
    role = make_role(local_cloud, "album-role", S3)
    made = {}
    for name, environment in (("app", buckets), ("authorizer", {"TOKEN": "open-sesame"})):
        source = (SOLUTION / f"{name}.py").read_text()
        made[name] = deploy(
            local_cloud, f"album-{name}", {f"{name}.py": source}, role, Handler=f"{name}.handler",
            Environment={"Variables": environment},
        )["FunctionArn"]  # fmt: skip
        local_cloud.client("lambda").add_permission(
            FunctionName=f"album-{name}", StatementId="gateway", Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
        )  # fmt: skip
    return made


@pytest.fixture(scope="module")
def api(local_cloud, functions):
    """Make the solution's API for pages of an origin; return its address."""

    def make(origin):
        definition = Template((SOLUTION / "api.yaml").read_text()).safe_substitute(
            FunctionArn=functions["app"], AuthorizerArn=functions["authorizer"], Region="us-east-1",
            PageOrigin=origin,
        )  # fmt: skip
        gateway = local_cloud.client("apigatewayv2")
        made = gateway.import_api(Body=definition)
        gateway.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
        return made["ApiEndpoint"]

    return make


@pytest.fixture(scope="module")
def link(local_cloud):
    """The page's address, in a bucket that is closed to the public."""
    s3 = local_cloud.client("s3")
    s3.create_bucket(Bucket="album-page")
    place = {"Bucket": "album-page", "Key": "album.html"}
    s3.put_object(**place, Body=PAGE.read_bytes(), ContentType="text/html")
    return s3.generate_presigned_url("get_object", Params=place)


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 760, "height": 560})
    page.set_default_timeout(WAIT_MS)
    yield page
    page.close()


def upload(page, photo):
    page.get_by_label("Photograph").set_input_files(project.PHOTOS / photo)
    page.get_by_role("button", name="Upload").click()


def image(page, name):
    return page.get_by_role("img", name=f"Thumbnail of {name}")


def width(image):
    """Of the picture itself, once it is loaded."""
    return image.evaluate("image => image.decode().then(() => image.naturalWidth)")


def keep_picture(page, tmp_path, name):
    picture = Path(os.environ.get("LAB_PICTURES") or tmp_path) / name
    page.screenshot(path=picture)
    assert picture.stat().st_size > 10_000


def test_a_photograph_is_uploaded_and_its_thumbnail_comes(page, link, api, origin, tmp_path):
    page.goto(f"{link}#api={api(origin)}")
    for photo in ("rocket.jpg", "chelsea.png", "coffee.jpg"):
        upload(page, photo)
        expect(image(page, photo)).to_be_visible(timeout=WAIT_MS)
        assert width(image(page, photo)) == 128
    expect(page.get_by_role("status")).to_have_text(
        "coffee.jpg is uploaded. Its thumbnail comes when it is made."
    )
    keep_picture(page, tmp_path, "album.png")

    delete = page.get_by_role("button", name="Delete rocket.jpg")
    delete.click()
    expect(page.get_by_role("status")).to_have_text("401: Unauthorized")
    page.get_by_label("Token").fill("wrong")
    delete.click()
    expect(page.get_by_role("status")).to_have_text("403: Forbidden")
    page.get_by_label("Token").fill("open-sesame")
    delete.click()
    expect(image(page, "rocket.jpg")).to_have_count(0)
    expect(image(page, "coffee.jpg")).to_be_visible()


def thumbnail(photo):
    """A photograph, small, as a data URL."""
    small = io.BytesIO()
    with Image.open(project.PHOTOS / photo) as picture:
        picture.thumbnail((128, 128))
        picture.convert("RGB").save(small, "JPEG")
    return f"data:image/jpeg;base64,{base64.b64encode(small.getvalue()).decode()}"


def test_thumbnails_are_announced_live(page, link, local_cloud, tmp_path):
    api = WebSocketApi(local_cloud)
    notes = deploy(local_cloud, "notes", NOTES, make_role(local_cloud, "notes-role", S3))
    local_cloud.client("lambda").add_permission(
        FunctionName="notes", StatementId="gateway", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )  # fmt: skip
    api.route("$connect", api.integrate(notes["FunctionArn"]))
    page.goto(f"{link}#live={api.endpoint}/{api.stage}")
    expect(page.get_by_text("Live: connected")).to_be_visible()
    found = local_cloud.client("s3").list_objects_v2(Bucket="album-page", Prefix="connections/")
    [connection] = [each["Key"].removeprefix("connections/") for each in found["Contents"]]
    photos = ("coffee.jpg", "rocket.jpg", "chelsea.png") * 2
    for number, photo in enumerate(photos, 1):
        message = json.dumps({"name": f"live-{number}-{photo}", "picture": thumbnail(photo)})
        api.callbacks().post_to_connection(ConnectionId=connection, Data=message)
        expect(image(page, f"live-{number}-{photo}")).to_be_visible()
    assert width(image(page, "live-1-coffee.jpg")) == 128
    keep_picture(page, tmp_path, "album-live.png")
    api.callbacks().post_to_connection(ConnectionId=connection, Data="no JSON")
    api.callbacks().delete_connection(ConnectionId=connection)
    expect(page.get_by_text("Live: closed (1000)")).to_be_visible()
    expect(page.get_by_text("Live: connected")).to_be_visible()


def test_the_api_refuses_what_is_no_photograph(page, link, api, origin, tmp_path):
    page.goto(f"{link}#api={api(origin)}")
    (tmp_path / "notes.txt").write_text("no photograph")
    page.get_by_label("Photograph").set_input_files(tmp_path / "notes.txt")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("status")).to_contain_text("415: content_type is one of image/jpeg")


def test_an_api_for_another_origin_is_closed_to_the_page(page, link, api):
    page.goto(f"{link}#api={api(ELSEWHERE)}")
    expect(page.get_by_role("status")).to_contain_text("does it allow this page's origin?")


def test_without_an_address_the_page_says_so(page, link):
    page.goto(link)
    expect(page.get_by_role("status")).to_contain_text("This page needs an address")
