"""Order events as they happen: pub/sub on one side, server-sent events on the other."""

from __future__ import annotations

from collections.abc import Iterator

from . import keys
from .store import Store

IDLE_SECONDS = 1.0
"""How long a quiet stream waits before it sends a comment, which is how it learns that the
listener has gone."""


class Events:
    def __init__(self, store: Store) -> None:
        self._text = store.text

    def stream(self, customer: str | None) -> Iterator[str]:
        """Server-sent events: the orders of one customer, or of all if `customer` is None.

        The comment `: ready` comes once the server has confirmed the subscription; each order
        after it is seen exactly once, a customer's orders in their order.
        """
        with self._text.pubsub() as pubsub:
            if customer is None:
                pubsub.psubscribe(f"{keys.CHANNEL_PREFIX}*")
            else:
                pubsub.subscribe(keys.channel(customer))
            while True:
                message = pubsub.get_message(timeout=IDLE_SECONDS)
                if message is None:
                    yield ": idle\n\n"
                elif message["type"] in ("subscribe", "psubscribe"):
                    yield ": ready\n\n"
                elif message["type"] in ("message", "pmessage"):
                    yield f"event: order\ndata: {message['data']}\n\n"
