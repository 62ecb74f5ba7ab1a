"""A function's processor time follows its memory, as it does on AWS."""

import pytest

from deployment import deploy, invoke

_SOURCE = """
    import time
    def handler(event, context):
        begun, used = time.perf_counter(), time.process_time()
        while time.process_time() - used < event["cpu_s"]:
            sum(range(1000))
        return time.perf_counter() - begun
"""


def _seconds(cloud, name: str, cpu_s: float) -> float:
    """The best of a few: what else the machine does makes a handler slower, never faster."""
    return min(invoke(cloud, name, {"cpu_s": cpu_s})[0] for _ in range(4))


@pytest.mark.parametrize("memory_mb", [128, 256, 512, 1024])
def test_a_busy_handler_takes_longer_with_less_memory(local_cloud, memory_mb):
    deploy(local_cloud, f"m{memory_mb}", _SOURCE, MemorySize=memory_mb, Timeout=60)
    expected = 0.2 * 1769 / memory_mb
    assert 0.85 * expected < _seconds(local_cloud, f"m{memory_mb}", 0.2) < 1.6 * expected


def test_waiting_costs_no_processor_time(local_cloud):
    source = "import time\ndef handler(e, c): time.sleep(0.3)\n"
    deploy(local_cloud, "waits", source, MemorySize=128)
    invoke(local_cloud, "waits")
    report = invoke(local_cloud, "waits")[2]
    assert 300 <= float(report.split("Duration: ")[1].split(" ")[0]) < 600


def test_init_runs_at_full_speed(local_cloud):
    source = """
        import time
        begun, used = time.perf_counter(), time.process_time()
        while time.process_time() - used < 0.2:
            sum(range(1000))
        took = time.perf_counter() - begun
        def handler(event, context):
            return took
    """
    deploy(local_cloud, "init", source, MemorySize=128)
    assert invoke(local_cloud, "init")[0] < 0.2 * 1769 / 128 / 2
