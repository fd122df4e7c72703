"""An honest peer for the specs: Python's websockets, told what to do by lines on standard input.

It ends with its standard input, so it never outlives the specs. See server.lua for the commands.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import logging
import os
import random
import signal
import ssl
import sys
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

sys.dont_write_bytecode = True
import interface
import websockets


def question(path):
    """The query of a path, the first value of each name."""
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


tokens = set()  # those that log in at /private


def credentials(headers, scheme):
    """What an Authorization header of this scheme says, or None."""
    given, _, value = headers.get("Authorization", "").partition(" ")
    return value if given == scheme else None


class Connection(interface.Connection):
    tokens_made = 0
    made = 0

    def connection_made(self, transport):
        Connection.made += 1
        super().connection_made(transport)

    def answer(self, path, headers):
        """/token, /private and /moved: an HTTP answer instead of the upgrade, or None."""
        if urlsplit(path).path == "/moved":
            return HTTPStatus.FOUND, "", {"Location": question(path)["to"], "Set-Cookie": "a=b"}
        if urlsplit(path).path == "/token":
            if credentials(headers, "Basic") != base64.b64encode(b"user:secret").decode():
                return HTTPStatus.UNAUTHORIZED, "who is there?\n", {}
            Connection.tokens_made += 1
            token = f"token-{Connection.tokens_made}"
            tokens.add(token)
            return HTTPStatus.OK, token, {}
        if urlsplit(path).path == "/private" and credentials(headers, "Bearer") not in tokens:
            return HTTPStatus.UNAUTHORIZED, "this token is not valid, or not any more\n", {}
        return None

    def has_read(self, text):
        """With file= in the path: as soon as a message is read, in the layer that answers pings."""
        file = question(self.path).get("file")
        if file:
            with open(file, "a") as record:
                record.write(text + "\n")

    def select(self, offered):
        wanted = question(self.path).get("select")
        return wanted if wanted in offered else offered[0]


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
    names = {name.lower() for name in ws.headers}
    await ws.send(json.dumps({n: ", ".join(ws.headers.get_all(n)) for n in names}))
    await ws.wait_closed()


async def connections(ws):
    """How many the server has had, this one included, also those that broke off."""
    await ws.send(str(Connection.made))
    await ws.wait_closed()


async def reset(ws):
    """Breaks the connection off in the middle of what the client sends."""
    await ws.recv()
    ws.transport.abort()


async def close(ws):
    asked = question(ws.path)
    await ws.close(int(asked.get("code", 1000)), asked.get("reason", ""))


async def prices(ws):
    """Each message subscribes to the symbol that is its last word: "EUR/USD 1.2345", and again."""
    every = float(question(ws.path).get("every", 0.2))
    symbols = []

    async def tell():
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                for symbol in symbols:
                    await ws.send(f"{symbol} {random.uniform(1, 2):.4f}")
                await asyncio.sleep(every)

    telling = asyncio.ensure_future(tell())
    try:
        async for message in ws:
            symbols.append(message.split()[-1])
    finally:
        telling.cancel()


async def private(ws):
    """Says with which token one came in, then echoes."""
    await ws.send("welcome, " + credentials(ws.headers, "Bearer"))
    await echo(ws)


MODES = {
    "/echo": echo,
    "/count": count,
    "/protocols": protocols,
    "/headers": headers,
    "/connections": connections,
    "/reset": reset,
    "/close": close,
    "/prices": prices,
    "/private": private,
}


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
        self.server = await interface.serve(
            self.handle,
            self.options.address,
            self.port,
            Connection,
            ssl=self.tls,
            compression="deflate" if self.options.deflate else None,
            max_size=None,
            ping_interval=None,
        )
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

    async def expire(self):
        """No token made so far logs in any more."""
        tokens.clear()

    async def quit(self):
        os._exit(0)  # the client is in the thread that waits for us: no farewells

    async def obey(self, line):
        known = (self.start, self.stop, self.drop, self.close, self.expire, self.quit)
        commands = {command.__name__: command for command in known}
        name, *arguments = line.split() or [""]
        if name in commands:
            await commands[name](*arguments)
        else:
            print(f'"{name}" is no command; there are {", ".join(commands)}', file=sys.stderr)


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


# Complaints about clients that have gone: asyncio's, and from 13 on those of websockets.
logging.getLogger("asyncio").setLevel(logging.ERROR)
logging.getLogger("websockets.server").addFilter(lambda record: record.msg != "opening handshake failed")


async def main():
    options = parse_arguments()
    server = Server(options)
    await server.start()
    announce(options.announcement, server.port)
    async for line in lines_of(sys.stdin):
        await server.obey(line)
    await server.quit()


signal.signal(signal.SIGINT, signal.SIG_DFL)  # people start it by hand, too
asyncio.run(main())
