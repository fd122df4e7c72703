"""Measures: a server, runs of drivers against it, rounds in which the peers take turns."""
import json
import os
import resource
import subprocess
import sys
import time
import urllib.request

import matrix
from machine import machine_time, own_time, pin, process_time

DISTURBED = 0.1  # of a core, taken by others
LIMIT = 120  # seconds that a run may take
FILES_BESIDE = 100  # what a process has open besides its connections
SERVER_CORE, CLIENT_CORE = 0, 1


class Failed(Exception):
    pass


class Server:
    def __init__(self, build):
        self.directory = build + "/bench"
        self.ca = self.directory + "/authority.pem"
        self.texts = self.directory + "/texts"
        self.process = subprocess.Popen(
            [self.directory + "/server", "--tls", self.ca, "--texts", self.texts],
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=pin(SERVER_CORE),
        )
        self.port, self.tls_port = self.process.stdout.readline().split()

    def url(self, path, tls=False, **query):
        scheme, port = ("wss", self.tls_port) if tls else ("ws", self.port)
        return f"{scheme}://127.0.0.1:{port}{path}?" + "&".join(f"{key}={value}" for key, value in query.items())

    def counters(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats") as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Cell:
    """A peer in a mode at a size; see matrix.Mode."""

    def __init__(self, mode_name, size, peer_name, peer):
        self.mode_name, self.mode = mode_name, matrix.MODES[mode_name]
        self.size, self.peer_name, self.peer = size, peer_name, peer
        self.count = None
        self.runs = []
        self.error = None

    def command(self, server, count):
        mode = self.mode
        size = matrix.BUSY_SIZE if mode.driver == "busy" else self.size
        query = {"size": size, "count": count}
        if mode.texts:
            query["texts"] = 1
        return self.peer.command + [mode.driver, server.url(mode.path, mode.tls, **query), str(size), str(count)]

    def environment(self, server):
        environment = {**os.environ, **self.peer.environment}
        if self.mode.tls:
            environment["BENCH_CA"] = server.ca
        if self.mode.texts:
            environment["BENCH_TEXTS"] = f"{server.texts}/{self.size}"
            if self.peer_name != matrix.OURS:
                environment["BENCH_DEFLATE"] = "1"
        if self.mode.driver == "busy":
            environment["BENCH_IDLE"] = str(self.size)
            environment["BENCH_HOLD_URL"] = server.url("/hold", self.mode.tls)
        return environment

    def run(self, server, count):
        """seconds, cpu and kib as the driver says them; others (cores), and what the server counted."""
        counters = server.counters()
        began, all_before = time.monotonic(), machine_time()
        ours_before = own_time() + process_time(server.process.pid)
        try:
            result = subprocess.run(
                self.command(server, count),
                env=self.environment(server),
                preexec_fn=pin(SERVER_CORE if self.mode.one_core else CLIENT_CORE),
                capture_output=True,
                text=True,
                timeout=LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"no end within {LIMIT} s") from None
        if result.returncode:
            raise Failed((result.stderr.strip() or f"exit status {result.returncode}").split("\n")[0])
        ours = own_time() + process_time(server.process.pid) - ours_before
        others = (machine_time() - all_before - ours) / (time.monotonic() - began)
        now = server.counters()
        counted = {key: now[key] - counters[key] for key in counters}
        self.verify(counted, count)
        return {
            **{name: round(value, 6) for name, value in json.loads(result.stdout).items()},
            "count": count,
            "others": round(max(0.0, others), 3),
            "bytes_in": counted["bytes_in"],
            "bytes_out": counted["bytes_out"],
        }

    def verify(self, counted, count):
        """That the server has seen as much as the driver says it has done."""
        driver = self.mode.driver
        if driver == "conn" and counted["connections"] != count:
            raise Failed(f"{counted['connections']} connections for {count}")
        if driver in ("tx", "rtt", "busy") and counted["messages"] != count:
            raise Failed(f"{counted['messages']} messages for {count}")
        if driver == "rx" and not self.mode.texts and counted["bytes_out"] < count * self.size:
            raise Failed(f"{counted['bytes_out']} bytes for {count} messages of {self.size}")

    def find_count(self, server, seconds):
        """How many messages take about that long."""
        count = 10 if self.size >= 65536 else 100
        seconds *= self.peer.longer
        while True:
            run = self.run(server, count)
            taken = max(run["seconds"], 1e-6)
            if taken > seconds / 8:
                return max(1, int(count / taken * seconds))
            count = int(count * min(30, 1 + seconds / 4 / taken))

    def measure(self, server, options):
        for _ in range(1 + options.repeats):
            run = self.run(server, self.count)
            if run["others"] < DISTURBED:
                break
        self.runs.append(run)
        # The first guess was made with a short run.
        if self.mode.driver != "conn":
            aim = options.seconds * self.peer.longer / max(run["seconds"], 1e-6)
            self.count = max(1, int(self.count * min(4, max(0.25, aim))))

    def as_json(self):
        return {
            "mode": self.mode_name,
            "size": self.size,
            "peer": self.peer_name,
            "runs": self.runs,
            **({"error": self.error} if self.error else {}),
        }


def attempt(cell, action):
    """A peer that fails is left out of the rest of the mode, and told."""
    if cell.error:
        return
    try:
        action()
    except Failed as failure:
        cell.error = str(failure)
        print(f"failed: {cell.peer_name}, {cell.mode_name}, {cell.size}: {failure}", file=sys.stderr)


def most_connections():
    """That a process may hold here."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard - FILES_BESIDE


def find_counts(server, cells, options):
    known = {}
    for cell in cells:
        if cell.mode.driver == "conn":
            cell.count = min(cell.size or options.connections, most_connections())
        elif cell.mode.driver == "busy" and cell.peer_name in known:
            cell.count = known[cell.peer_name]
        else:
            def find(cell=cell):
                cell.count = cell.find_count(server, options.seconds)

            attempt(cell, find)
            known[cell.peer_name] = cell.count


def measure_mode(server, name, sizes, peers, options):
    """The cells of a mode. In each round every peer has its turn, from another one on each time."""
    mode = matrix.MODES[name]
    cells = [
        Cell(name, size, peer_name, peer)
        for size in sizes
        for peer_name, peer in peers.items()
        if matrix.takes_part(peer_name, peer, mode)
    ]
    find_counts(server, cells, options)
    for number in range(options.rounds):
        first = len(cells) * number // options.rounds
        for cell in cells[first:] + cells[:first]:
            attempt(cell, lambda cell=cell: cell.measure(server, options))
        print(f"{name}: round {number + 1} of {options.rounds}, {options.elapsed():.0f} s", file=sys.stderr)
    return cells
