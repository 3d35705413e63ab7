"""Every data type through redis-py's own methods."""

from __future__ import annotations

import pytest
import redis
from conftest import wait_until


def test_strings(r):
    assert r.set("k", "v") is True
    assert r.get("k") == "v"
    assert r.set("k", "w", nx=True) is None
    assert r.set("k", "w", xx=True, get=True) == "v"
    assert r.getset("k", "x") == "w"
    assert r.append("k", "yz") == 3
    assert r.strlen("k") == 3
    assert r.getrange("k", 1, 2) == "yz"
    assert r.setrange("k", 1, "AB") == 3
    assert r.get("k") == "xAB"
    assert r.getdel("k") == "xAB"
    assert r.get("k") is None


def test_many_strings_at_once(r):
    assert r.mset({"a": 1, "b": 2}) is True
    assert r.mget("a", "missing", "b") == ["1", None, "2"]
    assert not r.msetnx({"b": 3, "c": 3})
    assert r.exists("a", "b", "c", "a") == 3


def test_counters(r):
    assert r.incr("n") == 1
    assert r.incrby("n", 41) == 42
    assert r.decr("n", 2) == 40
    assert r.incrbyfloat("n", 0.5) == 40.5
    r.set("word", "x")
    with pytest.raises(redis.ResponseError, match="value is not an integer or out of range"):
        r.incr("word")



def test_expiry(r):
    r.set("k", "v", px=50)
    assert 0 <= r.pttl("k") <= 50
    wait_until(lambda: r.get("k") is None, "the key to expire")
    assert (r.ttl("k"), r.dbsize()) == (-2, 0)
    r.set("k", "v")
    assert r.ttl("k") == -1
    assert r.expire("k", 100)
    assert 90 < r.ttl("k") <= 100
    assert not r.expire("k", 200, nx=True)
    assert r.getex("k", persist=True) == "v"
    assert r.ttl("k") == -1
    assert r.expireat("k", 4_000_000_000)
    assert r.expiretime("k") == 4_000_000_000
    assert r.persist("k")


def test_keys(r):
    r.mset({"one": 1, "two": 2, "three": 3})
    assert sorted(r.keys("t*")) == ["three", "two"]
    assert r.randomkey() in {"one", "two", "three"}
    assert r.rename("one", "1") is True
    assert not r.renamenx("two", "three")
    assert r.copy("1", "uno")
    assert r.type("uno") == "string"
    assert r.delete("1", "uno") == 2
    assert r.unlink("two", "ghost") == 1
    assert r.touch("three") == 1
    with pytest.raises(redis.ResponseError, match="no such key"):
        r.rename("ghost", "x")


def test_databases(r, connect):
    r.set("k", "zero")
    with connect(db=1) as other:
        assert other.get("k") is None
        other.set("k", "one")
        assert r.swapdb(0, 1)
        assert (r.get("k"), other.get("k")) == ("one", "zero")
        assert r.move("k", 2)
        assert other.flushdb()
        assert other.dbsize() == 0


def test_hashes(r):
    assert r.hset("h", mapping={"a": 1, "b": 2}) == 2
    assert r.hset("h", "a", 3) == 0
    assert r.hgetall("h") == {"a": "3", "b": "2"}
    assert r.hmget("h", "a", "x") == ["3", None]
    assert r.hincrby("h", "a", 4) == 7
    assert r.hincrbyfloat("h", "b", 0.25) == 2.25
    assert not r.hsetnx("h", "a", 0)
    assert r.hexists("h", "a")
    assert (r.hlen("h"), r.hstrlen("h", "b")) == (2, 4)
    assert (sorted(r.hkeys("h")), sorted(r.hvals("h"))) == (["a", "b"], ["2.25", "7"])
    assert r.hrandfield("h") in {"a", "b"}
    assert r.hdel("h", "a", "b") == 2
    assert r.exists("h") == 0


def test_lists(r):
    assert r.rpush("l", "a", "b", "c") == 3
    assert r.lpush("l", "z") == 4
    assert r.lrange("l", 0, -1) == ["z", "a", "b", "c"]
    assert r.lindex("l", -1) == "c"
    assert r.linsert("l", "BEFORE", "b", "x") == 5
    assert r.lpos("l", "x") == 2
    assert r.lset("l", 0, "y")
    assert r.lrem("l", 0, "x") == 1
    assert r.lmove("l", "m", "LEFT", "RIGHT") == "y"
    assert r.rpoplpush("l", "m") == "c"
    assert r.lrange("m", 0, -1) == ["c", "y"]
    assert r.ltrim("l", 0, 0)
    assert r.lpop("l") == "a"
    assert r.lpop("l") is None
    assert r.rpop("m", 5) == ["y", "c"]
    assert r.lpushx("l", "a") == 0


def test_lmpop(r):
    r.rpush("b", "1", "2", "3")
    assert r.lmpop(2, "a", "b", direction="LEFT", count=2) == ["b", ["1", "2"]]


