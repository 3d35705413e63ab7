"""Each test runs over RESP2 and over RESP3, on an emptied database."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

HOST, PORT = os.environ["SERVER_HOST"], int(os.environ["SERVER_PORT"])
DEADLINE_SECONDS = 20.0


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """Polls until `condition` returns something true, and returns that."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (result := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)
    return result


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def protocol(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def connect(protocol: int) -> Iterator[Callable[..., redis.Redis]]:
    clients = []

    def connect_one(**options: Any) -> redis.Redis:
        defaults = {"protocol": protocol, "decode_responses": True}
        clients.append(redis.Redis(HOST, PORT, **(defaults | options)))
        return clients[-1]

    yield connect_one
    for client in clients:
        client.close()


@pytest.fixture
def r(connect: Callable[..., redis.Redis]) -> redis.Redis:
    client = connect()
    client.flushall()
    return client
