"""The machine: what it is, what runs on it, and who uses its cores."""
import os
import platform
import re
import resource
import subprocess
import time

from matrix import LUA, PYTHON, ROOT

TICK = os.sysconf("SC_CLK_TCK")
CARGO = ROOT + "/bench/peers/tungstenite/Cargo.toml"
LIBWEBSOCKETS = "libwebsockets, at run time"


def pin(core):
    """What binds a child process to this core; nothing where that cannot be done."""
    if not hasattr(os, "sched_setaffinity") or os.cpu_count() < 2:
        return None
    return lambda: os.sched_setaffinity(0, {core})


def machine_time():
    """Seconds that the cores were busy, time stolen by the host included. 0 where /proc is not."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _, _, irq, softirq, steal = file.readline().split()[1:9]
    except OSError:
        return 0.0
    return sum(map(int, (user, nice, system, irq, softirq, steal))) / TICK


def process_time(pid):
    """Seconds of CPU time of a process and the children it has waited for."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICK


def own_time():
    """The same for this process and its children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


# ---------------------------------------------------------------------------- what it is


def said(*command, environment=None):
    """The first line of what a command prints; "" when it fails."""
    try:
        result = subprocess.run(
            command,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return (result.stdout.strip() or result.stderr.strip()).split("\n")[0]


def found(pattern, path):
    try:
        with open(path, encoding="utf-8") as file:
            match = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        return ""
    return match.group(1) if match else ""


def package(name):
    """The version of a package of Debian's."""
    return said("dpkg-query", "--show", "--showformat=${Version}", name)


def description():
    memory = found(r"^MemTotal:\s+(\d+)", "/proc/meminfo")
    return {
        "CPU": found(r"^model name\s*: (.*)$", "/proc/cpuinfo") or platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{int(memory) / (1 << 20):.0f} GiB" if memory else "",
        "kernel": f"{platform.system()} {platform.release()}",
        "system": found(r'^PRETTY_NAME="(.*)"$', "/etc/os-release"),
    }


def versions(environments, measured):
    """Of what was measured, and what it stands on; environments and names of peers."""
    ours, node = environments["steadysocket"], environments["ws"]
    module = "print(require('steadysocket').%s)"
    node_module = "console.log(require('%s/package.json').version)"
    every = [  # what for, or None
        (None, "steadysocket", lambda: said(LUA, "-e", module % "version", environment=ours)),
        (None, LIBWEBSOCKETS, lambda: said(LUA, "-e", module % "libwebsockets", environment=ours).rstrip("-")),
        (None, "Lua", lambda: said(LUA, "-v").removeprefix("Lua ").partition("  ")[0]),
        (None, "OpenSSL", lambda: said("openssl", "version").removeprefix("OpenSSL ").partition(" (")[0]),
        (None, "libuv", lambda: said("pkg-config", "--modversion", "libuv")),
        (None, "C compiler", lambda: said(os.environ.get("CC", "cc"), "--version")),
        ("tungstenite", "tungstenite", lambda: found(r'^tungstenite = .*"=([\d.]+)"', CARGO)),
        ("gorilla", "gorilla/websocket", lambda: package("golang-github-gorilla-websocket-dev")),
        ("nhooyr", "nhooyr.io/websocket", lambda: package("golang-nhooyr-websocket-dev")),
        ("gorilla", "Go", lambda: said("go", "version").removeprefix("go version ")),
        ("ws", "ws", lambda: said("node", "-e", node_module % "ws", environment=node)),
        ("ws", "bufferutil", lambda: said("node", "-e", node_module % "bufferutil", environment=node)),
        ("ws", "Node", lambda: said("node", "--version")),
        ("websockets", "websockets", lambda: said(PYTHON, "-c", "import websockets; print(websockets.__version__)")),
        ("websockets", "Python", lambda: said(PYTHON, "--version").removeprefix("Python ")),
        ("lua-http", "lua-http", lambda: package("lua-http")),
    ]
    known = {name: ask() for peer, name, ask in every if peer is None or peer in measured}
    return {name: version for name, version in known.items() if version}


def commit():
    """With a + when what is measured, or measures, is not as committed."""
    name = said("git", "rev-parse", "--short", "HEAD")
    return name + ("+" if name and said("git", "status", "--porcelain", "src", "bench", "Makefile") else "")


def today():
    return time.strftime("%Y-%m-%d")
