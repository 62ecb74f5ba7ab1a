"""An OpenID Connect issuer on this machine, and its tokens."""

import contextlib
import json
import time

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from web_servers import web_server


class Issuer:
    """Signs tokens with a key that its JWKS shows."""

    def __init__(self, address):
        self.address = address
        self.fetched = 0
        self.new_key("first")

    def new_key(self, key_id):
        self.key = RSAKey.generate_key(2048, {"kid": key_id, "use": "sig"})
        # Of a kind that API Gateway doesn't take.
        self.elliptic_key = ECKey.generate_key("P-256", {"kid": f"{key_id}-elliptic"})

    def token(self, key=None, algorithm="RS256", **claims):
        """A token that is good for a minute; a claim that is None is left out."""
        now = int(time.time())
        given = {"iss": self.address, "aud": "pets", "sub": "me", "exp": now + 60, "iat": now}
        given = {name: value for name, value in {**given, **claims}.items() if value is not None}
        key = key or self.key
        header = {"alg": algorithm, "kid": key.kid}
        return jwt.encode(header, given, key, algorithms=[algorithm])

    def answer(self, method, path, headers, body):
        if path == "/.well-known/openid-configuration":
            content = {"issuer": self.address, "jwks_uri": f"{self.address}/keys"}
        else:
            self.fetched += 1
            keys = (self.key, self.elliptic_key)
            content = {"keys": [key.as_dict(private=False) for key in keys]}
        return 200, [("Content-Type", "application/json")], json.dumps(content).encode()


@contextlib.contextmanager
def issuer():
    """A running Issuer."""
    made = None

    def answer(*request):
        return made.answer(*request)

    with web_server(answer) as address:
        made = Issuer(address)
        yield made


def another_key(issuer):
    """A key of somebody else's under the issuer's key id."""
    return RSAKey.generate_key(2048, {"kid": issuer.key.kid})
