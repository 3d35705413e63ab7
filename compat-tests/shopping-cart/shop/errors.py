"""What can go wrong in the shop, each with the HTTP status that says so."""

from __future__ import annotations


class ShopError(Exception):
    """An answer of the shop, not a fault: `code` is for programs, the text for people."""

    status = 400
    code = "bad-request"


class BadRequest(ShopError):
    """The request does not say what it must, or says too much."""


class NoSession(ShopError):
    """The token is missing, unknown or expired."""

    status = 401
    code = "no-session"


class NotFound(ShopError):
    """The named product, order, coupon, ... does not exist."""

    status = 404
    code = "not-found"


class EmptyCart(ShopError):
    """There is nothing to order."""

    status = 409
    code = "empty-cart"


class SoldOut(ShopError):
    """Too few units are left of `sku`."""

    status = 409
    code = "sold-out"

    def __init__(self, sku: str, left: int) -> None:
        super().__init__(f"only {left} left of {sku}")
        self.sku = sku


class Exists(ShopError):
    """The name is taken."""

    status = 409
    code = "exists"


class TooManyRequests(ShopError):
    """The client's allowance for this time window is used up."""

    status = 429
    code = "too-many-requests"


class Busy(ShopError):
    """Others kept changing the same keys; nothing was written, the client may try again."""

    status = 503
    code = "busy"
