"""P11's load: several processes, each with keys of its own, that check every reply.

Process `p` of `n` owns the ranks p, p + n, p + 2n, ... of the popularity list, and draws among them
with the weight of the whole list (1 / rank^0.99), so all together draw as one would. Because nobody
else writes its keys, it knows what each GET has to answer, byte for byte.
"""

import itertools
import math
import multiprocessing
import os
import random
import signal
from array import array

from client import Client
from server import load_cores

SKEW = 0.99
SET_SHARE = 0.1
BATCH = 64
BLOB_BYTES = 1 << 20


class Keys:
    """Names and values of all keys."""

    def __init__(self, count, value_bytes):
        self.count, self.value_bytes = count, value_bytes
        # Random bytes, so that compression does not make the values smaller than they claim.
        self.blob = random.Random(11).randbytes(BLOB_BYTES + value_bytes)
        # Ranks are scattered over the names: what is popular was not written together.
        self.stride = 7_368_787
        while math.gcd(self.stride, count) != 1:
            self.stride += 1

    def name(self, rank):
        return b"zipf:%012d" % (rank * self.stride % self.count)

    def value(self, rank, version):
        head = b"%012d:%08d:" % (rank, version)
        start = (rank * 7919 + version * 104_729) % BLOB_BYTES
        return head + self.blob[start : start + self.value_bytes - len(head)]


class Worker:
    """One process's keys and what they hold."""

    def __init__(self, keys, number, workers, port):
        self.keys, self.number, self.workers = keys, number, workers
        self.ranks = range(number, keys.count, workers)
        self.versions = array("I", bytes(4 * len(self.ranks)))
        self.client = Client(port, 120)
        self.random = random.Random(number)
        self.weights = None
        self.wrong = []

    def _get(self, place):
        rank = self.ranks[place]
        name, value = self.keys.name(rank), self.keys.value(rank, self.versions[place])
        request = b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n" % (len(name), name)
        return request, b"$%d\r\n%b\r\n" % (len(value), value)

    def _set(self, place):
        rank = self.ranks[place]
        name, value = self.keys.name(rank), self.keys.value(rank, self.versions[place])
        request = b"*3\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(name), name, len(value), value)
        return request, b"+OK\r\n"

    def _send(self, pairs):
        requests, expected = zip(*pairs)
        if self.client.exchange(b"".join(requests), b"".join(expected)):
            return
        # Something differs: take the replies one by one to say what.
        for right in expected:
            got = self.client.reply()
            wanted = b"OK" if right[:1] == b"+" else right.split(b"\r\n", 1)[1][:-2]
            if got != wanted:
                self.wrong.append(f"got {str(got)[:60]}, right is {wanted[:30]!r}...")

    def fill(self, _):
        for first in range(0, len(self.ranks), BATCH):
            self._send([self._set(p) for p in range(first, min(first + BATCH, len(self.ranks)))])
        return {"sets": len(self.ranks)}

    def mix(self, operations):
        if self.weights is None:
            shares = ((rank + 1) ** -SKEW for rank in self.ranks)
            self.weights = array("d", itertools.accumulate(shares))
        sets = 0
        places = range(len(self.ranks))
        for first in range(0, operations, BATCH):
            size = min(BATCH, operations - first)
            pairs = []
            for place in self.random.choices(places, cum_weights=self.weights, k=size):
                if self.random.random() < SET_SHARE:
                    sets += 1
                    self.versions[place] += 1
                    pairs.append(self._set(place))
                else:
                    pairs.append(self._get(place))
            self._send(pairs)
        return {"sets": sets, "gets": operations - sets}

    def verify(self, at_most):
        """Reads all keys that were written again, and of the others one in so many."""
        step = max(1, -(-len(self.ranks) // at_most))
        places = [p for p, version in enumerate(self.versions) if version or p % step == 0]
        for first in range(0, len(places), BATCH):
            self._send([self._get(p) for p in places[first : first + BATCH]])
        return {"verified": len(places)}


def _serve(pipe, keys, number, workers, port, cores, parent):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.sched_setaffinity(0, cores)
    worker = None
    while True:
        while not pipe.poll(1):
            # The others hold this pipe open too, so the parent's end shows only here.
            if os.getppid() != parent:
                return
        phase, argument = pipe.recv()
        try:
            worker = worker or Worker(keys, number, workers, port)
            answer = getattr(worker, phase)(argument)
            answer["wrong"], worker.wrong = worker.wrong, []
        except Exception as error:  # handed to the parent, which ends the row
            answer = {"error": f"{type(error).__name__}: {error}"}
        pipe.send(answer)


class Fleet:
    """The processes; each phase runs in all of them at once."""

    def __init__(self, keys, workers, port):
        cores = {int(core) for core in load_cores().split(",")}
        self.members = []
        context = multiprocessing.get_context("fork")
        for number in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_serve, args=(theirs, keys, number, workers, port, cores, os.getpid()), daemon=True)
            process.start()
            self.members.append((process, ours))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process, pipe in self.members:
            process.kill()
            process.join(10)
            pipe.close()

    def phase(self, name, argument, at_most_s):
        """Runs a phase; returns the sums of what the processes counted."""
        for _, pipe in self.members:
            pipe.send((name, argument))
        total = {"wrong": [], "sets": 0, "gets": 0, "verified": 0}
        for _, pipe in self.members:
            if not pipe.poll(at_most_s):
                raise RuntimeError(f"the load's {name} takes longer than {at_most_s} s")
            answer = pipe.recv()
            if "error" in answer:
                raise RuntimeError(f"the load's {name}: {answer['error']}")
            total["wrong"] += answer["wrong"]
            for count in ("sets", "gets", "verified"):
                total[count] += answer.get(count, 0)
        return total
