"""Serves the shop: a thread per request, so that event streams do not hold up others."""

from __future__ import annotations

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from .config import Settings
from .http import create_app


class _Handler(WSGIRequestHandler):
    def log_request(self, *args: object) -> None:
        """A line per request would drown the shop's own messages."""


def listen(settings: Settings, port: int = 0) -> BaseWSGIServer:
    """Binds `port` of the loopback address (0: a free one); `serve_forever()` then serves."""
    app = create_app(settings)
    return make_server("127.0.0.1", port, app, threaded=True, request_handler=_Handler)
