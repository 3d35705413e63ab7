"""The shop over HTTP: JSON in and out, `Authorization: Bearer TOKEN` for a session.

Routes only translate. There is no administrator here: in an example, everybody may add products.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import redis
from flask import Flask, Response, jsonify, request

from .carts import LINES_MAX, Carts
from .catalog import Catalog, Product
from .config import Settings
from .customers import Customers
from .errors import BadRequest, NoSession, ShopError
from .events import Events
from .orders import Orders
from .promotions import Coupons, RateLimit
from .sessions import Session, Sessions
from .store import Store

BODY_BYTES_MAX = 8 * 1024 * 1024
PAGE_SIZE = 20
PAGE_SIZE_MAX = 1_000
NUMBER_MAX = 10**12


def create_app(settings: Settings) -> Flask:
    """The service as a WSGI application. Connects on the first request."""
    app = Flask("shop")
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
    app.json.sort_keys = False  # lists of pairs keep the shop's order

    store = Store(settings.redis_url)
    catalog = Catalog(store)
    sessions = Sessions(store, settings.session_ms)
    carts = Carts(store, catalog, settings.cart_ms)
    orders = Orders(store, catalog, settings.reservation_ms, settings.cart_ms)
    customers = Customers(store, catalog)
    coupons = Coupons(store, settings.cart_ms)
    events = Events(store)
    rate_limit = RateLimit(store, settings.rate_limit, settings.rate_window_ms)

    def session() -> Session:
        """The caller's session, which counts against its rate limit and has its life extended."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise NoSession("send Authorization: Bearer TOKEN")
        current = sessions.resume(token)
        rate_limit.admit(token)
        return current

    @app.errorhandler(ShopError)
    def refuse(error: ShopError):
        return jsonify(error=error.code, message=str(error)), error.status

    @app.errorhandler(redis.RedisError)
    def unavailable(error: redis.RedisError):
        app.logger.error("the server behind the shop failed: %s", error)
        return jsonify(error="unavailable", message="the shop cannot reach its data"), 503

    @app.get("/health")
    def health():
        return jsonify(ok=store.text.ping())

    # Sessions

    @app.post("/sessions")
    def open_session():
        opened = sessions.open(_text("customer"))
        return jsonify(asdict(opened)), 201

    @app.get("/sessions/current")
    def show_session():
        current = session()
        return jsonify(customer=current.customer, left_ms=sessions.left_ms(current))

    @app.delete("/sessions/current")
    def close_session():
        sessions.close(session())
        return "", 204

    # Catalog

    @app.put("/products/<path:sku>")
    def put_product(sku: str):
        tags = _body().get("tags", [])
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise BadRequest("tags is a list of texts")
        product = Product(sku, _text("name"), _number("price_cents"), tuple(tags))
        catalog.put(product, stock=_number("stock"))
        return jsonify(asdict(product)), 201

    @app.get("/products/<path:sku>")
    def show_product(sku: str):
        product = catalog.get(sku)
        if "Authorization" in request.headers:
            customers.saw(session().customer, sku)
        return jsonify(asdict(product) | {"stock": catalog.stock(sku)})

    @app.delete("/products/<path:sku>")
    def remove_product(sku: str):
        catalog.remove(sku)
        return "", 204

    @app.get("/products")
    def list_products():
        return jsonify(catalog.page(request.args.get("after", ""), _query("size", PAGE_SIZE)))

    @app.get("/search")
    def search():
        """`?tag=a&tag=b` for products with all tags, or `?match=GLOB&cursor=0` for SCAN steps."""
        if tags := request.args.getlist("tag"):
            return jsonify(catalog.tagged(tags))
        pattern, cursor = request.args.get("match", "*"), _query("cursor", 0)
        after, found = catalog.matching(pattern, cursor, _query("size", PAGE_SIZE))
        # A cursor may need all 64 bits, more than a JSON reader must keep exactly.
        return jsonify(cursor=str(after), skus=found)

    @app.put("/pictures/<path:sku>")
    def put_picture(sku: str):
        catalog.put_picture(sku, request.get_data())
        return "", 204

    @app.get("/pictures/<path:sku>")
    def show_picture(sku: str):
        return Response(catalog.picture(sku), mimetype="application/octet-stream")

    @app.put("/prices/<path:sku>")
    def set_price(sku: str):
        return jsonify(told=customers.set_price(sku, _number("price_cents")))

    @app.get("/best-sellers")
    def best_sellers():
        return jsonify(orders.best_sellers(_query("limit", 10, least=1, most=PAGE_SIZE_MAX)))

    # Cart

    @app.get("/cart")
    def show_cart():
        """`?page=N&size=M` for a part of a big cart, in the order of the SKUs."""
        current = session()
        lines = sorted(carts.lines(current).items())
        size = _query("size", LINES_MAX, least=1)
        first = _query("page", 0) * size
        return jsonify(
            lines=dict(lines[first : first + size]),
            count=len(lines),
            left_ms=carts.left_ms(current),
        )

    @app.put("/cart")
    def replace_cart():
        lines = _body().get("lines")
        if not isinstance(lines, dict) or not all(map(_is_number, lines.values())):
            raise BadRequest("lines maps SKUs to quantities")
        carts.replace(session(), lines)
        return "", 204

    @app.delete("/cart")
    def clear_cart():
        carts.clear(session())
        return "", 204

    @app.post("/cart/lines/<path:sku>")
    def add_line(sku: str):
        return jsonify(quantity=carts.add(session(), sku, _number("quantity")))

    @app.delete("/cart/lines/<path:sku>")
    def remove_line(sku: str):
        return jsonify(removed=carts.remove(session(), sku))

    # Orders

    @app.post("/reservation")
    def reserve():
        return jsonify(lines=orders.reserve(session())), 201

    @app.delete("/reservation")
    def release():
        return jsonify(released=orders.release(session()))

    @app.post("/checkout")
    def checkout():
        return jsonify(asdict(orders.checkout(session()))), 201

    @app.get("/orders")
    def list_orders():
        size = _query("size", PAGE_SIZE, least=1, most=PAGE_SIZE_MAX)
        count, page = orders.history(session().customer, _query("page", 0), size)
        return jsonify(count=count, orders=[asdict(order) for order in page])

    @app.get("/orders/<int:order_id>")
    def show_order(order_id: int):
        return jsonify(asdict(orders.get(order_id, session().customer)))

    @app.get("/events")
    def stream_events():
        """Server-sent events; `?customer=NAME` for one customer's orders only."""
        stream = events.stream(request.args.get("customer"))
        return Response(stream, mimetype="text/event-stream")

    # Customer

    @app.get("/recently-viewed")
    def recently_viewed():
        return jsonify(customers.recently_viewed(session().customer))

    @app.get("/wishlist")
    def wishlist():
        return jsonify(customers.wishlist(session().customer))

    @app.put("/wishlist/<path:sku>")
    def wish(sku: str):
        return jsonify(added=customers.wish(session().customer, sku))

    @app.delete("/wishlist/<path:sku>")
    def unwish(sku: str):
        return jsonify(removed=customers.unwish(session().customer, sku))

    @app.put("/alerts/<path:sku>")
    def watch_price(sku: str):
        customers.watch_price(session().customer, sku, _number("at_most_cents"))
        return "", 204

    @app.get("/notices")
    def notices():
        return jsonify(customers.notices(session().customer))

    @app.put("/coupons/<path:code>")
    def create_coupon(code: str):
        coupons.create(code, _number("percent"))
        return "", 201

    @app.post("/coupons/<path:code>")
    def redeem_coupon(code: str):
        return jsonify(percent=coupons.redeem(session(), code))

    return app


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadRequest("send a JSON object")
    return body


def _text(field: str) -> str:
    value = _body().get(field)
    if not isinstance(value, str):
        raise BadRequest(f"{field} must be a text")
    return value


def _is_number(value: object) -> bool:
    return type(value) is int and abs(value) <= NUMBER_MAX  # in Python, True is an int too


def _number(field: str) -> int:
    value = _body().get(field)
    if not _is_number(value):
        raise BadRequest(f"{field} must be a whole number")
    return value


def _query(name: str, default: int, least: int = 0, most: int = 2**64 - 1) -> int:
    """A number of the query string."""
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 20 and least <= int(text) <= most):
        raise BadRequest(f"{name} must be a number from {least} to {most}")
    return int(text)
