"""P1-P3, P5 and P6: CPU per command, nothing kept on disk."""

import statistics

import load
import proc
from server import Bowshock, Redis
from table import Result, compared, microseconds

BARS = {"P1": (1, 1.05, 0.6), "P2": (16, 0.6, 0.4), "P3": (64, 0.5, 0.35)}


def in_turn(sides, number):
    """Each repetition begins with the other side."""
    return sides if number % 2 == 0 else sides[::-1]


def set_and_get(settings, row):
    pipeline, must, moon = BARS[row]
    keys = settings.scaled(1_000_000, 100_000)
    with Redis(settings) as redis, Bowshock(settings) as bowshock:
        sides = [redis, bowshock]
        for server in sides:
            load.fill_strings(server, keys)
        results = []
        for test in ("set", "get"):
            what = ["-t", test]
            count = max(
                load.count_for_cpu(settings, server, settings.scaled(3.0, 0.5), pipeline, what, keys)
                for server in sides
            )
            measured = {server.name: [] for server in sides}
            for number in range(settings.repeat):
                for server in in_turn(sides, number):
                    used = load.cpu_us(settings, server, count, pipeline, what, keys)
                    measured[server.name].append(used)
                settings.note(row, f"{test} -P {pipeline}", number, measured)
            name = f"CPU per {test.upper()}, -P {pipeline}"
            results.append(compared(row, name, measured["redis"], measured["bowshock"], must, moon, microseconds))
    return results


# Name, arguments of redis-benchmark, commands in a run, in a quick run, collection filled before.
OTHERS = [
    ("INCR", ["-t", "incr"], 2_000_000, 100_000, None),
    ("LPUSH", ["-t", "lpush"], 2_000_000, 100_000, None),
    ("RPUSH", ["-t", "rpush"], 2_000_000, 100_000, None),
    ("LPOP", ["-t", "lpop"], 2_000_000, 100_000, "mylist"),
    ("RPOP", ["-t", "rpop"], 2_000_000, 100_000, "mylist"),
    ("SADD", ["-t", "sadd"], 1_000_000, 100_000, None),
    ("HSET", ["-t", "hset"], 1_000_000, 100_000, None),
    ("SPOP", ["-t", "spop"], 1_000_000, 100_000, "myset"),
    ("ZADD", ["-t", "zadd"], 1_000_000, 50_000, None),
    ("ZPOPMIN", ["-t", "zpopmin"], 1_000_000, 100_000, "myzset"),
    ("LRANGE_100", ["LRANGE", "mylist", "0", "99"], 150_000, 8_000, "mylist"),
    ("LRANGE_300", ["LRANGE", "mylist", "0", "299"], 60_000, 4_000, "mylist"),
    ("LRANGE_500", ["LRANGE", "mylist", "0", "499"], 40_000, 2_400, "mylist"),
    ("LRANGE_600", ["LRANGE", "mylist", "0", "599"], 30_000, 2_400, "mylist"),
    ("MSET", ["-t", "mset"], 200_000, 16_000, None),
]
PIPELINE = 16


def other_commands(settings, row):
    keys = settings.scaled(1_000_000, 100_000)
    results = []
    for name, what, count, quick, collection in OTHERS:
        count = settings.scaled(count, quick)
        # A pop must never find nothing: that would be cheap. An LRANGE needs no more than this.
        members = 10_000 if name.startswith("LRANGE") else count + 2 * load.CLIENTS * PIPELINE
        measured = {"redis": [], "bowshock": []}
        # New servers for each command: what others left behind is not its cost.
        with Redis(settings) as redis, Bowshock(settings) as bowshock:
            for number in range(settings.repeat):
                for server in in_turn([redis, bowshock], number):
                    server.call("FLUSHALL", "SYNC")
                    if collection:
                        load.fill_collection(server, collection, members)
                    used = load.cpu_us(settings, server, count, PIPELINE, what, keys)
                    measured[server.name].append(used)
                settings.note(row, name, number, measured)
        results.append(compared(
            row, f"CPU per {name}, -P {PIPELINE}", measured["redis"], measured["bowshock"], 0.8, 0.5, microseconds))
    return results


SHARE_MIN, SHARE_MAX = 0.4, 0.6


def two_threads(settings, row):
    """One server with one thread beside one with two; nothing pinned."""
    keys = settings.scaled(1_000_000, 100_000)
    results = []
    with Bowshock(settings, pinned=False) as one, Bowshock(settings, pinned=False, threads=2) as two:
        for server in (one, two):
            load.fill_strings(server, keys)
        for test in ("set", "get"):
            what = ["-t", test]
            count = max(
                load.count_for_cpu(settings, server, settings.scaled(3.0, 0.5), PIPELINE, what, keys, pinned=False)
                for server in (one, two)
            )
            used, shares = {"one": [], "two": []}, []
            for number in range(settings.repeat):
                for name, server in in_turn([("one", one), ("two", two)], number):
                    before = proc.thread_cpu_s(server.pid)
                    used[name].append(load.cpu_us(settings, server, count, PIPELINE, what, keys, pinned=False))
                    if server is two:
                        shares.append(_share(before, proc.thread_cpu_s(server.pid)))
                settings.note(row, test, number, used)
            share = statistics.median(shares)
            uneven = not SHARE_MIN <= share <= SHARE_MAX
            result = compared(
                row, f"CPU per {test.upper()}, -P {PIPELINE}: 2 threads beside 1 (redis: -)",
                used["one"], used["two"], 1.2, 1.05, microseconds,
                failure=f"one thread carries {share:.0%}" if uneven else "")
            result.raw = {"one_thread": used["one"], "two_threads": used["two"], "share_of_first": shares}
            result.bowshock = f"{result.redis} -> {result.bowshock} ({1 - share:.0%}/{share:.0%})"
            result.redis = "-"
            results.append(result)
    return results


def _share(before, after):
    """What the busier of the two busiest threads did of the work of both."""
    used = sorted(seconds - before.get(thread, 0.0) for thread, seconds in after.items())
    return used[-1] / max(used[-1] + used[-2], 1e-9)
