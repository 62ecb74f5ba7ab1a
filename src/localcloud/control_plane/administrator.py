"""The caller that nobody knows is the account's root user, as the learner's own `test` key is."""

from moto.sts.models import STSBackend

_original = STSBackend.get_caller_identity


def install() -> None:
    """Make GetCallerIdentity name the root user where moto has a placeholder of its own."""

    def get_caller_identity(self, access_key_id: str, region: str) -> tuple[str, str, str]:
        user_id, arn, account_id = _original(self, access_key_id, region)
        if arn.endswith(":user/moto"):
            return account_id, f"arn:aws:iam::{account_id}:root", account_id
        return user_id, arn, account_id

    STSBackend.get_caller_identity = get_caller_identity
