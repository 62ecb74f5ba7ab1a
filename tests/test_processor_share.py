"""A function's processor time follows its memory, as it does on AWS.

What else the machine does makes everything slower. So each time is compared with one of the same moment,
and what must not happen at all is that a function gets more than its share.
"""

import asyncio

import pytest

from deployment import deploy, invoke
from localcloud.functions.processor_share import ProcessorShare

WORK_S = 0.2
ONE_PROCESSOR_MB = 1769
SOURCE = """
    import time
    def work(cpu_s):
        begun, used = time.perf_counter(), time.process_time()
        while time.process_time() - used < cpu_s:
            sum(range(1000))
        return time.perf_counter() - begun
    took_s = work(INIT)
    def handler(event, context):
        return {"handler": work(event["cpu_s"]), "init": took_s}
"""


@pytest.fixture(scope="module")
def whole(local_cloud):
    """A function with a processor of its own: call it for the seconds that the work takes now."""
    deploy(local_cloud, "whole", SOURCE.replace("INIT", "0"), MemorySize=ONE_PROCESSOR_MB)
    return lambda: invoke(local_cloud, "whole", {"cpu_s": WORK_S})[0]["handler"]


@pytest.mark.parametrize("memory_mb", [128, 256, 512, 1024])
def test_a_busy_handler_takes_longer_with_less_memory(local_cloud, whole, memory_mb):
    name = f"m{memory_mb}"
    deploy(local_cloud, name, SOURCE.replace("INIT", "0"), MemorySize=memory_mb, Timeout=60)
    expected = ONE_PROCESSOR_MB / memory_mb
    pairs = [
        (invoke(local_cloud, name, {"cpu_s": WORK_S})[0]["handler"], whole()) for _ in range(3)
    ]
    assert min(mine for mine, _ in pairs) > 0.85 * expected * WORK_S
    assert min(mine / theirs for mine, theirs in pairs) < 1.6 * expected


def test_what_is_used_before_anybody_looks_is_owed_in_the_end():
    class Sandbox:
        used_s = 0.0

        def cpu_seconds(self):
            return self.used_s

    async def owed_after(used_s):
        sandbox = Sandbox()
        share = ProcessorShare(sandbox, 177)  # a tenth of a processor
        share.start()
        sandbox.used_s = used_s
        return share.stop()

    assert 5 < asyncio.run(owed_after(1.0)) < 10
    assert asyncio.run(owed_after(0.001)) == 0, "each period has its share"


def test_waiting_costs_no_processor_time(local_cloud):
    source = "import time\ndef handler(e, c): time.sleep(0.3)\n"
    deploy(local_cloud, "waits", source, MemorySize=128)
    invoke(local_cloud, "waits")
    report = invoke(local_cloud, "waits")[2]
    # Were it counted, it would be fourteen times as long.
    assert 300 <= float(report.split("Duration: ")[1].split(" ")[0]) < 2000


def test_init_runs_at_full_speed(local_cloud):
    deploy(local_cloud, "init", SOURCE.replace("INIT", str(WORK_S)), MemorySize=128, Timeout=60)
    took = invoke(local_cloud, "init", {"cpu_s": WORK_S})[0]
    assert took["init"] < took["handler"] / 2
