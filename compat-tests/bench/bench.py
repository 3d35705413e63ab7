#!/usr/bin/env python3
"""Runs rows of the bars side by side with redis-server and prints one table.

    bench.py --rows 'P1 P2' --bowshock target/release/bowshock [--repeat 5] [--quick] [--json FILE]

Progress goes to stderr, the table to stdout. The exit code is 0 when every row could be measured,
whatever it found; 1 when one could not, or when a value was lost. How each row is measured: README.md beside this file.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import cpu_rows
import disk_rows
import memory_rows
import overflow_row
from server import load_cores
from table import Result, print_table

# Row, its measurement, minutes after which it is given up.
ROWS = {
    "P1": (cpu_rows.set_and_get, 30),
    "P2": (cpu_rows.set_and_get, 30),
    "P3": (cpu_rows.set_and_get, 30),
    "P4": (disk_rows.everysec, 120),
    "P5": (cpu_rows.other_commands, 60),
    "P6": (cpu_rows.two_threads, 30),
    "P7": (memory_rows.at_rest, 30),
    "P8": (disk_rows.restart, 60),
    "P9": (memory_rows.during_backup, 60),
    "P11": (overflow_row.more_than_memory, 180),
}
FREE_BYTES = 12_000_000_000
FREE_BYTES_QUICK = 2_000_000_000


class Settings:
    """What all rows share: programs, directory, size, and how to report progress."""

    def __init__(self, arguments):
        self.quick = arguments.quick
        self.repeat = arguments.repeat or (1 if self.quick else 5)
        self.dir = os.path.abspath(arguments.dir or tempfile.gettempdir())
        self.bowshock = os.path.abspath(arguments.bowshock)
        self.redis_server = _program("redis-server", "redis-server")
        self.redis_benchmark = _program("redis-benchmark", "redis-tools")
        _program("taskset", "util-linux")
        if not os.access(self.bowshock, os.X_OK):
            raise SystemExit(f"bench: there is no program {self.bowshock}: cargo build --release makes it")
        free = shutil.disk_usage(self.dir).free
        if free < self.scaled(FREE_BYTES, FREE_BYTES_QUICK):
            raise SystemExit(f"bench: {self.dir} has only {free >> 20} MB free; --dir names another place")
        load_cores()

    def scaled(self, full, quick):
        return quick if self.quick else full

    def say(self, text):
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def note(self, row, what, number, measured):
        """Says what the latest repetition found on each side."""
        sides = ", ".join(f"{side} {values[-1]:.3f}" for side, values in measured.items())
        self.say(f"{row}: {what}: {number + 1}/{self.repeat}: {sides}")


def _program(name, package):
    found = shutil.which(name)
    if not found:
        raise SystemExit(f"bench: {name} is missing: apt-get install {package}")
    return found


class TooLong(Exception):
    """A row took longer than it may."""


def _too_long(*_):
    raise TooLong("it took too long")


def _stop(number, _):
    # As an exception, so that every server that runs is ended on the way out.
    raise SystemExit(128 + number)


def run_row(settings, row):
    measure, minutes = ROWS[row]
    settings.say(f"{row}: begins")
    signal.setitimer(signal.ITIMER_REAL, minutes * 60)
    try:
        return measure(settings, row)
    except Exception as error:  # one row that fails must not take the others with it
        traceback.print_exc(file=sys.stderr)
        reason = f"{type(error).__name__}: {error}"
        return [Result(row, "-", "-", "-", None, "-", None, None, failure=reason, raw={"error": reason})]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default=" ".join(ROWS), help="rows, separated by blanks or commas")
    parser.add_argument("--bowshock", default="target/release/bowshock", help="the release build")
    parser.add_argument("--repeat", type=int, help="paired repetitions (5; 1 with --quick)")
    parser.add_argument("--quick", action="store_true", help="small and once: to try the bench, not to judge")
    parser.add_argument("--json", metavar="FILE", help="write all measurements there")
    parser.add_argument("--dir", help="where the servers' directories are made (the system's temporary one)")
    arguments = parser.parse_args(words)
    arguments.rows = arguments.rows.replace(",", " ").upper().split()
    unknown = [row for row in arguments.rows if row not in ROWS]
    if unknown or not arguments.rows:
        parser.error(f"no such row: {' '.join(unknown) or '(none given)'}; there are {' '.join(ROWS)}")
    if arguments.repeat is not None and arguments.repeat < 1:
        parser.error("--repeat is at least 1")
    return arguments


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return (done.stdout or done.stderr).strip().splitlines()[0]


def main():
    arguments = parse(sys.argv[1:])
    settings = Settings(arguments)
    signal.signal(signal.SIGALRM, _too_long)
    signal.signal(signal.SIGTERM, _stop)
    about = {
        "bowshock": first_line(settings.bowshock, "--version"),
        "redis": first_line(settings.redis_server, "--version"),
        "kernel": platform.release(), "cores": os.cpu_count(), "load_before": os.getloadavg(),
        "repeat": settings.repeat, "quick": settings.quick, "began": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
    results = []
    try:
        for row in dict.fromkeys(arguments.rows):
            results += run_row(settings, row)
            if arguments.json:
                _write_json(arguments.json, about, results)
    finally:
        sys.stderr.flush()
        print(f"{about['bowshock']} beside {about['redis'].split(' malloc')[0]}, medians of {settings.repeat}"
              + (", QUICK: too short to judge by" if settings.quick else ""))
        print_table(results)
    return 1 if any(result.failure for result in results) else 0


def _write_json(path, about, results):
    half = path + ".part"
    with open(half, "w") as file:
        json.dump({"about": about, "results": [result.as_json() for result in results]}, file, indent=1)
        file.write("\n")
    os.replace(half, path)


if __name__ == "__main__":
    sys.exit(main())
