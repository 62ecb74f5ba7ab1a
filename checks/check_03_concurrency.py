"""Stage 03: two functions, one budget of concurrency, and a storm."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from botocore.exceptions import ClientError

from labkit.grading import expect

from .arrivals import Arrivals
from .settled_function import SETTINGS, SettledFunction

BUDGET = 10
CUSTOMERS, ROUNDS = 6, 3
REPORTS, REPORTS_S = 12, 20
BETWEEN_ORDERS_S = 0.3
# What fails for good at the first try is in its queue within a moment; a retry comes after a minute.
AT_ONCE_S = 10
MEANWHILE_S = 2
OUTAGE_S = 120
HOUR_S = 3600
# "How Lambda handles errors and retries with asynchronous invocation": one minute, then two more.
RETRIES_S = (60, 120)
MEMORY_GB = 0.25
PROVISIONED_GB_S = 0.0000041667
ORDERS = """
import os
import time

time.sleep(0.3)  # the prices are loaded


def handler(event, context):
    time.sleep(0.3)
    if event.get("payment") == "down":
        raise ConnectionError("the payment service is down")
    return {"order": event["order"], "environment": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]}
"""
REPORTS_SOURCE = """
import time


def handler(event, context):
    time.sleep(0.1)
    if event.get("broken"):
        raise ValueError("there is no such chart")
    return event["report"]
"""


@pytest.fixture(scope="module")
def queues(deployment):
    """The queues for what failed, and one that hears of each report that is done."""
    made = {
        word: Arrivals(deployment, word) for word in ("failed-orders", "failed-reports", "done")
    }
    yield made
    for queue in made.values():
        queue.remove()


@pytest.fixture(scope="module")
def functions(deployment, workspace, queues):
    """Both functions with the learner's settings: orders, reports."""
    text = deployment.fill(
        workspace.text(SETTINGS),
        FailedOrders=queues["failed-orders"].arn,
        FailedReports=queues["failed-reports"].arn,
    )
    settings = workspace.json(SETTINGS, text)
    role = deployment.role("storm", *(queue.policy for queue in queues.values()))
    orders = SettledFunction(deployment, "orders", ORDERS, settings, role=role)
    reports = SettledFunction(
        deployment, "reports", REPORTS_SOURCE, settings, role=role, done=queues["done"].arn
    )
    return orders, reports


@dataclass
class Storm:
    """What came of the customers' orders."""

    served: list = field(default_factory=list)
    refused: list = field(default_factory=list)


@pytest.fixture(scope="module")
def storm(functions):
    """Twelve reports are asked for, and six customers order at the same moment, three times."""
    orders, reports = functions
    came, together = Storm(), threading.Barrier(CUSTOMERS)
    for number in range(REPORTS):
        reports.send({"report": number})

    def shop(customer):
        for turn in range(ROUNDS):
            together.wait(timeout=60)
            try:
                answer = orders.call({"order": f"{customer}-{turn}"})
            except ClientError as error:
                came.refused.append(error.response["Error"]["Code"])
            else:
                came.served.append(answer)
            time.sleep(BETWEEN_ORDERS_S)

    with ThreadPoolExecutor(CUSTOMERS) as customers:
        list(customers.map(shop, range(CUSTOMERS)))
    return came


@pytest.mark.check(points=2, section="6 · Reserved: a share of one's own", timeout=400)
def check_budget(functions):
    """Both functions have reserved concurrency, and together no more than the ten units of the budget."""
    reserved = [function.reserved for function in functions]
    shown = ["none" if each is None else str(each) for each in reserved]
    expect(
        None not in reserved and sum(reserved) <= BUDGET,
        tried="asked the cloud for the reserved concurrency of orders and of reports",
        expected=f"a number for each, and together at most {BUDGET}",
        seen=f"orders {shown[0]}, reports {shown[1]}",
    )


@pytest.mark.check(
    points=4, section="6 · Reserved: a share of one's own", needs=("check_budget",), timeout=400
)
def check_no_order_is_refused(storm):
    """In the storm, no order is refused."""
    words = ", ".join(sorted(set(storm.refused)))
    expect(
        not storm.refused,
        tried=f"ordered {CUSTOMERS} times at the same moment, {ROUNDS} times over",
        expected=f"all {CUSTOMERS * ROUNDS} orders to be taken",
        seen=f"{len(storm.refused)} were refused: {words}",
    )


@pytest.mark.check(points=4, section="8 · Provisioned: ready before anybody calls", timeout=400)
def check_no_customer_waits_for_init(storm):
    """In the storm, every order finds an environment that was initialised before."""
    for answer in storm.served:
        expect(
            not answer.error,
            tried="ordered",
            expected="an answer",
            seen=answer.problem,
            log=answer.log,
        )
    on_demand = [a for a in storm.served if a.payload["environment"] != "provisioned-concurrency"]
    expect(
        not on_demand and not storm.refused,
        tried=f"ordered {CUSTOMERS} times at the same moment, {ROUNDS} times over",
        expected=f"all {CUSTOMERS * ROUNDS} orders in environments of provisioned concurrency",
        seen=f"{len(on_demand)} in environments made on demand, {len(storm.refused)} refused",
    )


