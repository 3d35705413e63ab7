"""A small pipelining client: enough RESP to fill a server and to check what it answers."""

import socket


def encode(*args):
    """One request."""
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        arg = arg if isinstance(arg, bytes) else str(arg).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(arg), arg))
    return b"".join(parts)


class ReplyError(Exception):
    """The server answered an error."""


class Client:
    def __init__(self, port, timeout_s=60.0):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _more(self):
        got = self.socket.recv(1 << 20)
        if not got:
            raise ConnectionError("the server closed the connection")
        self.unread += got

    def _take(self, size):
        while len(self.unread) < size:
            self._more()
        taken = bytes(self.unread[:size])
        del self.unread[:size]
        return taken

    def _line(self):
        while (end := self.unread.find(b"\r\n")) < 0:
            self._more()
        line = self._take(end + 2)
        return line[:-2]

    def reply(self):
        """The next reply; an error is returned, not raised."""
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self._take(size + 2)[:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        if kind == b":":
            return int(rest)
        if kind == b"-":
            return ReplyError(rest.decode(errors="replace"))
        return rest

    def call(self, *args):
        self.socket.sendall(encode(*args))
        reply = self.reply()
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    def pipeline(self, requests):
        """Sends requests whose replies are single lines, and sees to it that none is an error."""
        self.socket.sendall(b"".join(requests))
        for _ in requests:
            line = self._line()
            if line[:1] not in (b"+", b":"):
                raise ReplyError(line.decode(errors="replace"))

    def exchange(self, request, expected):
        """Sends requests; true if the replies are these bytes. Otherwise they stay unread."""
        self.socket.sendall(request)
        while len(self.unread) < len(expected):
            # A wrong reply may be shorter than the right one: never wait for what will not come.
            if not expected.startswith(self.unread):
                return False
            self._more()
        if not self.unread.startswith(expected):
            return False
        del self.unread[: len(expected)]
        return True

    def info(self, section="everything"):
        text = self.call("INFO", section).decode()
        lines = (line.partition(":") for line in text.splitlines() if ":" in line)
        return {name: value for name, _, value in lines}


def fill(port, requests, batch=500):
    """Sends all requests in pipelines."""
    with Client(port) as client:
        chunk = []
        for request in requests:
            chunk.append(request)
            if len(chunk) == batch:
                client.pipeline(chunk)
                chunk = []
        if chunk:
            client.pipeline(chunk)
