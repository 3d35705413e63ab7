"""The shop on a free port, an empty database for each test, and a shopper who speaks HTTP."""

from __future__ import annotations

import dataclasses
import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis

sys.path.insert(0, str(Path(__file__).parent.parent))

from shop.config import Settings  # noqa: E402
from shop.server import listen  # noqa: E402

DEADLINE_SECONDS = 20.0


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """Polls until `condition` returns something true, and returns that."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (result := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)
    return result


class Client:
    """Speaks HTTP to a shop, with or without a session; for one thread at a time."""

    def __init__(self, port: int, token: str | None = None) -> None:
        self.port = port
        self.token = token
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if isinstance(body, bytes):
            payload = body
        else:
            payload = None if body is None else json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        self._connection.request(method, path, payload, headers)
        response = self._connection.getresponse()
        return response.status, response.read()

    def ask(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        """The decoded answer; fails unless the status is `status`, or 2xx if none is named."""
        got, content = self.send(method, path, body)
        good = got == status if status else 200 <= got < 300
        assert good, f"{method} {path}: {got} {content!r}"
        return json.loads(content) if content else None

    def get(self, path: str, status: int | None = None) -> Any:
        return self.ask("GET", path, status=status)

    def put(self, path: str, body: Any = None, status: int | None = None) -> Any:
        return self.ask("PUT", path, body, status)

    def post(self, path: str, body: Any = None, status: int | None = None) -> Any:
        return self.ask("POST", path, body, status)

    def delete(self, path: str, status: int | None = None) -> Any:
        return self.ask("DELETE", path, status=status)

    def product(self, sku: str, stock: int = 100, price_cents: int = 250, **more: Any) -> None:
        body = {"name": sku.title(), "price_cents": price_cents, "stock": stock} | more
        self.put(f"/products/{quote(sku)}", body)

    def add(self, sku: str, quantity: int = 1, status: int | None = None) -> Any:
        return self.post(f"/cart/lines/{quote(sku)}", {"quantity": quantity}, status)

    def cart(self) -> dict[str, int]:
        return self.get("/cart")["lines"]

    def stock(self, sku: str) -> int:
        return Client(self.port).get(f"/products/{quote(sku)}")["stock"]

    def login(self, customer: str) -> Client:
        """Another client, with a new session."""
        token = self.post("/sessions", {"customer": customer})["token"]
        return Client(self.port, token)


@pytest.fixture(scope="session")
def redis_url() -> str:
    return os.environ["REDIS_URL"]


@pytest.fixture
def server(redis_url: str) -> Iterator[redis.Redis]:
    """A connection of the test's own to the server, emptied first."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as connection:
        connection.flushdb()
        yield connection


@pytest.fixture
def start(redis_url: str, server: redis.Redis) -> Iterator[Callable[..., Client]]:
    """Starts a shop, with settings of the test's choice, and returns a client without session."""
    running = []

    def start_one(**settings: int) -> Client:
        defaults = Settings(redis_url, rate_limit=1_000_000)
        shop = listen(dataclasses.replace(defaults, **settings))
        thread = threading.Thread(target=shop.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        running.append((shop, thread))
        return Client(shop.server_port)

    yield start_one
    for shop, thread in running:
        shop.shutdown()
        thread.join()
        # Streams end when they next notice that their listener has gone; nobody waits for them.
        shop.block_on_close = False
        shop.server_close()


@pytest.fixture
def shop(start: Callable[..., Client]) -> Client:
    return start()


@pytest.fixture
def ann(shop: Client) -> Client:
    return shop.login("ann")


def in_parallel(jobs: list[Callable[[], Any]]) -> list[Any]:
    """Runs all at once, a thread each, begun together; returns the results or raises."""
    together = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)

    def run(index: int) -> None:
        together.wait()
        try:
            results[index] = jobs[index]()
        except BaseException as error:  # handed to the test's own thread
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


class Listener:
    """Reads a shop's event stream in a thread; `orders` grows as events arrive."""

    def __init__(self, port: int, path: str = "/events") -> None:
        self.orders: list[dict[str, Any]] = []
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.request("GET", path)
        self._response = self._connection.getresponse()
        line = self._response.readline()
        assert line == b": ready\n", line
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        # A quiet stream sends a comment each second, so the end is noticed without closing a
        # connection under the reader.
        while not self._stopping.is_set() and (line := self._response.readline()):
            if line.startswith(b"data: "):
                self.orders.append(json.loads(line.removeprefix(b"data: ")))

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._response.close()  # it holds the socket, too
        self._connection.close()


@pytest.fixture
def listen_to() -> Iterator[Callable[..., Listener]]:
    listeners = []

    def start_one(shop: Client, path: str = "/events") -> Listener:
        listeners.append(Listener(shop.port, path))
        return listeners[-1]

    yield start_one
    for listener in listeners:
        listener.close()
