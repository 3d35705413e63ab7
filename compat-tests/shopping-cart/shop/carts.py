"""What a session means to buy: a hash that expires when it is left alone."""

from __future__ import annotations

from collections.abc import Mapping

from redis.client import Pipeline

from . import keys
from .catalog import Catalog
from .errors import BadRequest
from .sessions import Session
from .store import Store

QUANTITY_MAX = 999
LINES_MAX = 2_000


class Carts:
    def __init__(self, store: Store, catalog: Catalog, lifetime_ms: int) -> None:
        self._store = store
        self._text = store.text
        self._catalog = catalog
        self._lifetime_ms = lifetime_ms

    def add(self, session: Session, sku: str, quantity: int) -> int:
        """Adds to a line (negative takes away) and returns its new quantity."""
        self._catalog.get(sku)
        key = keys.cart(session.token)

        def attempt(pipe: Pipeline) -> int:
            total = int(pipe.hget(key, sku) or 0) + quantity
            self._check(total, lines=pipe.hlen(key) + 1)
            pipe.multi()
            if total == 0:
                pipe.hdel(key, sku)
            else:
                pipe.hincrby(key, sku, quantity)
            pipe.pexpire(key, self._lifetime_ms)
            return total

        return self._store.optimistic([key], attempt)

    def replace(self, session: Session, lines: Mapping[str, int]) -> None:
        """The whole cart at once: readers see the old one or the new one."""
        for quantity in lines.values():
            self._check(quantity, lines=len(lines))
        self._catalog.get_many(list(lines))
        key = keys.cart(session.token)
        with self._text.pipeline() as pipe:
            pipe.delete(key)
            wanted = {sku: quantity for sku, quantity in lines.items() if quantity > 0}
            if wanted:
                pipe.hset(key, mapping=wanted)
                pipe.pexpire(key, self._lifetime_ms)
            pipe.execute()

    def remove(self, session: Session, sku: str) -> bool:
        """Drops a line; false if there was none."""
        return bool(self._text.hdel(keys.cart(session.token), sku))

    def clear(self, session: Session) -> None:
        self._text.unlink(keys.cart(session.token))

    def lines(self, session: Session) -> dict[str, int]:
        """SKU to quantity."""
        cart = self._text.hgetall(keys.cart(session.token))
        return {sku: int(quantity) for sku, quantity in cart.items()}

    def left_ms(self, session: Session) -> int:
        """Milliseconds until the cart is gone; negative if there is none."""
        return int(self._text.pttl(keys.cart(session.token)))

    @staticmethod
    def _check(quantity: int, lines: int) -> None:
        if not 0 <= quantity <= QUANTITY_MAX:
            raise BadRequest(f"a line has 0 to {QUANTITY_MAX} units")
        if lines > LINES_MAX:
            raise BadRequest(f"a cart has at most {LINES_MAX} lines")
