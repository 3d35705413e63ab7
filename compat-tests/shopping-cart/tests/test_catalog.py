"""Products: stored whole, found by page, tag and pattern, with pictures of any bytes."""

from __future__ import annotations

from urllib.parse import quote

from conftest import Client, in_parallel


def test_a_product_comes_back_as_it_was_put(shop):
    shop.product("tea", stock=7, price_cents=499, tags=["hot", "leaf"])
    assert shop.get("/products/tea") == {
        "sku": "tea",
        "name": "Tea",
        "price_cents": 499,
        "tags": ["hot", "leaf"],
        "stock": 7,
    }


def test_an_unknown_product_is_not_found(shop):
    assert shop.get("/products/none", status=404)["error"] == "not-found"


def test_bad_products_are_refused_and_not_stored(shop, server):
    for body in (
        {"name": "Tea", "price_cents": -1, "stock": 1},
        {"name": "Tea", "price_cents": 1, "stock": -1},
        {"name": 3, "price_cents": 1, "stock": 1},
        {"name": "Tea", "price_cents": "1", "stock": 1},
        {"name": "Tea", "price_cents": 1, "stock": True},
        {"name": "Tea", "price_cents": 1, "stock": 1, "tags": "hot"},
        ["no object"],
    ):
        shop.put("/products/tea", body, status=400)
    assert server.dbsize() == 0


def test_replacing_a_product_moves_its_tags(shop):
    shop.product("tea", tags=["hot", "leaf"])
    shop.product("tea", tags=["leaf", "cold"])
    assert shop.get("/search?tag=hot") == []
    assert shop.get("/search?tag=leaf&tag=cold") == ["tea"]


def test_removing_a_product_leaves_nothing(shop, server):
    shop.product("tea", tags=["hot"])
    shop.put("/pictures/tea", b"png")
    shop.delete("/products/tea")
    shop.get("/products/tea", status=404)
    shop.delete("/products/tea", status=404)
    assert server.keys("*") == []


def test_search_by_tags_intersects(shop):
    shop.product("tea", tags=["hot", "leaf"])
    shop.product("coffee", tags=["hot", "bean"])
    shop.product("cocoa", tags=["hot", "bean", "sweet"])
    assert shop.get("/search?tag=hot") == ["cocoa", "coffee", "tea"]
    assert shop.get("/search?tag=hot&tag=bean") == ["cocoa", "coffee"]
    assert shop.get("/search?tag=hot&tag=bean&tag=sweet") == ["cocoa"]
    assert shop.get("/search?tag=leaf&tag=bean") == []
    assert shop.get("/search?tag=none") == []


def test_search_by_pattern_scans_to_the_end(shop):
    for number in range(120):
        shop.product(f"mug-{number:03}")
    for number in range(80):
        shop.product(f"cup-{number:03}")
    found, cursor, steps = set(), "0", 0
    while steps == 0 or cursor != "0":
        step = shop.get(f"/search?match=mug-*&size=10&cursor={cursor}")
        found |= set(step["skus"])
        cursor, steps = step["cursor"], steps + 1
        assert steps < 1_000
    assert found == {f"mug-{number:03}" for number in range(120)}
    assert steps > 1


def test_pages_cover_the_catalog_once_in_order(shop):
    skus = sorted(f"item-{number}" for number in range(105))
    hands = [Client(shop.port) for _ in range(5)]
    in_parallel([lambda i=i: [hands[i].product(sku) for sku in skus[i::5]] for i in range(5)])
    seen, after = [], ""
    while page := shop.get(f"/products?size=25&after={after}"):
        assert len(page) <= 25
        seen += page
        after = page[-1]
    assert seen == skus


def test_page_sizes_are_bounded(shop):
    for query in ("size=0", "size=1001", "size=-1", "size=x", "size=" + "9" * 30):
        shop.get(f"/products?{query}", status=400)


def test_unicode_in_names_skus_and_tags(shop):
    sku, name = "茶/šálek 🍵", 'Грüner Tee \u0000 " \\ \r\n 🍃'
    shop.put(
        f"/products/{quote(sku)}",
        {
            "name": name,
            "price_cents": 1,
            "stock": 3,
            "tags": ["ほっと", "🌿"],
        },
    )
    assert shop.get(f"/products/{quote(sku)}")["name"] == name
    assert shop.get(f"/search?tag={quote('🌿')}&tag={quote('ほっと')}") == [sku]
    assert shop.get("/products") == [sku]
    customer = shop.login("Жанна 🛒")
    customer.add(sku, 2)
    order = customer.post("/checkout")
    assert order["lines"] == {sku: 2}
    assert order["customer"] == "Жанна 🛒"
    assert customer.get("/orders")["orders"] == [order]


def test_pictures_are_binary_safe(shop):
    shop.product("tea")
    for picture in (bytes(range(256)) * 40, b"\r\n$5\r\n*1\r\n", b"\x00", b"\xff\xfe\xc3\x28", b""):
        shop.put("/pictures/tea", picture)
        assert shop.send("GET", "/pictures/tea") == (200, picture)


def test_a_picture_of_three_megabytes(shop):
    shop.product("tea")
    picture = bytes(i * 7 % 251 for i in range(3 * 1024)) * 1024
    shop.put("/pictures/tea", picture)
    assert shop.send("GET", "/pictures/tea") == (200, picture)


def test_a_picture_needs_its_product(shop):
    shop.put("/pictures/none", b"png", status=404)
    shop.product("tea")
    shop.get("/pictures/tea", status=404)
