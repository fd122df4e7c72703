"""A line with delay, for a network namespace of its own: a TUN device whose packets come back later.

    bench/line.py SECONDS

A packet to PEER comes back after so long, from PEER, with both addresses exchanged: what is listened to on
HERE is reached at PEER, and each way takes that long, for the SYN as for all that follows. Nothing comes
back from SILENT. (The kernel's own delay, netem, is not in every kernel.) Prints "ready".
"""
import collections
import fcntl
import os
import select
import struct
import subprocess
import sys
import time

HERE, PEER, SILENT = "10.9.0.1", "10.9.0.2", "10.9.0.3"
NAME = "line"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h
LONGEST = 65536


def address(text):
    return bytes(map(int, text.split(".")))


def open_device():
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", NAME.encode(), IFF_TUN | IFF_NO_PI))
    subprocess.run(["ip", "address", "add", HERE + "/24", "dev", NAME], check=True)
    subprocess.run(["ip", "link", "set", NAME, "up"], check=True)
    return device


def exchanged(packet):
    """The checksums stay right: they are sums, of the same words."""
    return packet[:12] + packet[16:20] + packet[12:16] + packet[20:]


def take(device, waiting, delay):
    try:
        while True:
            packet = os.read(device, LONGEST)
            if packet[0] >> 4 == 4 and packet[16:20] == address(PEER):
                waiting.append((time.monotonic() + delay, exchanged(packet)))
    except BlockingIOError:
        pass


def run(device, delay):
    waiting = collections.deque()
    while True:
        left = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        if select.select([device], [], [], left)[0]:
            take(device, waiting, delay)
        while waiting and waiting[0][0] <= time.monotonic():
            os.write(device, waiting.popleft()[1])


def main():
    device = open_device()
    print("ready", flush=True)
    run(device, float(sys.argv[1]))


if __name__ == "__main__":
    main()
