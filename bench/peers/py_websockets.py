"""Python's websockets, with asyncio; driver.h says what a driver is."""
import asyncio
import itertools
import json
import os
import resource
import ssl
import sys
import time

import websockets

HANDSHAKES = 64
BUSY = 100

mode, url, size, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
options = {
    "compression": "deflate" if os.environ.get("BENCH_DEFLATE") == "1" else None,
    "max_size": None,
}
if "BENCH_CA" in os.environ:
    options["ssl"] = ssl.create_default_context(cafile=os.environ["BENCH_CA"])

text = "x" * size
before = {}


def fail(what):
    sys.stderr.write(f"websockets: {what}\n")
    sys.stderr.flush()
    os._exit(1)


def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def clock():
    before.update(kib=resident(), cpu=cpu(), seconds=time.perf_counter())


def done():
    now = {"seconds": time.perf_counter(), "cpu": cpu(), "kib": resident()}
    print(json.dumps({name: now[name] - before[name] for name in now}), flush=True)
    os._exit(0)


def texts():
    path = os.environ.get("BENCH_TEXTS")
    if not path:
        return itertools.repeat(text)
    with open(path) as file:
        return itertools.cycle(file.read().splitlines())


def check(data):
    if len(data) != size:
        fail("a message of the wrong size")


def dial(to):
    return websockets.connect(to, **options)


async def open_all(number, to):
    held, numbers = [], iter(range(number))

    async def work():
        for _ in numbers:
            held.append(await dial(to))

    await asyncio.gather(*(work() for _ in range(HANDSHAKES)))
    return held


async def rx():
    ws = await dial(url)
    clock()
    await ws.send("go")
    for _ in range(count):
        check(await ws.recv())
    done()


async def tx():
    ws, messages = await dial(url), texts()
    clock()
    for _ in range(count):
        await ws.send(next(messages))
    answer = await ws.recv()
    if answer != "end":
        fail(f"the server says: {answer}")
    done()


async def rtt():
    ws = await dial(url)
    clock()
    for _ in range(count):
        await ws.send(text)
        check(await ws.recv())
    done()


async def conn():
    clock()
    held = await open_all(count, url)
    assert len(held) == count
    done()


async def open():
    opened = []
    for to in [os.environ["BENCH_WARM_URL"]] + [url] * count:
        secure = {"ssl": options.get("ssl")} if to.startswith("wss") else {"ssl": None}
        began = time.perf_counter()
        try:
            ws = await websockets.connect(to, **{**options, **secure})
        except Exception as failure:  # pylint: disable=broad-except
            fail(f"{failure!r} after {time.perf_counter() - began:.0f} s")
        opened.append(time.perf_counter() - began)
        await ws.close()
    print(json.dumps({"opened": opened[1:]}), flush=True)
    os._exit(0)


async def busy():
    numbers, received = iter(range(count)), 0

    async def trade(ws):
        nonlocal received
        for _ in numbers:
            await ws.send(text)
            check(await ws.recv())
            received += 1
            if received == count:
                done()

    idle = await open_all(int(os.environ.get("BENCH_IDLE", 0)), os.environ.get("BENCH_HOLD_URL"))
    clients = await open_all(BUSY, url)
    clock()
    await asyncio.gather(*map(trade, clients))
    assert idle is not None


asyncio.run(globals()[mode]())
