"""REST APIs in tests: made by boto3, called by plain HTTP with a Host header."""

from http_apis import request


def invocation_uri(arn):
    """The URI by which an integration or an authorizer names a function."""
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


class RestApi:
    """A REST API, called under its host name."""

    def __init__(self, cloud, **options):
        self.cloud, self.client = cloud, cloud.client("apigateway")
        made = self.client.create_rest_api(name="pets", **options)
        self.id, self.root = made["id"], made["rootResourceId"]
        self.host = f"{self.id}.execute-api.localhost"
        self.resources = {"/": self.root}

    def resource(self, path):
        """The id of the resource at a path, which is made with its parents where it isn't there."""
        if path not in self.resources:
            parent, _, part = path.rpartition("/")
            made = self.client.create_resource(
                restApiId=self.id, parentId=self.resource(parent or "/"), pathPart=part
            )
            self.resources[path] = made["id"]
        return self.resources[path]

    def method(self, method, path, kind, authorization="NONE", access=None, **integration):
        """Put a method with an integration; `access` are further parameters of PutMethod."""
        place = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": method}
        self.client.put_method(**place, authorizationType=authorization, **(access or {}))
        self.client.put_integration(**place, type=kind, **integration)
        return place

    def proxy(self, method, path, arn, **options):
        settings = {"uri": invocation_uri(arn), "integrationHttpMethod": "POST", **options}
        return self.method(method, path, "AWS_PROXY", **settings)

    def mock(self, method, path, **access):
        """Put a method that answers 200 by itself."""
        authorization = access.pop("authorizationType", "NONE")
        place = self.method(
            method, path, "MOCK", authorization, access,
            requestTemplates=dict.fromkeys(
                ("application/json", "text/plain"), '{"statusCode": 200}'
            ),
        )  # fmt: skip
        self.client.put_method_response(**place, statusCode="200")
        self.client.put_integration_response(**place, statusCode="200")
        return place

    def authorizer(self, kind, arn=None, **options):
        """Make an authorizer; return its id."""
        if arn:
            options["authorizerUri"] = invocation_uri(arn)
        if kind != "REQUEST":
            options.setdefault("identitySource", "method.request.header.Authorization")
        made = self.client.create_authorizer(restApiId=self.id, name="guard", type=kind, **options)
        return made["id"]

    def answer(self, place, status=200, headers=None, **options):
        """Put a method response and an integration response. `headers` are their mappings."""
        status = str(status)
        mapped = {
            f"method.response.header.{name}": value for name, value in (headers or {}).items()
        }
        self.client.put_method_response(
            **place, statusCode=status, responseParameters=dict.fromkeys(mapped, False)
        )
        self.client.put_integration_response(
            **place, statusCode=status, responseParameters=mapped, **options
        )

    def function(self, method, path, arn, **options):
        """A method with a function behind templates."""
        settings = {"uri": invocation_uri(arn), "integrationHttpMethod": "POST", **options}
        return self.method(method, path, "AWS", **settings)

    def patch(self, path, value="", stage="dev", op="replace", **options):
        """Change a stage."""
        operation = {"op": op, "path": path, "value": value, **options}
        return self.client.update_stage(
            restApiId=self.id, stageName=stage, patchOperations=[operation]
        )

    def deploy(self, stage="dev", **options):
        return self.client.create_deployment(restApiId=self.id, stageName=stage, **options)["id"]

    def call(self, path, method="GET", body=None, headers=()):
        return request(self.cloud, self.host, path, method, body, headers)
