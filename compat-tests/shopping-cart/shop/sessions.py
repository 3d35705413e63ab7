"""Who is asking: opaque tokens that live as long as they are used."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from . import keys
from .errors import BadRequest, NoSession
from .store import Store

CUSTOMER_CHARS_MAX = 100


@dataclass(frozen=True)
class Session:
    token: str
    customer: str


class Sessions:
    """State is on the server only, so a session outlives the service that opened it."""

    def __init__(self, store: Store, lifetime_ms: int) -> None:
        self._text = store.text
        self._lifetime_ms = lifetime_ms

    def open(self, customer: str) -> Session:
        """A new session; its token is 32 random bytes that cannot be guessed."""
        if not 0 < len(customer) <= CUSTOMER_CHARS_MAX:
            raise BadRequest(f"a customer's name has 1 to {CUSTOMER_CHARS_MAX} characters")
        token = secrets.token_urlsafe(32)
        with self._text.pipeline() as pipe:
            pipe.hset(keys.session(token), "customer", customer)
            pipe.pexpire(keys.session(token), self._lifetime_ms)
            pipe.execute()
        return Session(token, customer)

    def resume(self, token: str) -> Session:
        """The session of `token`, its life extended. Raises `NoSession`."""
        with self._text.pipeline() as pipe:
            pipe.hget(keys.session(token), "customer")
            pipe.pexpire(keys.session(token), self._lifetime_ms)
            customer, _ = pipe.execute()
        if customer is None:
            raise NoSession("no such session, or it has expired")
        return Session(token, customer)

    def left_ms(self, session: Session) -> int:
        """How long the session lives if nothing more is asked, in milliseconds."""
        return int(self._text.pttl(keys.session(session.token)))

    def close(self, session: Session) -> None:
        """Ends the session now. Its cart stays until the cart's own expiry."""
        self._text.delete(keys.session(session.token))