def test_sets(r):
    assert r.sadd("s", "a", "b", "c") == 3
    r.sadd("t", "b", "c", "d")
    assert r.smembers("s") == {"a", "b", "c"}
    assert r.sinter("s", "t") == {"b", "c"}
    assert r.sunion("s", "t") == {"a", "b", "c", "d"}
    assert r.sdiff("s", "t") == {"a"}
    assert r.sintercard(2, ["s", "t"]) == 2
    assert r.sinterstore("u", "s", "t") == 2
    assert [bool(x) for x in r.smismember("s", ["a", "d"])] == [True, False]
    assert r.smove("s", "t", "a")
    assert r.scard("t") == 4
    assert r.spop("u") in {"b", "c"}
    assert len(r.srandmember("t", -9)) == 9
    assert r.srem("s", "b", "x") == 1
    assert not r.sismember("s", "a")


def test_sorted_sets(r):
    assert r.zadd("z", {"a": 1, "b": 2.5, "c": 3}) == 3
    assert r.zadd("z", {"a": 0, "d": 4}, gt=True, ch=True) == 1
    assert r.zscore("z", "b") == 2.5
    assert r.zmscore("z", ["a", "x"]) == [1.0, None]
    assert r.zincrby("z", 0.5, "b") == 3.0
    assert r.zrange("z", 0, -1) == ["a", "b", "c", "d"]
    top = r.zrange("z", 0, 1, desc=True, withscores=True)
    assert [tuple(pair) for pair in top] == [("d", 4.0), ("c", 3.0)]
    assert r.zrangebyscore("z", "(1", "+inf", start=1, num=2) == ["c", "d"]
    assert (r.zrank("z", "c"), r.zrevrank("z", "c"), r.zrank("z", "x")) == (2, 1, None)
    assert (r.zcard("z"), r.zcount("z", 3, 3)) == (4, 2)
    assert r.zremrangebyrank("z", 0, 0) == 1
    assert r.zremrangebyscore("z", 4, 4) == 1
    assert [tuple(pair) for pair in r.zpopmin("z", 1)] == [("b", 3.0)]
    assert r.zrem("z", "c") == 1
    assert r.exists("z") == 0


def test_sorted_set_algebra(r):
    r.zadd("x", {"a": 1, "b": 2})
    r.zadd("y", {"b": 10, "c": 20})
    assert r.zunionstore("u", {"x": 2, "y": 1}) == 3
    assert [tuple(p) for p in r.zrange("u", 0, -1, withscores=True)] == [
        ("a", 2.0),
        ("b", 14.0),
        ("c", 20.0),
    ]
    assert r.zinter(["x", "y"], aggregate="MAX") == ["b"]
    assert r.zdiff(["x", "y"]) == ["a"]
    assert r.zrangestore("top", "u", 0, 1, desc=True) == 2
    r.zadd("words", {w: 0 for w in ("ant", "bee", "cat", "dog")})
    assert r.zrangebylex("words", "[b", "(d") == ["bee", "cat"]
    assert r.zlexcount("words", "-", "+") == 4


def test_wrong_type(r):
    r.lpush("l", 1)
    with pytest.raises(redis.ResponseError, match="^WRONGTYPE Operation against a key holding"):
        r.get("l")


def test_binary_values_and_keys(connect, r):
    raw = connect(decode_responses=False)
    value = bytes(range(256)) * 10
    raw.set(b"\x00\xff\r\n", value)
    assert raw.get(b"\x00\xff\r\n") == value
    assert raw.keys() == [b"\x00\xff\r\n"]
    raw.hset("h", b"\x80", b"\x81")
    assert raw.hgetall("h") == {b"\x80": b"\x81"}
    raw.set("empty", b"")
    assert raw.get("empty") == b""


def test_a_value_of_eight_megabytes(connect, r):
    raw = connect(decode_responses=False)
    value = bytes(i * 31 % 253 for i in range(8 * 1024)) * 1024
    raw.set("big", value)
    assert raw.get("big") == value
    assert raw.strlen("big") == len(value)


def test_unicode(r):
    r.hset("šálek", mapping={"茶": "🍵"})
    assert r.hgetall("šálek") == {"茶": "🍵"}


def test_scan_finds_all(r):
    r.mset({f"k:{n}": n for n in range(1_000)})
    r.hset("k:hash", "a", 1)
    found = list(r.scan_iter(match="k:*", count=50))
    assert set(found) == {f"k:{n}" for n in range(1_000)} | {"k:hash"}
    assert list(r.scan_iter(_type="hash")) == ["k:hash"]


def test_scan_inside_collections(r):
    members = {f"m{n}" for n in range(700)}
    r.hset("h", mapping={m: "v" for m in members})
    r.sadd("s", *members)
    r.zadd("z", {m: 1 for m in members})
    assert {field for field, _ in r.hscan_iter("h", count=10)} == members
    assert set(r.sscan_iter("s", count=10)) == members
    assert {member for member, _ in r.zscan_iter("z", count=10)} == members
    assert {field for field, _ in r.hscan_iter("h", match="m1?")} == {f"m1{d}" for d in range(10)}


def test_object_encodings(r):
    r.set("n", 12)
    r.set("s", "x" * 100)
    r.rpush("l", 1)
    assert r.object("encoding", "n") == "int"
    assert r.object("encoding", "s") == "raw"
    assert r.object("encoding", "l") == "quicklist"
    assert r.memory_usage("s") >= 100
