"""A bad line between two network namespaces: two TUN devices, and this program between them.

    bad_line.py ANNOUNCEMENT HERE THERE HERE_ADDRESS THERE_ADDRESS --loss 0.2 --delay 0.05 --jitter 0.02

It is for kernels without netem. Each packet is lost with the probability given, or arrives after a
delay drawn evenly from delay - jitter to delay + jitter seconds, so packets overtake each other. By
SIGUSR1 the line swallows everything, by SIGUSR2 it goes on as before. It ends with its standard
input, so it never outlives the specs. When the line is up, its process id is in ANNOUNCEMENT.
"""

import argparse
import ctypes
import fcntl
import heapq
import itertools
import os
import random
import select
import signal
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
NAME = "badline"


def enter(namespace):
    """os.setns is there from Python 3.12 on only."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"no way into {namespace}")


def make_end(namespace, address, peer):
    """A TUN device in the namespace, up; what is sent through it is read from the descriptor."""
    enter(namespace)
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH22x", NAME.encode(), IFF_TUN | IFF_NO_PI))
    for command in f"addr add {address} peer {peer} dev {NAME}", f"link set {NAME} up":
        subprocess.run(["ip", *command.split()], check=True)
    return end


class Line:
    def __init__(self, options, ends):
        self.options = options
        self.ends = ends
        self.random = random.Random(options.seed)
        self.numbers = itertools.count()
        self.under_way = []  # (when it arrives, number, at which end, packet)
        self.swallows = False

    def take(self, end):
        """Packets that were sent at this end, as far as they are not lost."""
        options = self.options
        other = self.ends[1 - self.ends.index(end)]
        while True:
            try:
                packet = os.read(end, 65536)
            except BlockingIOError:
                return
            if self.swallows or self.random.random() < options.loss:
                continue
            delay = options.delay + self.random.uniform(-options.jitter, options.jitter)
            heapq.heappush(self.under_way, (time.monotonic() + delay, next(self.numbers), other, packet))

    def deliver(self):
        """What has arrived; returns the seconds until the next packet does, None: there is none."""
        while self.under_way:
            left = self.under_way[0][0] - time.monotonic()
            if left > 0:
                return left
            _, _, end, packet = heapq.heappop(self.under_way)
            os.write(end, packet)
        return None

    def run(self):
        while True:
            readable, _, _ = select.select([*self.ends, sys.stdin], [], [], self.deliver())
            if sys.stdin in readable:
                return
            for end in readable:
                self.take(end)


def parse_arguments():
    parser = argparse.ArgumentParser()
    for name in "announcement", "here", "there", "here_address", "there_address":
        parser.add_argument(name)
    for name in "loss", "delay", "jitter":
        parser.add_argument("--" + name, type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    options = parse_arguments()
    here, there = options.here_address, options.there_address
    line = Line(options, [make_end(options.here, here, there), make_end(options.there, there, here)])
    signal.signal(signal.SIGUSR1, lambda *_: setattr(line, "swallows", True))
    signal.signal(signal.SIGUSR2, lambda *_: setattr(line, "swallows", False))
    with open(options.announcement + ".new", "w") as file:
        file.write(f"{os.getpid()}\n")
    os.rename(options.announcement + ".new", options.announcement)
    line.run()


main()
