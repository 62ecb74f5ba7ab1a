"""Bedrock's errors (facts H2; the error shapes of its API models)."""

# Facts H2; the rest are in the models of bedrock, bedrock-agent and s3vectors.
_STATUS = {
    "AccessDeniedException": 403,
    "ConflictException": 409,
    "DependencyFailedException": 424,
    "InternalServerException": 500,
    "ModelErrorException": 424,
    "ModelNotReadyException": 429,
    "ModelTimeoutException": 408,
    "NotFoundException": 404,
    "ResourceNotFoundException": 404,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 429,
    "UnknownOperationException": 404,
}


class BedrockError(Exception):
    """An error of the service: its code, text and HTTP status (400 for codes not listed above)."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = _STATUS.get(code, 400)


def invalid(message: str) -> BedrockError:
    """A request that is well-formed and wrong."""
    return BedrockError("ValidationException", message)


def not_found(message: str) -> BedrockError:
    """A resource that isn't there."""
    return BedrockError("ResourceNotFoundException", message)
