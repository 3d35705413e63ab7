"""`REDIS_URL=redis://127.0.0.1:6379/0 python -m shop [PORT]` (8000; 0 takes a free one)."""

from __future__ import annotations

import sys

from .config import Settings
from .server import listen


def main() -> None:
    settings = Settings.from_environment()
    server = listen(settings, int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
    print(f"shop at http://127.0.0.1:{server.server_port} on {settings.redis_url}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
