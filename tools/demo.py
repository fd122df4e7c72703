"""Shows examples/echo.lua against a server that goes away and comes back: over ws, then over wss."""

import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once, until main() begins

import asyncio
import contextlib
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile

import websockets

UP, DOWN = 1, 1  # seconds: from the first message to the outage, and its length
LIMIT = 25  # seconds for everything


def say(text):
    print(f"--- {text}", flush=True)


def make_certificate(folder):
    """A certificate for localhost that vouches for itself, so it is also the CA file."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        + ["-keyout", key, "-out", cert],
        check=True,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return cert, key


class EchoServer:
    def __init__(self, tls=None):
        self.tls = tls
        self.port = 0  # any free one the first time, the same again later
        self.clients = set()
        self.echoed = asyncio.Event()

    async def up(self):
        self.server = await websockets.serve(self.echo, "127.0.0.1", self.port, ssl=self.tls)
        self.port = next(iter(self.server.sockets)).getsockname()[1]

    async def down(self):
        """As when a machine dies: no close frames, and nothing listens any more."""
        for client in self.clients:
            client.transport.abort()
        self.server.close()
        await self.server.wait_closed()

    async def echo(self, client, path=None):  # path: websockets before 10.1 passes it
        self.clients.add(client)
        with contextlib.suppress(websockets.ConnectionClosed):
            async for message in client:
                await client.send(message)
                self.echoed.set()
        self.clients.discard(client)


async def outage(server):
    await server.echoed.wait()
    await asyncio.sleep(UP)
    say("the server goes down")
    await server.down()
    await asyncio.sleep(DOWN)
    await server.up()
    say("the server is up again")


async def run(server, url, *arguments):
    """Runs the example with one outage; its exit status."""
    command = [os.environ.get("LUA", "lua5.4"), "examples/echo.lua", url, *arguments]
    command.append("--until-reconnected")
    say(" ".join(command))
    child = await asyncio.create_subprocess_exec(*command)
    task = asyncio.create_task(outage(server))
    try:
        return await child.wait()
    finally:
        task.cancel()
        if child.returncode is None:
            child.kill()
            await child.wait()


async def demo(cert, key):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    plain, secure = EchoServer(), EchoServer(tls)
    await plain.up()
    await secure.up()
    say(f"echo servers: ws on port {plain.port}, wss on port {secure.port}")
    status = await run(plain, f"ws://localhost:{plain.port}")
    if status == 0:
        status = await run(secure, f"wss://localhost:{secure.port}", str(cert))
    return status


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory() as folder:
            # Outside of asyncio, whose answer to Ctrl-C would come after openssl had failed by it.
            cert, key = make_certificate(pathlib.Path(folder))
            status = asyncio.run(asyncio.wait_for(demo(cert, key), LIMIT))
    except asyncio.TimeoutError:
        say(f"not done after {LIMIT} seconds: given up")
        status = 1
    except KeyboardInterrupt:
        status = 130
    sys.exit(status if status >= 0 else 128 - status)  # negative: ended by a signal


main()
