"""What customers see, wish, wait for and redeem."""

from __future__ import annotations

from conftest import in_parallel, wait_until


def test_recently_viewed_is_newest_first_without_duplicates(shop, ann):
    for sku in ("tea", "mug", "pot"):
        shop.product(sku)
    for sku in ("tea", "mug", "pot", "tea"):
        ann.get(f"/products/{sku}")
    assert ann.get("/recently-viewed") == ["tea", "pot", "mug"]


def test_recently_viewed_is_bounded(shop, ann):
    for number in range(14):
        shop.product(f"p{number}")
        ann.get(f"/products/p{number}")
    assert ann.get("/recently-viewed") == [f"p{number}" for number in range(13, 3, -1)]


def test_recently_viewed_survives_many_windows(shop, ann):
    skus = [f"p{number}" for number in range(5)]
    for sku in skus:
        shop.product(sku)
    windows = [type(ann)(shop.port, ann.token) for _ in range(6)]
    in_parallel([lambda w=w: [w.get(f"/products/{sku}") for sku in skus] for w in windows])
    assert sorted(ann.get("/recently-viewed")) == skus


def test_wishlist_is_a_set(shop, ann):
    shop.product("tea")
    shop.product("mug")
    assert ann.put("/wishlist/tea") == {"added": True}
    assert ann.put("/wishlist/tea") == {"added": False}
    ann.put("/wishlist/mug")
    ann.put("/wishlist/ghost", status=404)
    assert ann.get("/wishlist") == ["mug", "tea"]
    assert ann.delete("/wishlist/tea") == {"removed": True}
    assert ann.delete("/wishlist/tea") == {"removed": False}
    assert shop.login("ann").get("/wishlist") == ["mug"]


def test_a_coupon_discounts_the_next_order_only(shop, ann):
    shop.product("tea", price_cents=333)
    shop.put("/coupons/SPRING", {"percent": 25})
    assert ann.post("/coupons/SPRING") == {"percent": 25}
    ann.add("tea", 1)
    assert ann.post("/checkout")["total_cents"] == 249  # 249.75, rounded down
    ann.add("tea", 1)
    assert ann.post("/checkout")["total_cents"] == 333


def test_a_coupon_is_created_once_and_bounded(shop):
    shop.put("/coupons/X", {"percent": 10})
    assert shop.put("/coupons/X", {"percent": 90}, status=409)["error"] == "exists"
    for percent in (0, 101, "10"):
        shop.put("/coupons/Y", {"percent": percent}, status=400)


def test_one_of_many_gets_the_coupon(shop):
    shop.put("/coupons/ONE", {"percent": 50})
    shoppers = [shop.login(f"s{n}") for n in range(20)]
    results = in_parallel([lambda s=s: s.send("POST", "/coupons/ONE") for s in shoppers])
    assert sorted(status for status, _ in results) == [200] + [404] * 19


def test_one_of_many_creates_the_coupon(shop, ann):
    managers = [shop.login(f"m{n}") for n in range(10)]
    results = in_parallel(
        [
            lambda n=n, m=m: m.send("PUT", "/coupons/C", {"percent": n + 1})
            for n, m in enumerate(managers)
        ]
    )
    statuses = [status for status, _ in results]
    assert sorted(statuses) == [201] + [409] * 9
    assert ann.post("/coupons/C") == {"percent": statuses.index(201) + 1}


def test_a_price_drop_tells_those_who_waited_once(shop):
    shop.product("tea", price_cents=500)
    ann, ben, eve = (shop.login(name) for name in ("ann", "ben", "eve"))
    ann.put("/alerts/tea", {"at_most_cents": 400})
    ben.put("/alerts/tea", {"at_most_cents": 300})
    eve.put("/alerts/tea", {"at_most_cents": 299})
    assert shop.put("/prices/tea", {"price_cents": 450}) == {"told": []}
    assert shop.put("/prices/tea", {"price_cents": 300}) == {"told": ["ben", "ann"]}
    assert shop.put("/prices/tea", {"price_cents": 300}) == {"told": []}
    assert ann.get("/notices") == [{"sku": "tea", "price_cents": 300}]
    assert ann.get("/notices") == []
    assert eve.get("/notices") == []
    assert shop.get("/products/tea")["price_cents"] == 300


def test_price_changes_that_race_tell_each_customer_once(shop):
    shop.product("tea", price_cents=900)
    waiting = [shop.login(f"w{n}") for n in range(10)]
    for customer in waiting:
        customer.put("/alerts/tea", {"at_most_cents": 500})
    managers = [shop.login(f"m{n}") for n in range(6)]
    told = in_parallel(
        [
            lambda n=n, m=m: m.put("/prices/tea", {"price_cents": 400 + n})["told"]
            for n, m in enumerate(managers)
        ]
    )
    assert sorted(sum(told, [])) == sorted(f"w{n}" for n in range(10))
    assert all(len(customer.get("/notices")) == 1 for customer in waiting)


def test_a_discount_does_not_wait_for_ever(start, server):
    shop = start(cart_ms=80)
    shop.product("tea", price_cents=100)
    shop.put("/coupons/X", {"percent": 50})
    ann = shop.login("ann")
    ann.post("/coupons/X")
    wait_until(lambda: not server.exists(f"shop:discount:{ann.token}"), "the discount to expire")
    ann.add("tea", 1)
    assert ann.post("/checkout")["total_cents"] == 100
