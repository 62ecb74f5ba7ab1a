"""The authorizer: it says who may delete a thumbnail.

API Gateway calls handler() with the request in format 2.0, whose headers have names in small letters. Who has
the token sends `Authorization: Bearer TOKEN`, the word Bearer in capital or small letters. The environment
variable TOKEN has the token.
"""

import hmac
import os

TOKEN = os.environ["TOKEN"]


def handler(event, context):
    """Return {"isAuthorized": True} for who has the token, and {"isAuthorized": False} for everybody else."""
    # TODO 9: Compare the token. It has to be the same to the last letter.
    raise NotImplementedError("TODO 9: compare the token")
