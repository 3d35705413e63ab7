"""The one way of read-decide-write, and pipelines, straight at the server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from conftest import in_parallel
from redis.client import Pipeline

from shop import store as store_module
from shop.errors import Busy
from shop.store import Store


@pytest.fixture
def store(redis_url: str, server: redis.Redis) -> Iterator[Store]:
    opened = Store(redis_url)
    yield opened
    opened.close()


def test_a_lost_race_is_tried_again(store, server):
    tries = []

    def attempt(pipe: Pipeline) -> int:
        seen = int(pipe.get("n") or 0)
        if not tries:
            server.set("n", 10)  # a rival, between the look and the write
        tries.append(seen)
        pipe.multi()
        pipe.set("n", seen + 1)
        return seen

    assert store.optimistic(["n"], attempt) == 10
    assert tries == [0, 10]
    assert server.get("n") == "11"


def test_retries_are_bounded_and_leave_nothing(store, server):
    tries = []

    def attempt(pipe: Pipeline) -> None:
        tries.append(server.incr("rival"))
        pipe.multi()
        pipe.set("mine", 1)

    with pytest.raises(Busy):
        store.optimistic(["rival"], attempt)
    assert len(tries) == store_module.ATTEMPTS_MAX
    assert server.exists("mine") == 0


def test_a_refusal_inside_an_attempt_writes_nothing_and_frees_the_connection(store, server):
    def attempt(pipe: Pipeline) -> None:
        pipe.multi()
        pipe.set("mine", 1)
        raise ValueError("changed my mind")

    for _ in range(20):
        with pytest.raises(ValueError):
            store.optimistic(["k"], attempt)
    assert server.exists("mine") == 0
    assert store.text.set("k", 1) is True


def test_a_counter_bumped_by_many_is_exact(store, server):
    def attempt(pipe: Pipeline) -> None:
        seen = int(pipe.get("n") or 0)
        pipe.multi()
        pipe.set("n", seen + 1)

    def bump() -> None:
        for _ in range(20):
            store.optimistic(["n"], attempt)

    in_parallel([bump] * 6)
    assert server.get("n") == "120"


def test_a_pipeline_of_ten_thousand_commands_answers_in_order(store):
    with store.text.pipeline(transaction=False) as pipe:
        for number in range(5_000):
            pipe.set(f"k{number}", f"číslo {number}")
            pipe.strlen(f"k{number}")
        replies = pipe.execute()
    assert replies[0::2] == [True] * 5_000
    assert replies[1::2] == [len(f"číslo {number}".encode()) for number in range(5_000)]


def test_raw_and_text_views_agree(store):
    store.text.set("k", "žluť 🟡")
    assert store.raw.get("k") == "žluť 🟡".encode()
    store.raw.set(b"\x00\xff", b"\r\n\x00")
    assert store.raw.get(b"\x00\xff") == b"\r\n\x00"
