"""What is measured: the modes with their sizes, and the peers with the modes they take part in."""
import os
import subprocess
from dataclasses import dataclass, field

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HERE = ROOT + "/bench/peers"
LUA = os.environ.get("LUA", "lua5.4")
PYTHON = "/usr/bin/python3"  # Debian's, which has python3-websockets; another may be in PATH

SIZES = (16, 128, 1024, 65536, 1048576)
TLS_SIZES = (16, 1024, 65536)
DEFLATE_SIZES = (1024, 16384)
CONFIRM_SIZE = 1024
BUSY_SIZE = 128
GROWTH = (1000, 5000, 14000)  # with still more, Linux looks long for a free port to connect from

OURS = "steadysocket"
BARE = "bare"


@dataclass
class Mode:
    title: str
    driver: str  # its mode
    path: str
    sizes: tuple  # of messages; in busy the number of idle connections, in conn-growth of all
    tls: bool = False
    texts: bool = False
    one_core: bool = False  # both ends on one: on two, most of the time would go into waking them up
    peers: tuple = ()  # where not all that have the driver's mode


LIBRARIES = ("gorilla", "nhooyr", "ws", "websockets")

DEFLATE = {
    "sizes": DEFLATE_SIZES,
    "texts": True,
    "peers": ("steadysocket-deflate", OURS) + LIBRARIES,
}

MODES = {
    "rx": Mode("Receiving", "rx", "/flood", SIZES),
    "tx": Mode("Sending", "tx", "/sink", SIZES),
    "rtt": Mode("Round trips", "rtt", "/echo", SIZES, one_core=True),
    "tls-rx": Mode("Receiving over TLS", "rx", "/flood", TLS_SIZES, tls=True),
    "tls-tx": Mode("Sending over TLS", "tx", "/sink", TLS_SIZES, tls=True),
    "tls-rtt": Mode("Round trips over TLS", "rtt", "/echo", TLS_SIZES, tls=True, one_core=True),
    "deflate-rx": Mode("Receiving JSON, compressed", "rx", "/flood", **DEFLATE),
    "deflate-tx": Mode("Sending JSON, compressed", "tx", "/sink", **DEFLATE),
    "confirm": Mode(
        "Confirmed delivery", "tx", "/sink", (CONFIRM_SIZE,), peers=("steadysocket-confirm", OURS)
    ),
    "conn": Mode("Many connections", "conn", "/hold", (0,)),
    "conn-growth": Mode("More and more connections", "conn", "/hold", GROWTH, peers=(OURS, BARE)),
    "busy": Mode("Busy connections beside idle ones", "busy", "/echo", (0, 5000)),
}


LINE = 100  # ms of a round trip, on the line with delay
NAME, SILENT_NAME = "server.test", "two.test"  # the second one's first address is silent


@dataclass
class Opening:
    """A way to open a connection; see opening.py. Its sizes are the delays."""

    title: str
    tls: bool = False
    again: bool = False  # not the first time in that process
    proxy: bool = False
    silent: bool = False  # the first of two addresses
    delays: tuple = (0, LINE)  # ms


OPENINGS = {
    "open": Opening("`ws`", again=True),
    "open-tls": Opening("`wss`, new", tls=True),
    "open-tls-again": Opening("`wss`, again", tls=True, again=True),
    "open-proxy": Opening("`ws` through an HTTP proxy", proxy=True, again=True),
    "open-silent": Opening("`ws`, the first of two addresses silent", silent=True, delays=(LINE,)),
}


@dataclass
class Peer:
    title: str
    command: list
    modes: tuple = ("rx", "tx", "rtt", "conn", "busy")  # of its driver
    environment: dict = field(default_factory=dict)
    needs: str = ""  # a file that has to be there
    tries: tuple = ()  # a command that has to succeed
    tls: bool = True
    opens: bool = False  # takes part in the openings
    proxies: bool = False  # by itself
    ceiling: bool = False  # no WebSocket library: what one could reach at most
    variant: bool = False  # measured only where a mode names it
    utf8: str = "yes"  # whether it checks text
    longer: int = 1  # times as long as others


