"""An honest peer for the specs: Python's websockets, told what to do by lines on standard input.

It ends with its standard input, so it never outlives the specs. See server.lua for the commands.
"""

import argparse
import asyncio
import json
import logging
import os
import ssl
import sys
from urllib.parse import parse_qs, urlsplit

import websockets
from websockets.legacy.server import WebSocketServerProtocol


def question(path):
    """The query of a path, the first value of each name."""
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


class Protocol(WebSocketServerProtocol):
    def select_subprotocol(self, client_subprotocols, server_subprotocols):
        wanted = question(self.path).get("select")
        return wanted if wanted in client_subprotocols else client_subprotocols[0]


async def echo(ws):
    async for message in ws:
        await ws.send(message)


async def count(ws):
    """n messages: "1", "2" and so on, each filled up with dots to size bytes."""
    asked = question(ws.path)
    for number in range(1, int(asked.get("n", 10)) + 1):
        await ws.send(str(number).ljust(int(asked.get("size", 0)), "."))
    await ws.wait_closed()


async def protocols(ws):
    await ws.send(ws.subprotocol or "")
    await ws.wait_closed()


async def headers(ws):
    """The request's headers: names in lower case, values of the same name joined with commas."""
    names = {name.lower() for name in ws.request_headers}
    await ws.send(json.dumps({n: ", ".join(ws.request_headers.get_all(n)) for n in names}))
    await ws.wait_closed()


async def close(ws):
    asked = question(ws.path)
    await ws.close(int(asked.get("code", 1000)), asked.get("reason", ""))


MODES = {"/echo": echo, "/count": count, "/protocols": protocols, "/headers": headers, "/close": close}


class Server:
    def __init__(self, options):
        self.options = options
        self.port = options.port
        self.tls = self.make_tls()
        self.connections = set()
        self.server = None

    def make_tls(self):
        if not self.options.cert:
            return None
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.options.cert, self.options.key)
        if self.options.client_ca:
            tls.load_verify_locations(self.options.client_ca)
            tls.verify_mode = ssl.CERT_REQUIRED
        return tls

    async def handle(self, ws):
        self.connections.add(ws)
        try:
            await MODES.get(urlsplit(ws.path).path, echo)(ws)
        except websockets.ConnectionClosed:
            pass
        finally:
            self.connections.discard(ws)

    async def start(self):
        serving = await websockets.serve(
            self.handle,
            self.options.address,
            self.port,
            ssl=self.tls,
            create_protocol=Protocol,
            subprotocols=["any"],  # offered ones are looked at only when there are some here
            compression="deflate" if self.options.deflate else None,
            max_size=None,
            ping_interval=None,
        )
        self.server = serving.server
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self):
        """Listens no longer; connections stay."""
        self.server.close()

    async def drop(self):
        """Ends every TCP connection without a close frame."""
        for ws in list(self.connections):
            ws.transport.abort()

    async def close(self, code="1000", *reason):
        for ws in list(self.connections):
            asyncio.ensure_future(ws.close(int(code), " ".join(reason)))

    async def quit(self):
        os._exit(0)  # the client is in the thread that waits for us: no farewells

    async def obey(self, line):
        commands = {c.__name__: c for c in (self.start, self.stop, self.drop, self.close, self.quit)}
        name, *arguments = line.split()
        await commands[name](*arguments)


def announce(path, port):
    """Tells the port and our process id, all at once."""
    with open(path + ".new", "w") as file:
        file.write(f"{port} {os.getpid()}\n")
    os.rename(path + ".new", path)


async def lines_of(stream):
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stream)
    async for line in reader:
        yield line.decode()


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("announcement", help="the file to write the port to")
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--client-ca")
    parser.add_argument("--deflate", action="store_true")
    return parser.parse_args()


# asyncio's complaints about clients that have gone
logging.getLogger("asyncio").setLevel(logging.ERROR)


async def main():
    options = parse_arguments()
    server = Server(options)
    await server.start()
    announce(options.announcement, server.port)
    async for line in lines_of(sys.stdin):
        await server.obey(line)
    await server.quit()


asyncio.run(main())
