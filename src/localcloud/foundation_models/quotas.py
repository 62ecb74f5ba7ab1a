"""How many requests and tokens a minute each model takes, of one account in one region (facts H9)."""

from dataclasses import dataclass


@dataclass
class Quotas:
    """The limits of every model; settings change them while the cloud runs."""

    bedrock_requests_per_minute: int = 1_000
    bedrock_tokens_per_minute: int = 1_000_000
