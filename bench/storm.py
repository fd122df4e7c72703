#!/usr/bin/python3
"""A server restarts, and all its clients come back: how many attempts a second that makes.

    bench/storm.py [--clients 1000000] [--real 1000] [--svg FILE]

Builds what it needs (into build/bench) and prints Markdown. First a simulation: the real session and
backoff of each client, on a virtual clock (bench/storm.c). Then real clients in one process, whose
server is killed and started again (bench/storm.lua). --clients 0 or --real 0 leaves one out. The
picture is of the simulation; that of a million goes into the guide.
"""
import argparse
import math
import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
STORM = BUILD + "/bench/storm"
PICTURE = ROOT + "/docs/images/storm.svg"
LUA = [os.environ.get("LUA", "lua5.4"), ROOT + "/bench/storm.lua"]
LUA_PATHS = {
    "LUA_PATH": f"{ROOT}/spec/?.lua;{BUILD}/?.lua;{BUILD}/?/init.lua;;",
    "LUA_CPATH": f"{BUILD}/?.so;;",
}

MILLION = 1000000
SPREAD, OUTAGE, RATE, BACKLOG, ROUND_TRIP = 1, 10, 20000, 4096, 0.05  # for a million clients
REAL_OUTAGE = 3
FILES_BESIDE = 100  # what a process has open besides its connections

AT_ONCE = {"--min-delay": 0, "--max-delay": 0, "--jitter": 0}
WITHOUT_JITTER = {"--jitter": 0}
DEFAULTS = {}
ROWS = {  # by name: the reconnect options, where they are not the defaults
    "at once, for ever (the JavaScript class)": AT_ONCE,
    "backoff without jitter (`jitter = 0`)": WITHOUT_JITTER,
    "the defaults": DEFAULTS,
    "`min_delay = 5`": {"--min-delay": 5},
}
REAL_ROWS = list(ROWS)[:3]


# ---------------------------------------------------------------------------- running


class Run:
    """What a storm was like: values by name, and (attempts, opened) for each tenth of a second."""

    def __init__(self, command, settings):
        words = [str(word) for setting in settings.items() for word in setting]
        result = subprocess.run(
            command + words, env={**os.environ, **LUA_PATHS}, capture_output=True, text=True
        )
        if result.returncode:
            sys.exit(f"{' '.join(command + words)}: {result.stderr.strip()}")
        self.values, self.bins = {}, []
        for line in result.stdout.splitlines():
            name, *numbers = line.split()
            if name == "bin":
                self.bins.append((int(numbers[1]), int(numbers[2])))
            else:
                self.values[name] = float(numbers[0])


def simulate(clients):
    """The runs by row, each on a core. A server of fewer clients is smaller by as much."""
    scale = clients / MILLION
    model = {
        "--clients": clients,
        "--spread": SPREAD,
        "--outage": OUTAGE,
        "--rate": RATE * scale,
        "--backlog": BACKLOG * scale,
        "--round-trip": ROUND_TRIP,
        "--bins": 1,
    }
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(ROWS, pool.map(lambda name: Run([STORM], {**model, **ROWS[name]}), ROWS)))


