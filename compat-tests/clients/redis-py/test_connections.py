"""Pipelines, transactions, pub/sub, pools, the server's own commands, and the async client."""

from __future__ import annotations

import asyncio
import threading

import pytest
import redis
import redis.asyncio
from conftest import HOST, PORT, wait_until


def test_pipeline(r):
    with r.pipeline(transaction=False) as pipe:
        for n in range(1_000):
            pipe.set(f"k{n}", n)
            pipe.get(f"k{n}")
        replies = pipe.execute()
    assert replies[0::2] == [True] * 1_000
    assert replies[1::2] == [str(n) for n in range(1_000)]


def test_a_pipeline_goes_on_after_an_error(r):
    with r.pipeline(transaction=False) as pipe:
        pipe.set("a", "x").incr("a").get("a")
        replies = pipe.execute(raise_on_error=False)
    assert replies[0] is True and replies[2] == "x"
    assert isinstance(replies[1], redis.ResponseError)


def test_transaction(r):
    with r.pipeline() as pipe:
        pipe.multi()
        pipe.incr("n").lpush("l", "a").hset("h", "f", "v").smembers("none")
        assert pipe.execute() == [1, 1, 1, set()]


def test_a_transaction_with_an_unknown_command_does_nothing(r):
    with r.pipeline() as pipe:
        pipe.set("a", 1).execute_command("NOSUCH", "x")
        with pytest.raises(redis.ResponseError, match="unknown command"):
            pipe.execute()
    assert r.get("a") is None


def test_a_transaction_keeps_what_worked(r):
    with r.pipeline() as pipe:
        pipe.set("a", "x").incr("a").set("b", 2)
        with pytest.raises(redis.ResponseError, match="not an integer"):
            pipe.execute()
    assert r.mget("a", "b") == ["x", "2"]


def test_watch_sees_a_change(r):
    r.set("k", 1)
    with r.pipeline() as pipe:
        pipe.watch("k")
        assert pipe.get("k") == "1"
        r.set("k", 2)
        pipe.multi()
        pipe.set("k", 3)
        with pytest.raises(redis.WatchError):
            pipe.execute()
    assert r.get("k") == "2"


def test_unwatch_forgets(r):
    with r.pipeline() as pipe:
        pipe.watch("k")
        r.set("k", 2)
        pipe.unwatch()
        pipe.set("k", 3)
        assert pipe.execute() == [True]


def test_transaction_helper_counts_exactly(r, connect):
    def bump(pipe):
        value = int(pipe.get("n") or 0)
        pipe.multi()
        pipe.set("n", value + 1)

    clients = [connect() for _ in range(4)]
    threads = [
        threading.Thread(target=lambda c=c: [c.transaction(bump, "n") for _ in range(25)])
        for c in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert r.get("n") == "100"


def _next(pubsub):
    return wait_until(lambda: pubsub.get_message(timeout=0.1), "a message")


def test_pubsub_channels(r):
    with r.pubsub() as pubsub:
        pubsub.subscribe("news", "sport")
        assert [_next(pubsub)["data"] for _ in range(2)] == [1, 2]
        assert r.publish("news", "hello") == 1
        message = _next(pubsub)
        assert (message["type"], message["channel"], message["data"]) == (
            "message",
            "news",
            "hello",
        )
        assert r.pubsub_numsub("news", "none") == [("news", 1), ("none", 0)]
        assert sorted(r.pubsub_channels()) == ["news", "sport"]
        pubsub.unsubscribe("news")
        assert _next(pubsub)["type"] == "unsubscribe"
        assert r.publish("news", "nobody") == 0


def test_pubsub_patterns(r):
    with r.pubsub() as pubsub:
        pubsub.psubscribe("order.*")
        pubsub.subscribe("order.1")
        assert {_next(pubsub)["type"] for _ in range(2)} == {"psubscribe", "subscribe"}
        assert r.pubsub_numpat() == 1
        assert r.publish("order.1", "x") == 2
        messages = [_next(pubsub) for _ in range(2)]
        assert [m["type"] for m in messages] == ["message", "pmessage"]
        assert messages[1]["pattern"] == "order.*"
        pubsub.punsubscribe()
        assert _next(pubsub)["type"] == "punsubscribe"


def test_pubsub_handler_thread_gets_all_in_order(r):
    got = []
    with r.pubsub() as pubsub:
        pubsub.subscribe(**{"numbers": lambda message: got.append(int(message["data"]))})
        assert wait_until(lambda: r.pubsub_numsub("numbers")[0][1] == 1, "the subscription")
        thread = pubsub.run_in_thread(sleep_time=0.01)
        with r.pipeline(transaction=False) as pipe:
            for n in range(500):
                pipe.publish("numbers", n)
            pipe.execute()
        wait_until(lambda: len(got) >= 500, "the messages")
        thread.stop()
        thread.join()
    assert got == list(range(500))


@pytest.mark.parametrize("protocol", [2], indirect=True)
def test_ping_while_subscribed(r):
    with r.pubsub() as pubsub:
        pubsub.subscribe("c")
        assert _next(pubsub)["type"] == "subscribe"
        pubsub.ping("there?")
        message = _next(pubsub)
        assert (message["type"], message["data"]) == ("pong", "there?")


def test_a_pool_reuses_connections(r, protocol):
    pool = redis.BlockingConnectionPool(
        max_connections=3, timeout=10, host=HOST, port=PORT, protocol=protocol
    )
    shared = redis.Redis(connection_pool=pool)
    ids = set()

    def ask():
        for _ in range(50):
            ids.add(shared.client_id())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(ids) <= 3
    pool.disconnect()


def test_from_url(r, protocol):
    url = f"redis://{HOST}:{PORT}/3?protocol={protocol}&decode_responses=True"
    with redis.Redis.from_url(url) as client:
        client.set("where", "db 3")
        assert client.client_info()["db"] == 3
        assert (client.get("where"), r.get("where")) == ("db 3", None)


def test_client_names(connect, r, protocol):
    named = connect(client_name="checkout-7")
    assert named.client_getname() == "checkout-7"
    info = named.client_info()
    assert (info["name"], info["id"]) == ("checkout-7", named.client_id())
    assert "checkout-7" in [client["name"] for client in r.client_list()]
    assert named.client_setname("other")
    assert named.client_getname() == "other"


def test_a_killed_client_reconnects(connect, r):
    victim = connect()
    before = victim.client_id()
    assert r.client_kill_filter(_id=before) == 1
    assert victim.ping()
    assert victim.client_id() != before


def test_hello_names_the_protocol(r, protocol):
    reply = r.execute_command("HELLO")
    fields = reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))
    assert fields["proto"] == protocol
    assert fields["role"] == "master"
    assert fields["server"]


