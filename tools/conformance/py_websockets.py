"""Python's websockets, run through the cases: py_websockets.py PORT CASES, where CASES is a file with a
JSON list of what the client is told in each (see spec/conformance/cases.lua). Prints a line of JSON for
each: what it has seen."""
import asyncio
import base64
import json
import logging
import sys
import zlib

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

AT_ONCE = 24  # connections
LIMIT = 20  # seconds for a case

port = int(sys.argv[1])
with open(sys.argv[2], encoding="utf-8") as file:
    cases = json.load(file)
logging.disable(logging.CRITICAL)


def encoded(data):
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def extensions(parameters):
    return None if parameters is None else [ClientPerMessageDeflateFactory(**parameters)]


async def echo(ws, data, told):
    try:
        await ws.send(data)
    except (ValueError, zlib.error) as error:
        told["error"] = f"zlib: {error}"


async def talk(ws, case, told):
    async for data in ws:
        told["messages"].append(["text" if isinstance(data, str) else "binary", encoded(data)])
        if case.get("echo"):
            await echo(ws, data, told)
        if "closes" in case:
            await ws.close(*case["closes"])


async def play(number, case, told):
    ws = None
    try:
        ws = await websockets.connect(
            f"ws://127.0.0.1:{port}/{number}",
            compression=None,
            extensions=extensions(case.get("compression")),
            subprotocols=case.get("protocols"),
            open_timeout=case.get("timeout", 5),
            ping_interval=None,
            max_size=1 << 24,
        )
        told["opened"] = True
        await talk(ws, case, told)
    except Exception as error:  # whatever it is, it is what came of the case
        told["error"] = f"{type(error).__name__}: {error}"
    finally:
        if ws:
            await ws.wait_closed()
            told["close"] = [ws.close_code, encoded(ws.close_reason or "")]


async def work(numbers):
    for number in numbers:
        told = {"number": number, "opened": False, "messages": []}
        try:
            await asyncio.wait_for(play(number, cases[number - 1], told), LIMIT)
        except asyncio.TimeoutError:
            told["error"] = "nothing came of it"
        print(json.dumps(told), flush=True)


async def main():
    numbers = iter(range(1, len(cases) + 1))
    await asyncio.gather(*(work(numbers) for _ in range(AT_ONCE)))


asyncio.run(main())
