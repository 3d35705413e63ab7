"""What is for sale: products, their stock, pictures and tags, and the ways to find them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from redis.client import Pipeline

from . import keys
from .errors import BadRequest, NotFound
from .store import Store

PAGE_MAX = 1_000
PICTURE_BYTES_MAX = 4 * 1024 * 1024


@dataclass(frozen=True)
class Product:
    sku: str
    name: str
    price_cents: int
    tags: tuple[str, ...] = ()


class Catalog:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._text = store.text

    def put(self, product: Product, stock: int) -> None:
        """Adds or replaces a product and sets its stock, all or nothing."""
        if product.price_cents < 0 or stock < 0:
            raise BadRequest("neither price nor stock can be negative")

        def attempt(pipe: Pipeline) -> None:
            old = pipe.hget(keys.product(product.sku), "tags")
            pipe.multi()
            for tag in json.loads(old or "[]"):
                pipe.srem(keys.tag(tag), product.sku)
            for tag in product.tags:
                pipe.sadd(keys.tag(tag), product.sku)
            fields = asdict(product) | {"tags": json.dumps(product.tags)}
            del fields["sku"]
            pipe.hset(keys.product(product.sku), mapping=fields)
            pipe.set(keys.stock(product.sku), stock)
            pipe.zadd(keys.PRODUCTS, {product.sku: 0})

        self._store.optimistic([keys.product(product.sku)], attempt)

    def get(self, sku: str) -> Product:
        """Raises `NotFound`."""
        return self.get_many([sku])[0]

    def get_many(self, skus: Sequence[str]) -> list[Product]:
        """One round trip, whatever the number; raises `NotFound` if one is missing."""
        with self._text.pipeline(transaction=False) as pipe:
            for sku in skus:
                pipe.hgetall(keys.product(sku))
            rows = pipe.execute()
        products = []
        for sku, row in zip(skus, rows, strict=True):
            if not row:
                raise NotFound(f"no product {sku}")
            tags = tuple(json.loads(row["tags"]))
            products.append(Product(sku, row["name"], int(row["price_cents"]), tags))
        return products

    def stock(self, sku: str) -> int:
        """Units on sale now; 0 for what does not exist."""
        return int(self._text.get(keys.stock(sku)) or 0)

    def remove(self, sku: str) -> None:
        """Takes a product out of the catalog with all that belongs to it. Raises `NotFound`."""
        product = self.get(sku)
        with self._text.pipeline() as pipe:
            for tag in product.tags:
                pipe.srem(keys.tag(tag), sku)
            pipe.zrem(keys.PRODUCTS, sku)
            pipe.zrem(keys.BEST_SELLERS, sku)
            pipe.unlink(keys.product(sku), keys.stock(sku), keys.picture(sku), keys.alerts(sku))
            pipe.execute()

    def page(self, after: str, size: int) -> list[str]:
        """Up to `size` SKUs that follow `after` in byte order; `after` empty begins."""
        start = f"({after}" if after else "-"
        return self._text.zrangebylex(keys.PRODUCTS, start, "+", 0, _page_size(size))

    def tagged(self, tags: Sequence[str]) -> list[str]:
        """SKUs that carry all the tags, sorted."""
        if not tags:
            raise BadRequest("name at least one tag")
        return sorted(self._text.sinter([keys.tag(tag) for tag in tags]))

    def matching(self, pattern: str, cursor: int, size: int) -> tuple[int, list[str]]:
        """One SCAN step over SKUs that match a glob: the next cursor (0 = done) and what it found.

        As with SCAN itself, a step may find nothing and a SKU may come twice.
        """
        match = f"{keys.PRODUCT_PREFIX}{pattern}"
        after, found = self._text.scan(cursor, match=match, count=_page_size(size))
        return int(after), [key.removeprefix(keys.PRODUCT_PREFIX) for key in found]

    def put_picture(self, sku: str, picture: bytes) -> None:
        self.get(sku)
        if len(picture) > PICTURE_BYTES_MAX:
            raise BadRequest("the picture is too large")
        self._store.raw.set(keys.picture(sku), picture)

    def picture(self, sku: str) -> bytes:
        """The bytes as they were given. Raises `NotFound`."""
        picture = self._store.raw.get(keys.picture(sku))
        if picture is None:
            raise NotFound(f"no picture of {sku}")
        return picture


def _page_size(size: int) -> int:
    if not 0 < size <= PAGE_MAX:
        raise BadRequest(f"a page has 1 to {PAGE_MAX} entries")
    return size
