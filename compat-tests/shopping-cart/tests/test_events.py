"""Order events: each exactly once, a customer's in order, from any service to any listener."""

from __future__ import annotations

from conftest import in_parallel, wait_until


def _order(shopper, sku="tea", quantity=1):
    shopper.add(sku, quantity)
    return shopper.post("/checkout")


def test_an_order_reaches_a_listener(shop, ann, listen_to):
    shop.product("tea")
    listener = listen_to(shop)
    order = _order(ann)
    wait_until(lambda: listener.orders, "the event")
    assert listener.orders == [order]


def test_each_order_arrives_once_and_in_order_per_customer(shop, listen_to):
    shop.product("tea", stock=500)
    listener = listen_to(shop)
    shoppers = [shop.login(f"c{n}") for n in range(6)]
    in_parallel([lambda s=s: [_order(s) for _ in range(8)] for s in shoppers])
    wait_until(lambda: len(listener.orders) >= 48, "all events")
    last = _order(shoppers[0])  # published after all others: nothing may come between
    wait_until(lambda: last in listener.orders, "the last event")
    assert len(listener.orders) == 49
    assert len({order["order_id"] for order in listener.orders}) == 49
    for n in range(1, 6):
        numbers = [o["number"] for o in listener.orders if o["customer"] == f"c{n}"]
        assert numbers == list(range(1, 9))


def test_two_sessions_of_one_customer_keep_one_order(shop, listen_to):
    shop.product("tea", stock=500)
    listener = listen_to(shop, "/events?customer=ann")
    sessions = [shop.login("ann") for _ in range(4)]
    in_parallel([lambda s=s: [_order(s) for _ in range(5)] for s in sessions])
    wait_until(lambda: len(listener.orders) >= 20, "all events")
    assert [order["number"] for order in listener.orders] == list(range(1, 21))


def test_a_customer_stream_has_only_that_customer(shop, ann, listen_to):
    shop.product("tea")
    listener = listen_to(shop, "/events?customer=ann")
    ben = shop.login("ben")
    _order(ben)
    mine = _order(ann)
    wait_until(lambda: listener.orders, "the event")
    assert listener.orders == [mine]


def test_events_cross_services(start, listen_to):
    one, two = start(), start()
    one.product("tea")
    at_one, at_two = listen_to(one), listen_to(two)
    orders = [_order(one.login("ann")), _order(two.login("ben"))]
    wait_until(lambda: len(at_one.orders) == 2 and len(at_two.orders) == 2, "the events")
    assert at_one.orders == at_two.orders == orders


def test_a_failed_checkout_tells_nobody(shop, ann, listen_to):
    shop.product("tea", stock=1)
    listener = listen_to(shop)
    ann.add("tea", 2)
    ann.post("/checkout", status=409)
    ann.add("tea", -1)
    order = ann.post("/checkout")
    wait_until(lambda: listener.orders, "the event")
    assert listener.orders == [order]


def test_a_listener_that_leaves_ends_its_subscription(shop, server, listen_to):
    channel = "shop:order-events:leaver"
    listener = listen_to(shop, "/events?customer=leaver")
    assert server.pubsub_numsub(channel) == [(channel, 1)]
    listener.close()
    wait_until(lambda: server.pubsub_numsub(channel) == [(channel, 0)], "the subscription to end")
