"""Sessions: opaque, sliding, and independent of the service that opened them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from conftest import Client, in_parallel, wait_until

FOREVER_MS = 10**13
"""A rate limit's window that does not end during a test: it began in 1970 and lasts 300 years."""


def test_health(shop):
    assert shop.get("/health") == {"ok": True}


def test_a_session_knows_its_customer(shop):
    assert shop.login("ann").get("/sessions/current")["customer"] == "ann"


def test_tokens_are_opaque_and_differ(shop):
    tokens = {shop.login("ann").token for _ in range(20)}
    assert len(tokens) == 20
    assert all(len(token) >= 40 and "ann" not in token for token in tokens)


def test_without_or_with_a_wrong_token_there_is_no_session(shop):
    assert shop.get("/cart", status=401)["error"] == "no-session"
    assert Client(shop.port, "made-up").get("/cart", status=401)["error"] == "no-session"


def test_a_closed_session_is_gone(ann):
    ann.delete("/sessions/current")
    ann.get("/sessions/current", status=401)


def test_an_unused_session_expires(start, server):
    shop = start(session_ms=60)
    ann = shop.login("ann")
    key = f"shop:session:{ann.token}"
    wait_until(lambda: not server.exists(key), "the session to expire")
    ann.get("/sessions/current", status=401)


def test_use_extends_a_session(start, server):
    shop = start(session_ms=60_000)
    ann = shop.login("ann")
    key = f"shop:session:{ann.token}"
    server.pexpire(key, 10_000)
    assert ann.get("/sessions/current")["left_ms"] > 50_000
    assert 50_000 < server.pttl(key) <= 60_000


def test_resuming_an_expired_session_does_not_revive_it(start, server):
    ann = start(session_ms=60_000).login("ann")
    key = f"shop:session:{ann.token}"
    server.pexpire(key, 1)
    wait_until(lambda: server.pttl(key) == -2, "the session to expire")
    ann.get("/sessions/current", status=401)
    assert server.exists(key) == 0


def _process(url: str) -> tuple[subprocess.Popen, int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "shop", "0"],
        cwd=Path(__file__).parent.parent,
        env=os.environ | {"REDIS_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    address = process.stdout.readline().split()[2]
    return process, int(address.rsplit(":", 1)[1])


def _kill(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def test_a_session_and_its_cart_resume_after_the_service_was_killed(server, redis_url):
    process, port = _process(redis_url)
    try:
        shop = Client(port)
        shop.product("tea", stock=5)
        ann = shop.login("ann")
        ann.add("tea", 2)
    finally:
        _kill(process)
    process, port = _process(redis_url)
    try:
        again = Client(port, ann.token)
        assert again.get("/sessions/current")["customer"] == "ann"
        assert again.cart() == {"tea": 2}
        assert again.post("/checkout")["lines"] == {"tea": 2}
        assert again.stock("tea") == 3
    finally:
        _kill(process)


def test_two_services_share_sessions_and_carts(start):
    one, two = start(), start()
    one.product("tea")
    ann = one.login("ann")
    ann.add("tea", 1)
    ann_at_two = Client(two.port, ann.token)
    assert ann_at_two.add("tea", 2) == {"quantity": 3}
    assert ann.cart() == {"tea": 3}


def test_requests_over_the_rate_limit_are_refused(start):
    ann = start(rate_limit=5, rate_window_ms=FOREVER_MS).login("ann")
    statuses = [ann.send("GET", "/cart")[0] for _ in range(8)]
    assert statuses == [200] * 5 + [429] * 3


def test_the_rate_limit_is_exact_when_many_ask_at_once(start):
    shop = start(rate_limit=7, rate_window_ms=FOREVER_MS)
    ann = shop.login("ann")
    clients = [Client(shop.port, ann.token) for _ in range(30)]
    statuses = [s for s, _ in in_parallel([lambda c=c: c.send("GET", "/cart") for c in clients])]
    assert sorted(set(statuses)) == [200, 429]
    assert statuses.count(200) == 7


def test_a_new_window_gives_a_new_allowance_and_old_counters_expire(start, server):
    ann = start(rate_limit=1, rate_window_ms=300).login("ann")
    wait_until(lambda: ann.send("GET", "/cart")[0] == 429, "the limit")
    wait_until(lambda: ann.send("GET", "/cart")[0] == 200, "the next window")
    wait_until(lambda: not list(server.scan_iter("shop:rate:*")), "the counters to expire")


def test_the_rate_limit_is_per_session(start):
    shop = start(rate_limit=1, rate_window_ms=FOREVER_MS)
    ann, ben = shop.login("ann"), shop.login("ben")
    ann.get("/cart")
    ann.get("/cart", status=429)
    ben.get("/cart", status=200)
