"""Connections to the server, and the one way this shop does read-decide-write."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

import redis
from redis.client import Pipeline

from .errors import Busy

T = TypeVar("T")

ATTEMPTS_MAX = 64
"""A lost race means that somebody else's transaction went through, so the shop as a whole always
advances; a bound keeps one unlucky request from trying for ever."""

PAUSE_MS_MAX = 32.0

CONNECTIONS_MAX = 1_000
"""A checkout holds two connections and an event stream one; over the bound a request gets 503."""


class Store:
    """Two views of one server: `text` decodes replies as UTF-8, `raw` leaves bytes alone."""

    def __init__(self, url: str) -> None:
        self.text = redis.Redis.from_url(
            url, decode_responses=True, max_connections=CONNECTIONS_MAX
        )
        self.raw = redis.Redis.from_url(url, max_connections=CONNECTIONS_MAX)

    def optimistic(self, keys: Iterable[str], attempt: Callable[[Pipeline], T]) -> T:
        """Runs `attempt` until its transaction commits: WATCH `keys`, read, MULTI, queue, EXEC.

        `attempt` reads through the pipeline (commands run at once), may watch more keys, then calls
        `multi()` and queues its writes; it must have no other effects, as it may run several times.
        An exception leaves nothing written. Raises `Busy` after `ATTEMPTS_MAX` lost races.
        """
        watched = list(keys)
        for tried in range(ATTEMPTS_MAX):
            with self.text.pipeline() as pipe:
                try:
                    pipe.watch(*watched)
                    result = attempt(pipe)
                    pipe.execute()
                    return result
                except redis.WatchError:
                    # Jitter, so that those who collided do not collide again in step.
                    pause_ms = random.uniform(0.0, min(2.0**tried, PAUSE_MS_MAX))
            time.sleep(pause_ms / 1000)
        raise Busy("too many others at the same goods, try again")

    def close(self) -> None:
        """Gives all connections back to the system."""
        self.text.close()
        self.raw.close()
