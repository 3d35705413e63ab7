"""redis-benchmark on its own core, and the server's CPU per command while it runs."""

import csv
import subprocess
import time

import proc
from client import encode, fill
from server import load_cores

CLIENTS = 50
VALUE_BYTES = 64


def command(settings, server, count, pipeline, what, keys, pinned=True):
    pin = ["taskset", "-c", load_cores()] if pinned else []
    return [
        *pin, settings.redis_benchmark, "-h", "127.0.0.1", "-p", str(server.port), "--csv",
        "-c", str(CLIENTS), "-r", str(keys), "-d", str(VALUE_BYTES),
        "-P", str(pipeline), "-n", str(count), *what,
    ]


def run(settings, server, count, pipeline, what, keys, pinned=True, at_most_s=300):
    """Runs redis-benchmark to its end; returns (commands per second, commands, seconds)."""
    before = server.info("stats")
    begun = time.monotonic()
    line = command(settings, server, count, pipeline, what, keys, pinned)
    done = subprocess.run(line, capture_output=True, text=True, timeout=at_most_s)
    seconds = time.monotonic() - begun
    server.must_live()
    if done.returncode != 0:
        raise RuntimeError(f"redis-benchmark failed: {(done.stderr or done.stdout)[-300:]}")
    rows = [row for row in csv.reader(done.stdout.splitlines()) if len(row) > 1 and row[0] != "test"]
    after = server.info("stats")
    errors = int(after["total_error_replies"]) - int(before["total_error_replies"])
    if errors:
        raise RuntimeError(f"{server.name} answered {errors} errors to {' '.join(what)}")
    commands = int(after["total_commands_processed"]) - int(before["total_commands_processed"])
    # The clients send whole pipelines, so a few more may come; fewer must not.
    if not count <= commands <= count + 2 * CLIENTS * pipeline + 10:
        raise RuntimeError(f"{server.name} counts {commands} commands where {count} were sent")
    return float(rows[-1][1]), commands, seconds


def cpu_us(settings, server, count, pipeline, what, keys, pinned=True):
    """Microseconds of server CPU per command."""
    before = proc.cpu_s(server.pid)
    _, commands, _ = run(settings, server, count, pipeline, what, keys, pinned)
    return (proc.cpu_s(server.pid) - before) * 1e6 / commands


PROBE_CPU_S = 0.2


def count_for_cpu(settings, server, seconds, pipeline, what, keys, pinned=True):
    """How many commands cost the server that much CPU, however busy the machine is."""
    round_size = CLIENTS * pipeline
    probe = 20 * round_size
    while True:
        used = cpu_us(settings, server, probe, pipeline, what, keys, pinned)
        if used * probe >= PROBE_CPU_S * 1e6:
            return max(1, round(seconds * 1e6 / used / round_size)) * round_size
        probe *= 4


def count_for_time(settings, server, seconds, pipeline, what, keys):
    """How many commands the server does in that time."""
    round_size = CLIENTS * pipeline
    probe = 20 * round_size
    while True:
        rate, commands, _ = run(settings, server, probe, pipeline, what, keys)
        # A tenth of the whole is long enough to foretell it.
        if commands / rate >= seconds / 10:
            return max(1, round(rate * seconds / round_size)) * round_size
        probe *= 2


def fill_strings(server, keys):
    """The keys that redis-benchmark reads and writes with `-r keys`."""
    value = b"x" * VALUE_BYTES
    fill(server.port, (encode(b"SET", b"key:%012d" % i, value) for i in range(keys)))


def fill_collection(server, key, members):
    """A collection as redis-benchmark would have made it; its key tells its type."""
    value = b"x" * VALUE_BYTES
    add, parts = {
        "mylist": (b"LPUSH", lambda i: (value,)),
        "myset": (b"SADD", lambda i: (b"element:%012d" % i,)),
        "myzset": (b"ZADD", lambda i: (b"%d" % (i * 7919 % members), b"element:%012d" % i)),
    }[key]
    step = 100
    requests = (
        encode(add, key.encode(), *[part for i in range(first, min(first + step, members)) for part in parts(i)])
        for first in range(0, members, step)
    )
    fill(server.port, requests, 20)
