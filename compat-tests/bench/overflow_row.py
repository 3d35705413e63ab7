"""P11: eight times more data than memory, most of it cold, and nothing may be lost."""

import proc
from server import Bowshock, wait_idle
from table import Result
from zipf_load import Fleet, Keys

WORKERS = 3


def more_than_memory(settings, row):
    data, memory = settings.scaled((2_000_000_000, 256 << 20), (200_000_000, 32 << 20))
    results = []
    for value_bytes, label in ((100, "100 B"), (4096, "4 KB")):
        results += _one_size(settings, row, data // value_bytes, value_bytes, label, memory)
    return results


def _one_size(settings, row, count, value_bytes, label, memory):
    # Enough draws for the popular keys to have come back after the fill pushed them out.
    operations = min(max(count // 4, 100_000), 3_000_000) // WORKERS
    keys = Keys(count, value_bytes)
    options = ("--maxmemory", str(memory))
    with Bowshock(settings, durable=True, options=options) as server, Fleet(keys, WORKERS, server.port) as fleet:
        wrong = []

        def phase(name, argument):
            settings.say(f"{row}: {label}: {name}")
            done = fleet.phase(name, argument, 3600)
            server.must_live()
            wrong.extend(done["wrong"])
            return done

        phase("fill", None)
        wait_idle(server, 120)
        phase("mix", operations)
        before, cpu = server.info("stats"), proc.cpu_s(server.pid)
        mixed = phase("mix", operations)
        after, cpu = server.info("stats"), proc.cpu_s(server.pid) - cpu
        # Reading cold keys is load like any other, so the highest memory counts it too.
        checked = phase("verify", settings.scaled(1_000_000, 100_000) // WORKERS)
        loads = int(after["loaded_keys"]) - int(before["loaded_keys"])
        # SETs of keys that are not in memory read the base too.
        share = max(0.0, 1 - loads / (mixed["gets"] + mixed["sets"]))
        peak = proc.rss_highest(server.pid)
        found = server.call("DBSIZE")
        if found != count:
            wrong.append(f"DBSIZE is {found}, not {count}")
        raw = {
            "peak_rss": peak, "maxmemory": memory, "keys": count, "gets": mixed["gets"],
            "sets": mixed["sets"], "loads": loads, "verified": checked["verified"], "wrong": wrong[:20],
            "cpu_us_per_command": cpu * 1e6 / (mixed["gets"] + mixed["sets"]),
        }
        settings.say(f"{row}: {label}: {raw}")
    ratio = peak / memory
    data_text = f"{count * value_bytes / 1e9:g} GB of {label}, maxmemory {memory >> 20} MB"
    return [
        Result(row, f"{data_text}: values lost or wrong", "-", f"{len(wrong)} of {checked['verified']:,}",
               float(len(wrong)), "-", 0.0, 0.0, unit="", raw=raw,
               failure=wrong[0] if wrong else ""),
        Result(row, f"{data_text}: highest RSS / maxmemory", "-", f"{peak / (1 << 20):.0f} MB", ratio,
               f"{ratio:.2f}x", 1.2, 1.05),
        Result(row, f"{data_text}: commands served from memory", "-", f"{share:.1%}", share * 100, "-",
               70.0, 85.0, unit=" %", at_least=True),
    ]
