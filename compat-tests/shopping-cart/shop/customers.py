"""What the shop remembers of a customer: things seen, things wished for, prices waited for."""

from __future__ import annotations

import json
from typing import Any

from redis.client import Pipeline

from . import keys
from .catalog import Catalog
from .errors import BadRequest
from .store import Store

VIEWED_MAX = 10
NOTICES_MAX = 100


class Customers:
    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._text = store.text
        self._catalog = catalog

    def saw(self, customer: str, sku: str) -> None:
        """Puts a product first among those recently viewed; no duplicates, a bounded list."""
        key = keys.viewed(customer)
        with self._text.pipeline() as pipe:
            pipe.lrem(key, 0, sku)
            pipe.lpush(key, sku)
            pipe.ltrim(key, 0, VIEWED_MAX - 1)
            pipe.execute()

    def recently_viewed(self, customer: str) -> list[str]:
        return self._text.lrange(keys.viewed(customer), 0, -1)

    def wish(self, customer: str, sku: str) -> bool:
        """False if it was on the list already."""
        self._catalog.get(sku)
        return bool(self._text.sadd(keys.wishlist(customer), sku))

    def unwish(self, customer: str, sku: str) -> bool:
        """False if it was not on the list."""
        return bool(self._text.srem(keys.wishlist(customer), sku))

    def wishlist(self, customer: str) -> list[str]:
        return sorted(self._text.smembers(keys.wishlist(customer)))

    def watch_price(self, customer: str, sku: str, at_most_cents: int) -> None:
        """Asks for one notice when the price falls to `at_most_cents` or below."""
        self._catalog.get(sku)
        self._text.zadd(keys.alerts(sku), {customer: at_most_cents})

    def set_price(self, sku: str, price_cents: int) -> list[str]:
        """Changes a price and leaves a notice for each customer who waited for it; returns them.

        Price, notices and used-up alerts change together: nobody is told twice or of a price
        that is not there.
        """
        if price_cents < 0:
            raise BadRequest("a price cannot be negative")
        self._catalog.get(sku)
        alerts = keys.alerts(sku)
        notice = json.dumps({"sku": sku, "price_cents": price_cents})

        def attempt(pipe: Pipeline) -> list[str]:
            told = pipe.zrangebyscore(alerts, price_cents, "+inf")
            pipe.multi()
            pipe.hset(keys.product(sku), "price_cents", price_cents)
            pipe.zremrangebyscore(alerts, price_cents, "+inf")
            for customer in told:
                pipe.rpush(keys.notices(customer), notice)
                pipe.ltrim(keys.notices(customer), -NOTICES_MAX, -1)
            return told

        return self._store.optimistic([alerts, keys.product(sku)], attempt)

    def notices(self, customer: str) -> list[dict[str, Any]]:
        """Takes all notices away and returns them, oldest first."""
        with self._text.pipeline() as pipe:
            pipe.lrange(keys.notices(customer), 0, -1)
            pipe.delete(keys.notices(customer))
            notices, _ = pipe.execute()
        return [json.loads(notice) for notice in notices]
