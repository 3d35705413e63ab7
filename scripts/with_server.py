#!/usr/bin/env python3
"""Runs a command beside a server of its own.

usage: with_server.py SERVER [-- ] COMMAND...   PORT in the command becomes the server's port.
SERVER is redis-server or the path of bowshock, which gets a data directory that is removed
afterwards. The command's exit code is returned; the server is ended in any case.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

READY_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
    except OSError:
        return False


def main() -> int:
    server, command = sys.argv[1], sys.argv[2:]
    if command and command[0] == "--":
        command = command[1:]
    port, directory = free_port(), tempfile.mkdtemp(prefix="bowshock-test-")
    if os.path.basename(server) == "redis-server":
        start = [server, "--port", str(port), "--save", "", "--dir", directory]
    else:
        start = [server, "--port", str(port), "--dir", directory, "--http", "off"]
    log = open(os.path.join(directory + ".log"), "w+b")
    process = subprocess.Popen(start, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                sys.stderr.write(log.read().decode(errors="replace"))
                sys.stderr.write(f"{server} does not answer\n")
                return 1
            time.sleep(0.05)
        return subprocess.call([word.replace("PORT", str(port)) for word in command])
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()
        os.unlink(directory + ".log")
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
