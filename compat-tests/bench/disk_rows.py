"""P4 and P8: what durability costs, and how soon a killed server answers again."""

import statistics
import subprocess
import time

import load
import proc
from client import Client, ReplyError, encode, fill
from cpu_rows import in_turn
from server import Bowshock, Redis, wait_idle
from table import Result, compared, microseconds

SETTLE_S = 30


def everysec(settings, row):
    """A new directory for each measurement; all CPU from the first command to a lag of 0."""
    keys = settings.scaled(1_000_000, 100_000)
    seconds = settings.scaled(60.0, 10.0)
    results = []
    for pipeline in (16, 64):
        counts, measured, late, took = {}, {"redis": [], "bowshock": []}, 0, []
        for number in range(settings.repeat):
            for kind in in_turn([Redis, Bowshock], number):
                if kind.name not in counts:
                    with kind(settings, durable=True) as server:
                        counts[kind.name] = load.count_for_time(
                            settings, server, seconds, pipeline, ["-t", "set"], keys)
                with kind(settings, durable=True) as server:
                    before = proc.cpu_s(server.pid)
                    _, commands, load_s = load.run(
                        settings, server, counts[kind.name], pipeline, ["-t", "set"], keys, at_most_s=seconds * 10)
                    ended = time.monotonic()
                    late += not wait_idle(server, SETTLE_S)
                    measured[kind.name].append((proc.cpu_s(server.pid) - before) * 1e6 / commands)
                    took.append({"side": kind.name, "commands": commands, "load_s": round(load_s, 2),
                                 "settle_s": round(time.monotonic() - ended, 2)})
            settings.note(row, f"everysec SET -P {pipeline}", number, measured)
        result = compared(
            row, f"CPU per SET, everysec, -P {pipeline}, until lag 0", measured["redis"], measured["bowshock"],
            0.7, 0.4, microseconds, failure=f"{late} runs not settled after {SETTLE_S} s" if late else "")
        result.raw["runs"] = took
        results.append(result)
    return results


def restart(settings, row):
    """Kill -9 under load; the clock runs from the start of the new process to the right answer."""
    keys = settings.scaled(5_000_000, 200_000)
    value = b"%063d."
    measured = {"redis": [], "bowshock": []}
    with Redis(settings, durable=True) as redis, Bowshock(settings, durable=True) as bowshock:
        for server in (redis, bowshock):
            settings.say(f"{row}: fills {server.name} with {keys} keys")
            fill(server.port, (encode(b"SET", b"old:%012d" % i, value % i) for i in range(keys)))
            wait_idle(server, 120)
        for number in range(settings.repeat):
            old = number * 7919 % keys
            for server in in_turn([redis, bowshock], number):
                _write_and_kill(settings, server)
                measured[server.name].append(_first_get(server, b"old:%012d" % old, value % old))
            settings.note(row, "s to the first GET", number, measured)
    figure = statistics.median(measured["bowshock"])
    return [Result(
        row, f"kill -9, start, first GET of an old key, {keys:,} keys",
        f"{statistics.median(measured['redis']):.3f} s", f"{figure:.3f} s", figure,
        f"{figure / statistics.median(measured['redis']):.2f}x", 1.0, 0.2, unit=" s", raw=measured)]


def _write_and_kill(settings, server):
    line = load.command(settings, server, 1_000_000_000, 64, ["-t", "set"], 1_000_000)
    writer = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(settings.scaled(3.0, 1.0))
        if writer.poll() is not None:
            raise RuntimeError("redis-benchmark ended before the server was killed")
        server.kill()
    finally:
        writer.kill()
        writer.wait(30)


def _first_get(server, key, value):
    begun = time.monotonic()
    server.spawn()
    while time.monotonic() - begun < 180:
        server.must_live()
        try:
            with Client(server.port, 30) as client:
                # Redis answers -LOADING for a while; it is asked again on the same connection.
                while isinstance(got := _get(client, key), ReplyError) and "LOADING" in str(got):
                    time.sleep(0.005)
            seconds = time.monotonic() - begun
            if got != value:
                raise RuntimeError(f"{server.name} lost an old key: {got!r}")
            return seconds
        except OSError:
            time.sleep(0.002)
    raise RuntimeError(f"{server.name} does not answer 180 s after its restart")


def _get(client, key):
    client.socket.sendall(encode(b"GET", key))
    return client.reply()
