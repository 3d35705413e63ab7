"""A small shopping-cart service that keeps all its state in Redis, or in whatever speaks like it.

Each module is one noun of the shop (catalog, session, cart, order, ...); `keys.py` lists every key.
`http.py` turns HTTP into calls on those modules and holds no state, so that any number of services
can share one server and be restarted at any moment.
"""
