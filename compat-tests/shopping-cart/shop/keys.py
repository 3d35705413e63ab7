"""Every key of the shop, its type, and what it holds."""

from __future__ import annotations

PRODUCTS = "shop:products"
"""Sorted set, all scores 0: SKUs in lexicographic order, for pages."""

BEST_SELLERS = "shop:best-sellers"
"""Sorted set: SKU by units sold."""

RESERVATIONS = "shop:reservations"
"""Sorted set: session token by the time (ms since 1970) when its reservation ends."""

ORDER_IDS = "shop:order-ids"
"""Integer: the last order id given out. Ids are unique and may have gaps."""

PRODUCT_PREFIX = "shop:product:"
CHANNEL_PREFIX = "shop:order-events:"


def product(sku: str) -> str:
    """Hash: `name`, `price_cents`, `tags` (a JSON list)."""
    return f"{PRODUCT_PREFIX}{sku}"


def stock(sku: str) -> str:
    """Integer: units that are neither sold nor reserved."""
    return f"shop:stock:{sku}"


def picture(sku: str) -> str:
    """String of raw bytes."""
    return f"shop:picture:{sku}"


def tag(name: str) -> str:
    """Set: SKUs that carry the tag."""
    return f"shop:tag:{name}"


def session(token: str) -> str:
    """Hash: `customer`. Expires after a while without requests."""
    return f"shop:session:{token}"


def cart(token: str) -> str:
    """Hash: SKU to quantity. Expires after a while without edits."""
    return f"shop:cart:{token}"


def reservation(token: str) -> str:
    """Hash like a cart, but its units have been taken from the stock."""
    return f"shop:reservation:{token}"


def discount(token: str) -> str:
    """Integer: percent off the session's next order."""
    return f"shop:discount:{token}"


def coupon(code: str) -> str:
    """Integer: percent. Exists until somebody redeems it."""
    return f"shop:coupon:{code}"


def order(order_id: int) -> str:
    """Hash: `customer`, `number`, `lines` (JSON), `total_cents`."""
    return f"shop:order:{order_id}"


def history(customer: str) -> str:
    """List: the customer's order ids, newest first."""
    return f"shop:history:{customer}"


def viewed(customer: str) -> str:
    """List: SKUs the customer looked at, newest first, each once."""
    return f"shop:viewed:{customer}"


def wishlist(customer: str) -> str:
    """Set: SKUs."""
    return f"shop:wishlist:{customer}"


def alerts(sku: str) -> str:
    """Sorted set: customer by the price in cents at or under which to tell them."""
    return f"shop:alerts:{sku}"


def notices(customer: str) -> str:
    """List: JSON notes for the customer, oldest first."""
    return f"shop:notices:{customer}"


def rate(client: str, window: int) -> str:
    """Integer: the client's requests in one time window. Expires with the window."""
    return f"shop:rate:{client}:{window}"


def channel(customer: str) -> str:
    """Pub/sub channel: one JSON message per order of the customer."""
    return f"{CHANNEL_PREFIX}{customer}"
