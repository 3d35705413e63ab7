"""From cart to order, with no unit sold twice and none lost.

A unit is in exactly one place: in the stock, in a reservation, or in an order. Each move is one
transaction over WATCHed keys, so two shoppers who want the last unit cannot both get it: the second
EXEC finds the stock changed, and the shopper looks again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from redis.client import Pipeline

from . import keys
from .catalog import Catalog
from .errors import EmptyCart, NotFound, SoldOut
from .sessions import Session
from .store import Store

RELEASED_PER_SWEEP_MAX = 100


@dataclass(frozen=True)
class Order:
    """`number` counts a customer's own orders from 1 without gaps; `order_id` is the shop's."""

    order_id: int
    customer: str
    number: int
    lines: dict[str, int]
    total_cents: int


class Orders:
    def __init__(self, store: Store, catalog: Catalog, reservation_ms: int, cart_ms: int) -> None:
        self._store = store
        self._text = store.text
        self._catalog = catalog
        self._reservation_ms = reservation_ms
        self._cart_ms = cart_ms

    def reserve(self, session: Session) -> dict[str, int]:
        """Moves the cart into a reservation for a limited time; all lines or none."""
        self.release_expired()
        cart, held = keys.cart(session.token), keys.reservation(session.token)

        def attempt(pipe: Pipeline) -> dict[str, int]:
            if pipe.exists(held):
                return _quantities(pipe.hgetall(held))
            lines = self._take(pipe, cart)
            pipe.multi()
            for sku, quantity in lines.items():
                pipe.decrby(keys.stock(sku), quantity)
            pipe.rename(cart, held)
            pipe.persist(held)  # its end is in the sorted set: units must not expire with a key
            ends_ms = time.time_ns() // 1_000_000 + self._reservation_ms
            pipe.zadd(keys.RESERVATIONS, {session.token: ends_ms})
            return lines

        return self._store.optimistic([cart, held], attempt)

    def release(self, session: Session) -> bool:
        """Gives a reservation back: units to the stock, lines to the cart. False if none."""
        return self._release(session.token, ended_by_ms=None)

    def release_expired(self) -> int:
        """Releases what is past its time and returns how many; any service may do it."""
        now_ms = time.time_ns() // 1_000_000
        tokens = self._text.zrangebyscore(
            keys.RESERVATIONS, "-inf", now_ms, start=0, num=RELEASED_PER_SWEEP_MAX
        )
        return sum(self._release(token, ended_by_ms=now_ms) for token in tokens)

    def _release(self, token: str, ended_by_ms: int | None) -> bool:
        cart, held = keys.cart(token), keys.reservation(token)

        def attempt(pipe: Pipeline) -> bool:
            lines = _quantities(pipe.hgetall(held))
            ends_ms = pipe.zscore(keys.RESERVATIONS, token)
            # Between the sweep's look and this one the session may have made a new reservation.
            renewed = ended_by_ms is not None and ends_ms is not None and ends_ms > ended_by_ms
            pipe.multi()
            if renewed or not lines:
                return False
            for sku, quantity in lines.items():
                pipe.incrby(keys.stock(sku), quantity)
                pipe.hincrby(cart, sku, quantity)
            pipe.pexpire(cart, self._cart_ms)
            pipe.delete(held)
            pipe.zrem(keys.RESERVATIONS, token)
            return True

        return self._store.optimistic([held], attempt)

    def checkout(self, session: Session) -> Order:
        """Turns the reservation, or else the cart, into an order: one transaction does all of it.

        Raises `EmptyCart` or `SoldOut`. A request repeated after a lost reply finds an empty cart
        and cannot order twice.
        """
        self.release_expired()
        token, customer = session.token, session.customer
        cart, held, discount = keys.cart(token), keys.reservation(token), keys.discount(token)
        order_id = int(self._text.incr(keys.ORDER_IDS))

        def attempt(pipe: Pipeline) -> Order:
            reserved = bool(pipe.exists(held))
            source = held if reserved else cart
            lines = _quantities(pipe.hgetall(held)) if reserved else self._take(pipe, cart)
            total_cents = self._price(pipe, lines, int(pipe.get(discount) or 0))
            number = int(pipe.llen(keys.history(customer))) + 1
            order = Order(order_id, customer, number, lines, total_cents)
            pipe.multi()
            pipe.delete(source, discount)
            if reserved:
                pipe.zrem(keys.RESERVATIONS, token)
            for sku, quantity in lines.items():
                if not reserved:
                    pipe.decrby(keys.stock(sku), quantity)
                pipe.zincrby(keys.BEST_SELLERS, quantity, sku)
            pipe.hset(keys.order(order_id), mapping=_row(order))
            pipe.lpush(keys.history(customer), order_id)
            pipe.publish(keys.channel(customer), json.dumps(asdict(order)))
            return order

        return self._store.optimistic([cart, held, discount, keys.history(customer)], attempt)

    def _take(self, pipe: Pipeline, cart: str) -> dict[str, int]:
        """The cart's lines, after a check that the watched stock covers each."""
        lines = _quantities(pipe.hgetall(cart))
        if not lines:
            raise EmptyCart("the cart is empty")
        stocks = [keys.stock(sku) for sku in lines]
        pipe.watch(*stocks)
        for (sku, quantity), left in zip(lines.items(), pipe.mget(stocks), strict=True):
            if int(left or 0) < quantity:
                raise SoldOut(sku, int(left or 0))
        return lines

    def _price(self, pipe: Pipeline, lines: Mapping[str, int], percent_off: int) -> int:
        """The sum in cents at prices that are watched, rounded in the customer's favour."""
        pipe.watch(*(keys.product(sku) for sku in lines))
        products = self._catalog.get_many(list(lines))
        full = sum(product.price_cents * lines[product.sku] for product in products)
        return full * (100 - percent_off) // 100

    def get(self, order_id: int, customer: str) -> Order:
        """Raises `NotFound`, also for somebody else's order."""
        row = self._text.hgetall(keys.order(order_id))
        if not row or row["customer"] != customer:
            raise NotFound(f"no order {order_id}")
        return _order(order_id, row)

    def history(self, customer: str, page: int, size: int) -> tuple[int, list[Order]]:
        """How many orders there are, and one page of them (from 0), newest first."""
        key = keys.history(customer)
        with self._text.pipeline() as pipe:
            pipe.llen(key)
            pipe.lrange(key, page * size, page * size + size - 1)
            count, ids = pipe.execute()
        with self._text.pipeline(transaction=False) as pipe:
            for order_id in ids:
                pipe.hgetall(keys.order(int(order_id)))
            rows = pipe.execute()
        return count, [_order(int(i), row) for i, row in zip(ids, rows, strict=True)]

    def best_sellers(self, limit: int) -> list[tuple[str, int]]:
        """SKU and units sold, most first."""
        rows = self._text.zrange(keys.BEST_SELLERS, 0, limit - 1, desc=True, withscores=True)
        return [(sku, int(units)) for sku, units in rows]


def _quantities(row: Mapping[str, str]) -> dict[str, int]:
    return {sku: int(quantity) for sku, quantity in row.items()}


def _row(order: Order) -> dict[str, str | int]:
    return {
        "customer": order.customer,
        "number": order.number,
        "lines": json.dumps(order.lines),
        "total_cents": order.total_cents,
    }


def _order(order_id: int, row: Mapping[str, str]) -> Order:
    return Order(
        order_id,
        row["customer"],
        int(row["number"]),
        json.loads(row["lines"]),
        int(row["total_cents"]),
    )