def test_info(r):
    r.set("k", 1)
    info = r.info()
    assert info["redis_version"].startswith("7.")
    assert info["connected_clients"] >= 1
    assert info["used_memory"] > 0
    assert info["role"] == "master"
    assert info["db0"]["keys"] == 1
    assert set(r.info("keyspace")) == {"db0"}
    assert r.info("commandstats")["cmdstat_set"]["calls"] >= 1


def test_config(r):
    before = r.config_get("maxmemory-policy")["maxmemory-policy"]
    try:
        assert r.config_set("maxmemory-policy", "allkeys-lru")
        assert r.config_get("maxmemory*")["maxmemory-policy"] == "allkeys-lru"
    finally:
        r.config_set("maxmemory-policy", before)
    assert r.config_resetstat()
    with pytest.raises(redis.ResponseError):
        r.config_set("no-such-key", "1")


def test_server_commands(r):
    assert r.ping() is True
    assert r.echo("hello") == "hello"
    seconds, micros = r.time()
    assert seconds > 1_600_000_000 and 0 <= micros < 1_000_000
    r.set("k", 1)
    assert r.dbsize() == 1
    assert r.command_count() > 100
    assert r.role()[0] == "master"
    assert r.flushall()
    assert r.dbsize() == 0


def test_command_descriptions(r):
    commands = r.command()
    assert {"get", "set", "hset", "zadd", "watch", "subscribe"} <= set(commands)
    assert commands["get"]["arity"] == 2
    assert r.command_getkeys("MSET", "a", "1", "b", "2") == ["a", "b"]


def test_slowlog(r):
    before = r.config_get("slowlog-log-slower-than")["slowlog-log-slower-than"]
    try:
        r.config_set("slowlog-log-slower-than", 0)
        assert r.slowlog_reset()
        r.set("seen", 1)
        assert any("SET" in str(entry["command"]) for entry in r.slowlog_get(10))
        assert r.slowlog_len() >= 1
    finally:
        r.config_set("slowlog-log-slower-than", before)


def test_monitor(r, connect):
    with connect().monitor() as monitor:
        r.set("watched", "value")
        assert monitor.next_command()["command"] == "SET watched value"


def test_errors_name_the_problem(r):
    with pytest.raises(redis.ResponseError, match="unknown command 'NOSUCH'"):
        r.execute_command("NOSUCH")
    with pytest.raises(redis.ResponseError, match="wrong number of arguments for 'get' command"):
        r.execute_command("GET")
    with pytest.raises(redis.ResponseError, match="syntax error"):
        r.execute_command("SET", "k", "v", "BOGUS")


def test_async_client(r, protocol):
    async def story():
        client = redis.asyncio.Redis(host=HOST, port=PORT, protocol=protocol, decode_responses=True)
        async with client:
            await asyncio.gather(*(client.incr("n") for _ in range(100)))
            assert await client.get("n") == "100"
            async with client.pipeline(transaction=True) as pipe:
                assert await pipe.set("a", 1).incr("a").execute() == [True, 2]
            await client.mset({f"k{n}": n for n in range(200)})
            found = {key async for key in client.scan_iter("k*", count=20)}
            assert len(found) == 200

    asyncio.run(story())


def test_async_watch(r, protocol):
    async def story():
        client = redis.asyncio.Redis(host=HOST, port=PORT, protocol=protocol)
        async with client, client.pipeline() as pipe:
            await pipe.watch("k")
            await client.set("k", "changed")
            pipe.multi()
            pipe.set("k", "mine")
            with pytest.raises(redis.WatchError):
                await pipe.execute()
            assert await client.get("k") == b"changed"

    asyncio.run(story())


def test_async_pubsub(r, protocol):
    async def story():
        client = redis.asyncio.Redis(host=HOST, port=PORT, protocol=protocol, decode_responses=True)
        async with client, client.pubsub() as pubsub:
            await pubsub.subscribe("c")
            await pubsub.psubscribe("c*")
            got = []
            async for message in pubsub.listen():
                if message["type"].endswith("subscribe"):
                    if message["type"] == "psubscribe":
                        assert await client.publish("c", "x") == 2
                    continue
                got.append((message["type"], message["data"]))
                if len(got) == 2:
                    break
            assert got == [("message", "x"), ("pmessage", "x")]

    asyncio.run(asyncio.wait_for(story(), 20))