def lua_path():
    """For Debian's packages: those for an older Lua run with 5.4 too."""
    return os.environ.get("LUA_PATH", "") + ";;" + subprocess.check_output(ROOT + "/tools/lua-path", text=True).strip()


def peers(build):
    """By name, in the order of the tables."""
    programs = build + "/bench/"
    ours = {
        "LUA_PATH": f"{build}/?.lua;{build}/?/init.lua;;",
        "LUA_CPATH": f"{build}/?.so;;",
    }
    module = [LUA, HERE + "/steadysocket.lua"]
    speed = ("rx", "tx", "rtt")
    lua_http = {"LUA_PATH": lua_path()}
    return {
        OURS: Peer("**steadysocket**", module, environment=ours, opens=True, proxies=True),
        "steadysocket-deflate": Peer(
            "**steadysocket**, compression", module, environment={**ours, "BENCH_DEFLATE": "1"}, variant=True
        ),
        "steadysocket-confirm": Peer(
            "**steadysocket**, confirm", module, environment={**ours, "BENCH_CONFIRM": "1"}, variant=True
        ),
        BARE: Peer("bare socket (C)", [programs + "bare"], needs=programs + "bare", ceiling=True, utf8="no"),
        "transport": Peer(
            "our transport and core (C)",
            [programs + "transport"],
            speed,
            needs=programs + "transport",
            tls=False,
            ceiling=True,
        ),
        "transport-lua": Peer(
            "the same, and a Lua call each",
            [programs + "transport"],
            ("rx", "tx"),
            {"BENCH_LUA": "1"},
            needs=programs + "transport",
            tls=False,
            ceiling=True,
        ),
        "libwebsockets": Peer(
            "libwebsockets (C)", [programs + "libwebsockets"], needs=programs + "libwebsockets", utf8="no"
        ),
        "tungstenite": Peer(
            "tungstenite (Rust)", [programs + "tungstenite"], speed + ("conn",), needs=programs + "tungstenite"
        ),
        "gorilla": Peer("gorilla (Go)", [programs + "gorilla"], needs=programs + "gorilla", utf8="no"),
        "nhooyr": Peer("nhooyr (Go)", [programs + "nhooyr"], needs=programs + "nhooyr", utf8="no"),
        "ws": Peer(
            "ws (Node)",
            ["node", HERE + "/node_ws.js"],
            environment={"NODE_PATH": programs + "node/node_modules"},
            needs=programs + "node/node_modules/ws",
            opens=True,
            longer=3,  # for its compiler: after half a second it is not yet at full speed
        ),
        "websockets": Peer(
            "websockets (Python)",
            [PYTHON, HERE + "/py_websockets.py"],
            tries=(PYTHON, "-c", "import websockets"),
            opens=True,
        ),
        "lua-http": Peer(
            "lua-http (Lua)",
            [LUA, HERE + "/lua_http.lua"],
            environment=lua_http,
            tries=(LUA, "-e", "require 'http.websocket'"),
        ),
        "lua-websockets": Peer(
            "lua-websockets (Lua)",
            [LUA, HERE + "/lua_websockets.lua"],
            speed + ("conn",),
            tries=(LUA, "-e", "require 'websocket.frame'"),
            tls=False,  # which it has, but TCP_NODELAY cannot be set then
            utf8="no",
        ),
    }


def missing(peer):
    """What a peer lacks here, or None."""
    if peer.needs and not os.path.exists(peer.needs):
        return "it is not built"
    if peer.tries:
        environment = {**os.environ, **peer.environment}
        if subprocess.run(peer.tries, env=environment, capture_output=True, check=False).returncode:
            return f"{' '.join(peer.tries)} fails"
    return None


def takes_part(name, peer, mode):
    if mode.peers:
        return name in mode.peers
    return mode.driver in peer.modes and not peer.variant and (peer.tls or not mode.tls)


def opens(peer, mode):
    return peer.opens and not peer.variant and (peer.proxies or not OPENINGS[mode].proxy)