@pytest.mark.check(
    points=2,
    section="8 · Provisioned: ready before anybody calls",
    needs=("check_no_customer_waits_for_init",),
    timeout=400,
)
def check_cheapest(functions):
    """No more is provisioned than the storm needs."""
    orders, reports = (function.provisioned for function in functions)
    hour = (orders + reports) * MEMORY_GB * HOUR_S * PROVISIONED_GB_S
    expect(
        orders <= CUSTOMERS and reports == 0,
        tried="added up what is provisioned, which costs money whether it is used or not",
        expected=f"{CUSTOMERS} for orders, as many as order at once, and none for reports, which can wait",
        seen=f"orders {orders}, reports {reports}: ${hour:.4f} an hour at {MEMORY_GB} GB",
    )


@pytest.mark.check(
    points=2, section="6 · Reserved: a share of one's own", needs=("check_budget",), timeout=400
)
def check_reports_are_done(storm, queues):
    """All twelve reports are done within twenty seconds, storm or not."""
    done, deadline = set(), time.monotonic() + REPORTS_S
    while len(done) < REPORTS and (left := deadline - time.monotonic()) > 0:
        done |= {record["requestPayload"]["report"] for record in queues["done"].take(min(left, 2))}
    expect(
        len(done) == REPORTS,
        tried=f"asked for {REPORTS} reports at once, and waited {REPORTS_S} s after the last order",
        expected=f"{REPORTS} reports",
        seen=f"{len(done)} reports",
    )


@pytest.mark.check(points=2, section="9 · Events that wait and try again", timeout=400)
def check_broken_report(functions, queues):
    """A report that fails is in its queue after one try, and an old one is not begun any more."""
    _, reports = functions
    keeps_failures(reports, "reports")
    reports.send({"report": "broken", "broken": True})
    came = failed(queues["failed-reports"], AT_ONCE_S)
    expect(
        {"report": "broken", "broken": True} in came,
        tried="asked for a report that fails",
        expected="the event in the queue for failed reports, at once",
        seen=f"{len(came)} other events came" if came else f"nothing came within {AT_ONCE_S} s",
    )
    retries, age_s = reports.patience
    expect(
        age_s <= HOUR_S,
        tried="asked the cloud how old an event of reports may get",
        expected=f"at most {HOUR_S} s",
        seen=f"{age_s} s",
    )


@pytest.mark.check(points=2, section="10 · A place for what failed", timeout=400)
def check_failed_order_is_kept(functions, queues):
    """An order by mail that fails for good is kept in its queue."""
    orders, _ = functions
    keeps_failures(orders, "orders")
    with orders.switched_off():
        orders.send({"order": "kept"})
        came = failed(queues["failed-orders"], AT_ONCE_S)
    expect(
        {"order": "kept"} in came,
        tried="sent an order by mail while orders was switched off (reserved concurrency 0)",
        expected="the event in the queue for failed orders, at once",
        seen=f"{len(came)} other events came" if came else f"nothing came within {AT_ONCE_S} s",
    )


@pytest.mark.check(
    points=2,
    section="9 · Events that wait and try again",
    needs=("check_failed_order_is_kept",),
    timeout=400,
)
def check_order_survives_an_outage(functions, queues):
    """An order by mail is tried until the payment service is back, two minutes later."""
    orders, _ = functions
    order = {"order": "patient", "payment": "down"}
    orders.send(order)
    expect(
        order not in failed(queues["failed-orders"], MEANWHILE_S),
        tried="sent an order by mail while the payment service was down",
        expected="a second try, a minute later",
        seen="the event was given up after the first",
    )
    retries, age_s = orders.patience
    # The last try has to begin when the outage is over, and before the event is too old.
    last_try_s = sum(RETRIES_S[:retries])
    expect(
        OUTAGE_S <= last_try_s < age_s,
        tried="asked the cloud how long an event of orders is tried",
        expected=f"a last try after more than {OUTAGE_S} s: retries come after 60 s and after 120 s more",
        seen=f"{retries} retries, and events of at most {age_s} s",
    )


def keeps_failures(function, word):
    """Raises Unmet where an event of the function that fails for good is dropped."""
    expect(
        function.keeps_failures,
        tried=f"asked the cloud where events of {word} go that fail for good",
        expected=f"the queue for failed {word}",
        seen="nowhere: there is no on-failure destination and no dead-letter queue",
    )


def failed(queue, seconds):
    """The events that come to a queue first within the time, as destination's records or dead letters."""
    return [record.get("requestPayload", record) for record in queue.take(seconds)]
