"""Starts the two servers, each in a directory of its own, and ends them by their pids."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

import proc
from client import Client, ReplyError

START_S = 120
SERVER_CORE = "0"


def load_cores():
    """The cores for the load: all but the server's."""
    cores = sorted(os.sched_getaffinity(0))
    others = [str(core) for core in cores if str(core) != SERVER_CORE]
    if not others or int(SERVER_CORE) not in cores:
        raise SystemExit("bench: two cores are needed, 0 among them: one for the server, one for the load")
    return ",".join(others)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One running server and its directory; a context that ends it and removes what it left."""

    name = "?"

    def __init__(self, settings, pinned=True):
        self.settings, self.pinned = settings, pinned
        # The blank is on purpose: paths with blanks have to work.
        self.dir = tempfile.mkdtemp(prefix=f"bench {self.name} ", dir=settings.dir)
        self.process, self.log = None, None
        self.port = free_port()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.kill()
        if self.log:
            self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    @property
    def pid(self):
        return self.process.pid

    def spawn(self):
        """Starts the process without waiting for it to serve."""
        pin = ["taskset", "-c", SERVER_CORE] if self.pinned else []
        environment = {k: v for k, v in os.environ.items() if not k.startswith("BOWSHOCK_")}
        if self.log is None:
            self.log = open(os.path.join(self.dir, "log"), "ab")
        # taskset becomes the server, so the pid is the server's.
        self.process = subprocess.Popen(
            pin + self.command(), cwd=self.dir, env=environment,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
        )

    def start(self):
        self.spawn()
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            self.must_live()
            try:
                with Client(self.port, 5) as client:
                    client.call("PING")
                return
            except (OSError, ReplyError):
                time.sleep(0.02)
        raise RuntimeError(f"{self.name} does not serve after {START_S} s: {self.last_words()}")

    def must_live(self):
        if self.process.poll() is not None:
            code = self.process.returncode
            raise RuntimeError(f"{self.name} ended with {code}: {self.last_words()}")

    def last_words(self):
        with open(os.path.join(self.dir, "log"), "rb") as log:
            return b" | ".join(log.read().splitlines()[-3:]).decode(errors="replace")

    def kill(self):
        """Ends the process and its children with SIGKILL."""
        if self.process is None or self.process.returncode is not None:
            return
        family = [self.process.pid, *proc.children(self.process.pid)]
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(60)

    def call(self, *args):
        with Client(self.port) as client:
            return client.call(*args)

    def info(self, section="everything"):
        with Client(self.port) as client:
            return client.info(section)

    def settled_rss(self, at_most_s=10.0):
        """Resident bytes once they have stopped changing."""
        end, last = time.monotonic() + at_most_s, -1
        while (now := proc.rss(self.pid)) != last and time.monotonic() < end:
            last = now
            time.sleep(0.5)
        return now


class Redis(Server):
    name = "redis"

    def __init__(self, settings, durable=False, pinned=True):
        super().__init__(settings, pinned)
        self.durable = durable

    def command(self):
        durable = ["yes", "--appendfsync", "everysec"] if self.durable else ["no"]
        return [
            self.settings.redis_server, "--port", str(self.port), "--bind", "127.0.0.1",
            "--daemonize", "no", "--save", "", "--appendonly", *durable,
        ]

    def is_busy(self):
        """Background work that belongs to the load so far."""
        return self.info("persistence").get("aof_rewrite_in_progress") != "0" or bool(proc.children(self.pid))


class Bowshock(Server):
    name = "bowshock"

    def __init__(self, settings, durable=False, pinned=True, threads=1, options=()):
        super().__init__(settings, pinned)
        self.durable, self.threads, self.options = durable, threads, options
        self.http_port = free_port()

    def command(self):
        data = ["--appendfsync", "everysec"] if self.durable else ["--base", "memory"]
        return [
            self.settings.bowshock, "--port", str(self.port), "--bind", "127.0.0.1",
            "--http", f"127.0.0.1:{self.http_port}", "--threads", str(self.threads),
            "--dir", os.path.join(self.dir, "data"), *data, *self.options,
        ]

    def metric(self, name):
        url = f"http://127.0.0.1:{self.http_port}/metrics"
        # A proxy in the environment is not meant for this host.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=10) as page:
            for line in page.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[1])
        raise RuntimeError(f"there is no metric {name}")

    def is_busy(self):
        """Whether the base is behind the journal."""
        return self.metric("bowshock_base_lag_entries") > 0


def wait_idle(server, at_most_s):
    """Waits until the background work is done; false if it is not in time."""
    end = time.monotonic() + at_most_s
    while server.is_busy():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
