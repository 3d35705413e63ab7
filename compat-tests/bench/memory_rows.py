"""P7 and P9: memory at rest, and while a backup is made under writes."""

import statistics
import subprocess
import time

import load
import proc
from client import encode, fill
from cpu_rows import in_turn
from server import Bowshock, Redis, wait_idle
from table import Result, compared, megabytes


def at_rest(settings, row):
    """New servers for each fill, nothing kept on disk; all that is resident counts."""
    strings, hashes, members = settings.scaled((1_000_000, 100_000, 1_000_000), (100_000, 10_000, 100_000))
    fields = [(b"field:%d" % i, b"value:%010d" % i) for i in range(10)]
    flat = [part for field in fields for part in field]
    shapes = [
        (f"{strings:,} strings of 64 B", lambda server: load.fill_strings(server, strings), strings),
        (f"{hashes:,} hashes of 10 fields", lambda server: fill(
            server.port, (encode(b"HSET", b"hash:%012d" % i, *flat) for i in range(hashes))), hashes),
        (f"a sorted set of {members:,} members",
         lambda server: load.fill_collection(server, "myzset", members), 1),
    ]
    results = []
    for name, fill_with, keys in shapes:
        measured = {"redis": [], "bowshock": []}
        for number in range(settings.repeat):
            for kind in in_turn([Redis, Bowshock], number):
                with kind(settings) as server:
                    fill_with(server)
                    if (found := server.call("DBSIZE")) != keys:
                        raise RuntimeError(f"{server.name} has {found} keys, not {keys}")
                    measured[server.name].append(server.settled_rss())
            settings.note(row, name + ", bytes", number, measured)
        results.append(compared(
            row, "RSS, " + name, measured["redis"], measured["bowshock"], 1.1, 0.7, megabytes))
    return results


def during_backup(settings, row):
    """All keys exist before, so that the writes change them and add none."""
    keys = settings.scaled(2_000_000, 200_000)
    peaks = {"redis": [], "bowshock": []}
    raw = []
    # Redis without its append only file, whose rewrites would be measured too.
    with Redis(settings) as redis, Bowshock(settings, durable=True) as bowshock:
        for server in (redis, bowshock):
            settings.say(f"{row}: fills {server.name} with {keys} keys")
            load.fill_strings(server, keys)
            wait_idle(server, 120)
        for number in range(settings.repeat):
            for server in in_turn([redis, bowshock], number):
                found = _back_up(settings, server, keys)
                peaks[server.name].append(found["during"] / found["before"])
                raw.append({"side": server.name, **found})
            settings.note(row, "highest RSS / before", number, peaks)
    medians = {name: statistics.median(values) for name, values in peaks.items()}
    return [Result(
        row, f"highest RSS in BGSAVE under writes / before, {keys:,} keys",
        f"{medians['redis']:.3f}x", f"{medians['bowshock']:.3f}x", medians["bowshock"],
        f"{medians['bowshock']:.2f}x", 1.1, 1.02, raw={"runs": raw})]


def _back_up(settings, server, keys):
    """Memory under writes before, and the highest during a BGSAVE."""
    line = load.command(settings, server, 1_000_000_000, 16, ["-t", "set"], keys)
    writer = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        # What writing alone needs (buffers of 50 clients, of the journal and the feed) is warm.
        time.sleep(settings.scaled(10.0, 2.0))
        with proc.Sampler(server.pid) as sampler:
            time.sleep(settings.scaled(5.0, 1.0))
        before, highest_before = statistics.median(sampler.samples), max(sampler.samples)
        proc.forget_highest(server.pid)
        begun = time.monotonic()
        with proc.Sampler(server.pid) as sampler:
            server.call("BGSAVE")
            while server.info("persistence")["rdb_bgsave_in_progress"] != "0":
                if time.monotonic() - begun > 300:
                    raise RuntimeError(f"{server.name}: BGSAVE takes longer than 300 s")
                time.sleep(0.01)
        seconds = time.monotonic() - begun
        if writer.poll() is not None:
            raise RuntimeError("the writes ended before the backup")
    finally:
        writer.kill()
        writer.wait(30)
    if server.info("persistence")["rdb_last_bgsave_status"] != "ok":
        raise RuntimeError(f"{server.name}: BGSAVE failed")
    # The system's own mark catches what falls between two samples, but knows no children.
    during = max(max(sampler.samples), proc.rss_highest(server.pid))
    return {"before": before, "highest_before": highest_before, "during": during, "seconds": seconds}

