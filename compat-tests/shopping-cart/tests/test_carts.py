"""Carts: hashes that grow, shrink and expire."""

from __future__ import annotations

from conftest import Client, in_parallel, wait_until


def test_lines_add_up(shop, ann):
    shop.product("tea")
    assert ann.add("tea", 2) == {"quantity": 2}
    assert ann.add("tea", 3) == {"quantity": 5}
    assert ann.add("tea", -1) == {"quantity": 4}
    assert ann.cart() == {"tea": 4}


def test_a_line_of_zero_disappears(shop, ann, server):
    shop.product("tea")
    ann.add("tea", 2)
    ann.add("tea", -2)
    assert ann.cart() == {}
    assert server.exists(f"shop:cart:{ann.token}") == 0


def test_bad_quantities_change_nothing(shop, ann):
    shop.product("tea")
    ann.add("tea", 999)
    for quantity in (1, -1000, 10**15, 1.5, "2", None, True):
        ann.add("tea", quantity, status=400)
    assert ann.cart() == {"tea": 999}


def test_only_what_exists_can_be_added(ann):
    ann.add("ghost", 1, status=404)
    ann.put("/cart", {"lines": {"ghost": 1}}, status=404)
    assert ann.cart() == {}


def test_lines_can_be_removed_and_carts_cleared(shop, ann):
    shop.product("tea")
    shop.product("mug")
    ann.put("/cart", {"lines": {"tea": 1, "mug": 2}})
    assert ann.delete("/cart/lines/tea") == {"removed": True}
    assert ann.delete("/cart/lines/tea") == {"removed": False}
    assert ann.cart() == {"mug": 2}
    ann.delete("/cart")
    assert ann.cart() == {}


def test_a_cart_expires(start, server):
    shop = start(cart_ms=80)
    shop.product("tea")
    ann = shop.login("ann")
    ann.add("tea", 1)
    wait_until(lambda: ann.cart() == {}, "the cart to expire")
    assert server.exists(f"shop:cart:{ann.token}") == 0
    assert ann.post("/checkout", status=409)["error"] == "empty-cart"


def test_many_carts_expire_without_being_read(start, server):
    shop = start(cart_ms=50)
    shop.product("tea")
    for number in range(40):
        shop.login(f"c{number}").add("tea", 1)
    sessions_and_catalog = 40 + 3
    wait_until(
        lambda: (
            server.dbsize() - len(list(server.scan_iter("shop:rate:*"))) == sessions_and_catalog
        ),
        "the carts to be removed",
    )


def test_an_edit_extends_a_cart_and_reading_does_not(start, server):
    shop = start(cart_ms=60_000)
    shop.product("tea")
    ann = shop.login("ann")
    ann.add("tea", 1)
    server.pexpire(f"shop:cart:{ann.token}", 10_000)
    assert 0 < ann.get("/cart")["left_ms"] <= 10_000
    ann.add("tea", 1)
    assert 50_000 < ann.get("/cart")["left_ms"] <= 60_000


def test_an_expired_cart_starts_anew(start):
    shop = start(cart_ms=80)
    shop.product("tea")
    ann = shop.login("ann")
    ann.add("tea", 7)
    wait_until(lambda: ann.cart() == {}, "the cart to expire")
    assert ann.add("tea", 1) == {"quantity": 1}


def test_a_cart_of_a_thousand_lines(shop, ann, server):
    skus = [f"sku-{number:04}" for number in range(1_000)]
    with server.pipeline(transaction=False) as pipe:  # over HTTP this would be a thousand requests
        for sku in skus:
            row = {"name": sku, "price_cents": 3, "tags": "[]"}
            pipe.hset(f"shop:product:{sku}", mapping=row).set(f"shop:stock:{sku}", 10)
        assert len(pipe.execute()) == 2_000
    lines = {sku: 1 + number % 5 for number, sku in enumerate(skus)}
    ann.put("/cart", {"lines": lines})
    assert ann.cart() == lines

    paged = {}
    for page in range(8):
        part = ann.get(f"/cart?page={page}&size=150")
        assert part["count"] == 1_000
        paged |= part["lines"]
        assert len(paged) == min(150 * (page + 1), 1_000)
    assert paged == lines

    order = ann.post("/checkout")
    assert order["lines"] == lines
    assert order["total_cents"] == 3 * sum(lines.values())
    assert ann.cart() == {}
    stocks = server.mget([f"shop:stock:{sku}" for sku in skus])
    assert stocks == [str(10 - lines[sku]) for sku in skus]


def test_a_cart_has_a_largest_size(shop, ann):
    lines = {f"sku-{number}": 1 for number in range(2_001)}
    ann.put("/cart", {"lines": lines}, status=400)


def test_many_hands_at_one_cart_lose_nothing(shop, ann):
    shop.product("tea")
    hands = [Client(shop.port, ann.token) for _ in range(8)]
    in_parallel([lambda c=c: [c.add("tea", 1) for _ in range(10)] for c in hands])
    assert ann.cart() == {"tea": 80}


def test_a_replaced_cart_is_never_seen_half(shop, ann):
    for sku in ("a", "b", "c"):
        shop.product(sku)
    carts = [{"a": 1, "b": 1, "c": 1}, {"a": 2, "b": 2}, {"c": 3}]
    ann.put("/cart", {"lines": carts[0]})
    writer, reader = Client(shop.port, ann.token), Client(shop.port, ann.token)

    def write():
        for turn in range(60):
            writer.put("/cart", {"lines": carts[turn % 3]})

    def read():
        return [reader.cart() for _ in range(60)]

    _, seen = in_parallel([write, read])
    assert all(cart in carts for cart in seen)


def test_carts_belong_to_sessions(shop, ann):
    shop.product("tea")
    ann.add("tea", 1)
    assert shop.login("ben").cart() == {}
    assert shop.login("ann").cart() == {}