def storm(clients):
    """The runs of real clients by row, one after the other."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = clients + FILES_BESIDE
    if hard != resource.RLIM_INFINITY and hard < needed:
        sys.exit(f"{clients} clients need {needed} open files, and `ulimit -Hn` allows {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    model = {"--clients": clients, "--outage": REAL_OUTAGE}
    return {name: Run(LUA, {**model, **ROWS[name]}) for name in REAL_ROWS}


# ---------------------------------------------------------------------------- the tables


def short(value):
    for unit, name in ((1e6, " M"), (1e3, " k")):
        if value >= unit * 0.9995:
            return f"{value / unit:.3g}{name}"
    return f"{value:.0f}"


def seconds(value):
    return "never" if math.isinf(value) else f"{value:,.0f} s" if value >= 100 else f"{value:.3g} s"


def print_table(runs):
    """most in 0.1 s is that count, not a rate."""
    attempts = ["attempts", "most_in_a_second", "most_in_a_tenth"]
    columns = attempts + ["most_in_a_second_while_up", "most_in_a_tenth_while_up"]
    print("| | attempts | most in 1 s | in 0.1 s | server up: in 1 s | in 0.1 s | 50 % back | 99 % | all |")
    print("|---|" + "---:|" * 8)
    for name, run in runs.items():
        cells = [short(run.values[column]) for column in columns]
        cells += [seconds(run.values[f"back_{share}"]) for share in (50, 99, 100)]
        print(f"| {name} | " + " | ".join(cells) + " |")
    sys.stdout.flush()


# ---------------------------------------------------------------------------- the picture

WIDTH, HEIGHT = 800, 430
LEFT, RIGHT, TOP, BOTTOM = 62, 784, 62, 384  # of the plot
SECONDS = 100
LOWEST, DECADES = 1e3, 5  # attempts a second of a million clients

STYLE = """
    text { font: 13px system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", Arial, sans-serif; fill: #1f2937 }
    .title { font-size: 15px; font-weight: 600 }
    .small { font-size: 12px; fill: #4b5563 }
    .middle { text-anchor: middle }
    .end { text-anchor: end }
    .grid { stroke: #e5e7eb }
    .axis { stroke: #6b7280 }
    .rate { stroke: #4b5563; stroke-dasharray: 5 4 }
    .outage { fill: #f1f2f4 }
    .line { fill: none; stroke-width: 2; stroke-linejoin: round }
    .halo { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round }
"""
LINES = [  # the colour, and that of the words, of each row drawn, the one on top last; told apart by all eyes
    ("#d55e00", "#b84e00"),
    ("#3b8fd0", "#0b62a4"),
    ("#009e73", "#00795a"),
]


def x_of(second):
    return LEFT + (RIGHT - LEFT) * second / SECONDS


def y_of(rate):
    share = math.log10(max(rate, LOWEST) / LOWEST) / DECADES
    return BOTTOM - (BOTTOM - TOP) * share


def text(x, y, words, names="", more=""):
    names = f' class="{names}"' if names else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{names}{more}>{words}</text>'


def line(x1, y1, x2, y2, name):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{name}"/>'


def curve(run, colour, scale):
    """Steps: the rate of each tenth of a second from its beginning to its end."""
    points, last = [], None
    for i, (attempts, _) in enumerate(run.bins[: SECONDS * 10]):
        y = y_of(attempts * 10 / scale)
        if last is None or abs(y - last) > 0.05:
            if last is not None:
                points.append((x_of(i / 10), last))
            points.append((x_of(i / 10), y))
        last = y
    end = min(len(run.bins), SECONDS * 10) / 10
    points.append((x_of(end), last))
    if end < SECONDS:
        points.append((x_of(end), BOTTOM))
    path = "M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<path d="{path}" class="line" stroke="{colour}"/>'


def frame(scale):
    down = x_of(OUTAGE) - LEFT
    parts = [f'<rect x="{LEFT}" y="{TOP}" width="{down:.1f}" height="{BOTTOM - TOP}" class="outage"/>']
    for decade in range(DECADES + 1):
        rate = LOWEST * 10**decade
        y = y_of(rate)
        parts.append(line(LEFT, y, RIGHT, y, "axis" if decade == 0 else "grid"))
        parts.append(text(LEFT - 8, y + 4, ("≤ " if decade == 0 else "") + short(rate * scale), "small end"))
    for second in range(0, SECONDS + 1, 10):
        parts.append(line(x_of(second), BOTTOM, x_of(second), BOTTOM + 5, "axis"))
        parts.append(text(x_of(second), BOTTOM + 20, second, "small middle"))
    parts.append(text((LEFT + RIGHT) / 2, BOTTOM + 38, "seconds after the server went down", "small middle"))
    parts.append(text(x_of(OUTAGE / 2), TOP + 18, "server", "small middle"))
    parts.append(text(x_of(OUTAGE / 2), TOP + 33, "down", "small middle"))
    return parts


def label(second, rate, words, colour, names="halo"):
    return text(x_of(second), y_of(rate), words, names, f' style="fill: {colour}; font-weight: 600"')


def labels(runs, scale):
    at_once, without_jitter, defaults = runs
    back = [OUTAGE + run.values["back_100"] for run in runs]
    orange, blue, green = (words for _, words in LINES)
    minutes = f"{back[1] / 60:.0f} minutes" if back[1] > 120 else f"{back[1]:.0f} s"
    return [
        label(12, 2.9e7, f"at once, for ever: {short(at_once.values['most_in_a_second'])} a second", orange),
        label(back[0] + 1.5, 4e6, f"all back at {back[0]:.0f} s", orange),
        label(64.5, 5.5e5, "without jitter, every 30 s;", blue),
        label(64.5, 3e5, f"all back after {minutes}", blue),
        label(18.2, 2.3e5, "the defaults", green),
        label(68.5, 8e3, f"all back at {back[2]:.0f} s", green),
        line(x_of(OUTAGE), y_of(RATE), RIGHT, y_of(RATE), "rate"),
        text(x_of(18.2), y_of(RATE) + 16, "server accepts", "small halo"),
        text(x_of(18.2), y_of(RATE) + 31, f"{short(RATE * scale)} a second", "small halo"),
    ]


def picture(runs, clients):
    """The three policies; a fourth row of the table would hide behind the third."""
    drawn = list(runs.values())[: len(LINES)]
    title = f"Connection attempts a second, {clients:,} clients"
    description = (
        "Attempts a second, on a logarithmic scale, over the seconds after a server with all these clients "
        f"went down for {OUTAGE} seconds."
    )
    for name, run in zip(ROWS, drawn):
        most, back = short(run.values["most_in_a_second"]), OUTAGE + run.values["back_100"]
        description += f" With {name.replace('`', '')}: at most {most} in a second, all back after {back:.0f} seconds."
    # Drawn first is what covers most.
    scale = clients / MILLION
    parts = frame(scale) + [curve(run, colour, scale) for run, (colour, _) in zip(drawn, LINES)]
    parts += labels(drawn, scale)
    parts.append(text(18, 32, title + " (a simulation)", "title"))
    body = "\n".join("  " + part for part in parts)
    border = f'width="{WIDTH - 1.5}" height="{HEIGHT - 1.5}" rx="10" fill="#ffffff" stroke="#d1d5db"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-labelledby="title desc">\n  <title id="title">{title}</title>\n'
        f'  <desc id="desc">{description}</desc>\n  <style>{STYLE}  </style>\n'
        f'  <rect x="0.75" y="0.75" {border}/>\n{body}\n</svg>\n'
    )


# ---------------------------------------------------------------------------- all of it


def print_simulation(clients, svg):
    began = time.monotonic()
    runs = simulate(clients)
    took = time.monotonic() - began
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    scale = clients / MILLION
    print(f"\n{clients:,} simulated clients\n")
    print(
        "Model: all are open for long. At 0 the server goes down, and they lose their connections evenly\n"
        f"over {SPREAD} s. Attempts are refused until {OUTAGE} s. Then the server accepts {RATE * scale:,.0f}\n"
        f"connections a second, and {BACKLOG * scale:,.0f} more may wait for that; what comes over it is\n"
        f"refused, which costs the server nothing. A round trip takes {1000 * ROUND_TRIP:.0f} ms: a refusal takes\n"
        "one, a connection two and its wait. Times of coming back are from when the server is up; it could\n"
        f"have accepted all in {MILLION / RATE:.0f} s.\n"
    )
    print_table(runs)
    print(f"\n{took:.0f} s, {memory:.0f} MiB for each row.")
    if svg:
        with open(svg, "w") as file:
            file.write(picture(runs, clients))


def print_storm(clients):
    print(f"\n{clients:,} real clients in one process\n")
    print(
        "The server, a process of Python's websockets, is killed and started again "
        f"{REAL_OUTAGE} s later; times are from when it listens.\n"
    )
    print_table(storm(clients))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=MILLION, help="simulated ones")
    parser.add_argument("--real", type=int, default=1000, metavar="CLIENTS")
    parser.add_argument("--svg", help="where the picture goes")
    options = parser.parse_args()
    make = ["make", "-s", "-C", ROOT, "BUILD=" + os.path.relpath(BUILD, ROOT), "all"]
    if subprocess.run(make + [os.path.relpath(STORM, ROOT)], stdout=sys.stderr).returncode:
        sys.exit("the build failed")
    if options.clients:
        print_simulation(options.clients, options.svg or (PICTURE if options.clients == MILLION else None))
    if options.real:
        print_storm(options.real)


main()
