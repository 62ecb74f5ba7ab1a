"""Speed, side by side: localcloud and MiniStack, taken turn by turn in one run.

Run it from the project's root with ``python -m benchmarks``. Every number comes through the
AWS API: boto3 for latencies, raw HTTP from several processes for throughput.
"""
