"""A user pool of Cognito with one user, and that user's tokens."""

from moto.cognitoidp.models import cognitoidp_backends

from people import ACCOUNT


class UserPool:
    """A pool in which ann has signed in; `tokens` has IdToken and AccessToken."""

    def __init__(self, cloud):
        cognito = cloud.client("cognito-idp")
        pool = cognito.create_user_pool(PoolName="people")["UserPool"]
        self.id, self.arn = pool["Id"], pool["Arn"]
        self.issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{self.id}"
        self.app = cognito.create_user_pool_client(
            UserPoolId=self.id, ClientName="app",
            ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"],
        )["UserPoolClient"]["ClientId"]  # fmt: skip
        cognito.admin_create_user(UserPoolId=self.id, Username="ann")
        cognito.admin_set_user_password(
            UserPoolId=self.id, Username="ann", Password="Secret-123", Permanent=True
        )
        self.tokens = cognito.admin_initiate_auth(
            UserPoolId=self.id, ClientId=self.app, AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "ann", "PASSWORD": "Secret-123"},
        )["AuthenticationResult"]  # fmt: skip

    def expired(self):
        """An identity token of yesterday."""
        pool = cognitoidp_backends[ACCOUNT]["us-east-1"].user_pools[self.id]
        return pool.create_jwt(self.app, "ann", "id", expires_in=-86_400)[0]
