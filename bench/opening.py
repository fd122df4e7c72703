"""How long it takes to open a connection: on loopback, and on a line with delay, in round trips.

Needs namespaces of its own, of the network for the line (bench/line.py) and of mounts for the names. So
bench/run calls measure(), which starts this file there, and that prints the cells, as JSON.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import line
import matrix
from machine import machine_time, own_time, pin, process_time
from measure import CLIENT_CORE, DISTURBED, SERVER_CORE

LIMIT = 20  # seconds that a driver may take
PROXY_PORT = 8888
WAY = matrix.LINE / 2000  # seconds


# ---------------------------------------------------------------------------- in the namespaces


class Place:
    """The server, the proxy and the line, and where names lead at the moment."""

    def __init__(self, tree):
        self.directory = tree + "/bench"
        self.ca = self.path("authority.pem")
        self.processes = []
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        self.name([])
        subprocess.run(["mount", "--bind", self.path("hosts"), "/etc/hosts"], check=True)
        self.start(sys.executable, line.__file__, str(WAY)).readline()
        server = self.start(self.directory + "/server", "--address", "0.0.0.0", "--tls", self.ca)
        self.port, self.tls_port = server.readline().split()
        with open(self.path("tinyproxy.conf"), "w", encoding="ascii") as file:
            file.write(f"Port {PROXY_PORT}\nLogLevel Error\n")
        self.start("tinyproxy", "-d", "-c", self.path("tinyproxy.conf"))
        self.wait_for(PROXY_PORT)

    def path(self, name):
        return f"{self.directory}/opening-{name}"

    def start(self, *command):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=pin(SERVER_CORE))
        self.processes.append(process)
        return process.stdout

    def wait_for(self, port):
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"nothing listens on port {port}")

    def name(self, names):
        """In one write: it is mounted, so it cannot be replaced."""
        with open(self.path("hosts"), "w", encoding="ascii") as file:
            file.write("127.0.0.1 localhost\n" + "".join(f"{to} {name}\n" for name, to in names))

    def used(self):
        return own_time() + sum(process_time(process.pid) for process in self.processes)

    def stop(self):
        for process in self.processes:
            process.terminate()
            process.wait()


def aim(place, opening, delay):
    """The driver's URL and environment; names lead to this machine, by the line when there is a delay."""
    there = line.PEER if delay else "127.0.0.1"
    place.name([(matrix.SILENT_NAME, line.SILENT), (matrix.SILENT_NAME, there), (matrix.NAME, there)])
    host = "127.0.0.1" if opening.proxy else matrix.SILENT_NAME if opening.silent else matrix.NAME
    scheme, port = ("wss", place.tls_port) if opening.tls else ("ws", place.port)
    environment = {"BENCH_WARM_URL": f"ws://{matrix.NAME}:{place.port}/hold"}
    if opening.tls:
        environment["BENCH_CA"] = place.ca
    if opening.proxy:
        environment["BENCH_PROXY"] = f"http://{matrix.NAME}:{PROXY_PORT}"
    return f"{scheme}://{host}:{port}/hold", environment


def run(place, opening, peer, delay):
    """seconds, or error, and others (cores)."""
    url, environment = aim(place, opening, delay)
    began, all_before, ours_before = time.monotonic(), machine_time(), place.used()
    try:
        result = subprocess.run(
            peer.command + ["open", url, "0", "2"],
            env={**os.environ, **peer.environment, **environment},
            preexec_fn=pin(CLIENT_CORE),
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"not open within {LIMIT} s"}
    if result.returncode:
        return {"error": (result.stderr.strip() or f"exit status {result.returncode}").split("\n")[0]}
    ours = place.used() - ours_before
    others = (machine_time() - all_before - ours) / (time.monotonic() - began)
    seconds = json.loads(result.stdout)["opened"][1 if opening.again else 0]
    return {"seconds": round(seconds, 6), "others": round(max(0.0, others), 3)}


def measure_cell(place, cell, peer, rounds, repeats):
    """A client that never gets to a second address is no failure of the bench's."""
    opening = matrix.OPENINGS[cell["mode"]]
    for _ in range(rounds):
        for _ in range(1 + repeats):
            result = run(place, opening, peer, cell["size"])
            if result.get("error"):
                cell["never" if opening.silent else "error"] = result["error"]
                return
            if result["others"] < DISTURBED:
                break
        cell["runs"].append(result)


def main():
    tree, rounds, repeats, modes, names = json.loads(sys.argv[1])
    every, place, cells = matrix.peers(tree), Place(tree), []
    try:
        for mode in modes:
            for delay in matrix.OPENINGS[mode].delays:
                for name in names:
                    if matrix.opens(every[name], mode):
                        cells.append({"mode": mode, "size": delay, "peer": name, "runs": []})
                        measure_cell(place, cells[-1], every[name], rounds, repeats)
    finally:
        place.stop()
    print(json.dumps(cells))


# ---------------------------------------------------------------------------- for bench/run


NAMESPACES = ["unshare", "--user", "--map-root-user", "--net", "--mount"]


def lacking():
    """What this machine lacks for it, or None."""
    for program in ("unshare", "ip", "tinyproxy"):
        if not shutil.which(program):
            return f"there is no {program}"
    if subprocess.run(NAMESPACES + ["ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode:
        return "no namespaces may be made"
    return None if os.path.exists("/dev/net/tun") else "there is no /dev/net/tun"


def measure(tree, modes, peers, options):
    """The cells."""
    problem = lacking()
    if problem:
        print(f"left out: {', '.join(modes)} ({problem})", file=sys.stderr)
        return []
    arguments = json.dumps([tree, options.rounds, options.repeats, modes, list(peers)])
    command = NAMESPACES + [sys.executable, __file__, arguments]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    print(f"opening: {options.elapsed():.0f} s", file=sys.stderr)
    return json.loads(result.stdout) if result.returncode == 0 else []


if __name__ == "__main__":
    main()
