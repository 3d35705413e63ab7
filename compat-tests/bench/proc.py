"""What Linux knows of a process, from /proc: its CPU time and its memory.

CPU time comes in ticks of 10 ms for all threads at once, so a measurement has to last seconds.
Memory of a process that forks to save counts what the child does not share with its parent.
"""

import os
import threading

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _times(stat, first, count):
    # The name in parentheses may hold anything, so fields are counted from behind it.
    fields = stat.rsplit(b")", 1)[-1].split()
    return sum(int(field) for field in fields[first : first + count]) / TICKS_PER_S


def children(pid):
    """Pids of the children that live now, theirs included."""
    found = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        for child in _read(f"/proc/{pid}/task/{thread}/children").split():
            found.append(int(child))
            found.extend(children(int(child)))
    return found


def cpu_s(pid):
    """User and system seconds of all threads, of ended children and of living ones."""
    stat = _read(f"/proc/{pid}/stat")
    if not stat:
        raise RuntimeError(f"process {pid} is gone")
    total = _times(stat, 11, 4)
    for child in children(pid):
        child_stat = _read(f"/proc/{child}/stat")
        total += _times(child_stat, 11, 4) if child_stat else 0.0
    return total


def thread_cpu_s(pid):
    """Seconds of each thread: {thread id: seconds}."""
    seconds = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        stat = _read(f"/proc/{pid}/task/{thread}/stat")
        if stat:
            seconds[int(thread)] = _times(stat, 11, 2)
    return seconds


def _kilobytes(text, names):
    total = 0
    for line in text.splitlines():
        if line.split(b":")[0] in names:
            total += int(line.split()[1])
    return total << 10


def rss(pid):
    """Resident bytes of the process alone."""
    return _kilobytes(_read(f"/proc/{pid}/status"), (b"VmRSS",))


def rss_highest(pid):
    """Most resident bytes so far, or since `forget_highest`."""
    return _kilobytes(_read(f"/proc/{pid}/status"), (b"VmHWM",))


def forget_highest(pid):
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5")


def rss_with_children(pid):
    """Resident bytes, and what children hold for themselves (pages copied after a fork)."""
    own = rss(pid)
    for child in children(pid):
        rollup = _read(f"/proc/{child}/smaps_rollup")
        own += _kilobytes(rollup, (b"Private_Clean", b"Private_Dirty"))
    return own


class Sampler:
    """Notes the memory of a process again and again until it is left."""

    def __init__(self, pid, interval_s=0.02):
        self.pid, self.interval_s = pid, interval_s
        self.samples = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(10)

    def _run(self):
        while True:
            self.samples.append(rss_with_children(self.pid))
            if self._stop.wait(self.interval_s):
                return
