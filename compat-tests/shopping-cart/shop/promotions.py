"""Coupons that work once, and the limit on how often one client may ask."""

from __future__ import annotations

import time

from . import keys
from .errors import BadRequest, Exists, NotFound, TooManyRequests
from .sessions import Session
from .store import Store


class Coupons:
    """A coupon is one key: SET NX creates it once, GETDEL lets one customer have it."""

    def __init__(self, store: Store, discount_ms: int) -> None:
        self._text = store.text
        self._discount_ms = discount_ms

    def create(self, code: str, percent: int) -> None:
        """Raises `Exists` if the code is out already."""
        if not 0 < percent <= 100:
            raise BadRequest("a coupon gives 1 to 100 percent")
        if not self._text.set(keys.coupon(code), percent, nx=True):
            raise Exists(f"coupon {code} exists")

    def redeem(self, session: Session, code: str) -> int:
        """Takes the coupon for the session's next order; returns the percent off."""
        percent = self._text.getdel(keys.coupon(code))
        if percent is None:
            raise NotFound(f"no coupon {code}")
        self._text.set(keys.discount(session.token), percent, px=self._discount_ms)
        return int(percent)


class RateLimit:
    """At most `limit` requests of a client in each window of `window_ms` (fixed windows)."""

    def __init__(self, store: Store, limit: int, window_ms: int) -> None:
        self._text = store.text
        self._limit = limit
        self._window_ms = window_ms

    def admit(self, client: str) -> None:
        """Counts one request. Raises `TooManyRequests`."""
        window = time.time_ns() // 1_000_000 // self._window_ms
        key = keys.rate(client, window)
        with self._text.pipeline() as pipe:
            pipe.incr(key)
            pipe.expire(key, self._window_ms // 1000 + 1)
            count, _ = pipe.execute()
        if count > self._limit:
            raise TooManyRequests(f"{self._limit} requests per {self._window_ms} ms")
