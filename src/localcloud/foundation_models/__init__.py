"""Amazon Bedrock on this computer: small models stand in for the ones that a request names."""
