"""Stands before botocore on MiniStack's path, so that its workers find none to import."""

raise ImportError("hidden by benchmarks/without_boto3")
