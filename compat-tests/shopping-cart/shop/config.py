"""What a service needs to know before it starts."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Lifetimes are in milliseconds. Only the server's address comes from the environment."""

    redis_url: str
    session_ms: int = 30 * 60_000
    cart_ms: int = 7 * 24 * 3_600_000
    reservation_ms: int = 10 * 60_000
    rate_limit: int = 600
    rate_window_ms: int = 60_000

    @classmethod
    def from_environment(cls) -> Settings:
        """Reads `REDIS_URL`, for example `redis://127.0.0.1:6379/0`."""
        return cls(redis_url=os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"))
