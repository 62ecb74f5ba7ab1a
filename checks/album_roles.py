"""What the roles of the album's functions are asked: pairs of actions and resources that none of them needs.

Actions and the resources they are for: "Actions, resources, and condition keys for AWS services" in the
Service Authorization Reference.
"""

from dataclasses import dataclass

from .album import Album
from .role_questions import Places

_READ = ("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan")
_WRITE = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
_TABLE = (
    "dynamodb:DeleteTable", "dynamodb:UpdateTable", "dynamodb:CreateBackup",
    "dynamodb:ExportTableToPointInTime", "dynamodb:PutResourcePolicy", "dynamodb:UpdateTimeToLive",
)  # fmt: skip
_BUCKET = ("s3:PutBucketPolicy", "s3:PutBucketNotification", "s3:DeleteBucket", "s3:ListBucket")
_OBJECT = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:PutObjectAcl", "s3:GetObjectAcl")
_MANAGE = ("execute-api:ManageConnections",)
_INVOKE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")


@dataclass(frozen=True)
class _Album:
    """The ARNs of an album's parts."""

    album: Album

    def bucket(self, output: str, key: str = "") -> str:
        name = self.album.outputs[output]
        return f"arn:{self.album.deployment.partition}:s3:::{name}{'/' + key if key else ''}"

    def arn(self, service: str, rest: str, account: bool = True) -> str:
        made = self.album.deployment
        owner = made.account if account else ""
        return f"arn:{made.partition}:{service}:{made.region}:{owner}:{rest}"

    @property
    def connections(self) -> str:
        return self.arn("dynamodb", f"table/{self.album.outputs['ConnectionTable']}")

    @property
    def photos(self) -> str:
        tables = set(self.album.stack.ids("AWS::DynamoDB::Table"))
        (table,) = tables - {self.album.outputs["ConnectionTable"]}
        return self.arn("dynamodb", f"table/{table}")

    @property
    def raw(self) -> str:
        return self.bucket("SourceBucket", "raw/a.jpg")

    @property
    def thumbnails(self) -> str:
        return self.bucket("ThumbnailBucket", "thumbnails/a.jpg")

    @property
    def socket_api(self) -> str:
        return self.album.outputs["SocketEndpoint"].partition("//")[2].partition(".")[0]

    def pages(self, api: str = "", method: str = "POST") -> str:
        return self.arn("execute-api", f"{api or self.socket_api}/live/{method}/@connections/abc=")

    def model(self, name: str) -> str:
        return self.arn("bedrock", f"foundation-model/{name}", account=False)


def upload_questions(album: Album, model: str):
    """What the function behind the HTTP API need not do: it puts into raw/, gets thumbnails, reads photos."""
    it = _Album(album)
    return [
        (_others(_OBJECT, "s3:PutObject"), [it.raw]),
        (_others(_OBJECT, "s3:GetObject"), [it.thumbnails]),
        (_WRITE, [it.photos]),
        (_READ + _WRITE, [it.connections]),
        (_INVOKE, [it.model(model)]),
        (_MANAGE, [it.pages()]),
        *_for_nobody(it, "UploadFunction"),
    ]


def connection_questions(album: Album, model: str):
    """What the function behind the WebSocket API need not do: it knows its table alone."""
    it = _Album(album)
    return [
        (_OBJECT, [it.raw, it.thumbnails]),
        (_READ + _WRITE, [it.photos]),
        (_INVOKE, [it.model(model)]),
        (_MANAGE, [it.pages()]),
        *_for_nobody(it, "ConnectionFunction"),
    ]


def photo_questions(album: Album, model: str):
    """What the function that takes care of uploads need not do. Did it write raw/, it would call itself."""
    it = _Album(album)
    return [
        (_others(_OBJECT, "s3:GetObject"), [it.raw]),
        (_others(_OBJECT, "s3:PutObject", "s3:GetObject"), [it.thumbnails]),
        (("dynamodb:DeleteItem",), [it.photos]),
        (("dynamodb:PutItem",), [it.connections]),
        (_MANAGE, [it.pages(method="DELETE")]),
        *_for_nobody(it, "PhotoFunction"),
    ]


def _others(actions, *allowed):
    return [action for action in actions if action not in allowed]


def _for_nobody(it: _Album, function: str):
    """What none of the functions needs."""
    outputs = it.album.outputs
    group = f"/aws/lambda/{outputs[function]}"
    places = Places(
        outputs["SourceBucket"], outputs["ThumbnailBucket"], f"{outputs['SourceBucket']}-other",
        group, it.album.deployment,
    )  # fmt: skip
    outside = [
        it.bucket("SourceBucket", "private/a.jpg"), it.bucket("SourceBucket", "rawest.jpg"),
        it.bucket("ThumbnailBucket", "private/a.jpg"), it.bucket("ThumbnailBucket", "raw/a.jpg"),
    ]  # fmt: skip
    return [
        (_OBJECT, outside),
        (_BUCKET, [it.bucket("SourceBucket"), it.bucket("ThumbnailBucket")]),
        (_TABLE, [it.photos, it.connections]),
        (_INVOKE, [it.model("amazon.nova-pro-v1:0"), it.model("anthropic.claude-opus-4-7")]),
        (_MANAGE, [it.pages(api="a1b2c3d4e5")]),
        *places.log_questions(),
        *places.other_questions(),
    ]
