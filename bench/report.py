"""What was measured, as Markdown and charts."""
import os
import statistics
import textwrap

import charts
import matrix
from machine import LIBWEBSOCKETS
from measure import DISTURBED

IMAGES = "docs/images"
CHARTS = {"rx": "bench-receive.svg", "tx": "bench-send.svg", "rtt": "bench-round-trip.svg"}
SPEED = ("rx", "tx", "rtt", "tls-rx", "tls-tx", "tls-rtt")

EXPLAINED = {
    "rx": "Messages received a second, each as a string of the language.",
    "tx": "Messages sent a second, until the server says that it has them all.",
    "rtt": "Round trips a second, one message in flight, both ends on one core.",
    "tls-rx": "As above, over TLS, with the certificate verified.",
}


class Results:
    """Figures by mode, size and peer: medians of the undisturbed runs, where there are any."""

    def __init__(self, data):
        self.data = data
        self.cells = {(c["mode"], c["size"], c["peer"]): c for c in data["cells"]}
        self.titles = {name: peer.title for name, peer in matrix.peers("").items()}

    def cell(self, mode, size, peer):
        cell = self.cells.get((mode, size, peer))
        return cell if cell and cell["runs"] else None

    def sizes(self, mode):
        return sorted({size for name, size, _ in self.cells if name == mode})

    def peers(self, mode, ceilings=True):
        """Those that were measured in it, in the order of the tables."""
        present = {peer for name, size, peer in self.cells if name == mode and self.cell(mode, size, peer)}
        every = matrix.peers("")
        return [name for name in every if name in present and (ceilings or not every[name].ceiling)]

    def title(self, peer, mode):
        if peer == matrix.BARE and mode.startswith("tls"):
            return "bare TLS socket (C)"
        return self.titles[peer]

    def runs(self, mode, size, peer):
        cell = self.cell(mode, size, peer)
        if not cell:
            return []
        return [run for run in cell["runs"] if run["others"] < DISTURBED] or cell["runs"]

    def disturbed(self, mode, size, peer):
        return all(run["others"] >= DISTURBED for run in self.cell(mode, size, peer)["runs"])

    def median(self, mode, size, peer, figure):
        """None when it was not measured."""
        runs = self.runs(mode, size, peer)
        return statistics.median(map(figure, runs)) if runs else None

    def rate(self, mode, size, peer):
        return self.median(mode, size, peer, lambda run: run["count"] / run["seconds"])

    def cpu(self, mode, size, peer):
        """Microseconds a message."""
        return self.median(mode, size, peer, lambda run: 1e6 * run["cpu"] / run["count"])


# ---------------------------------------------------------------------------- numbers


def digits(value):
    """Three of them, or all in front of the point."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:#.3g}"


def short(value):
    for unit, name in ((1e6, " M"), (1e3, " k")):
        if value >= unit:
            return digits(value / unit) + name
    return digits(value)


def ratio(value):
    return f"{value:.0f}×" if value >= 9.95 else f"{value:.1f}×" if value >= 0.995 else f"{value:.2f}×"


def size_name(size):
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size // unit} {name}"
    return f"{size} B"


def size_of(cell):
    return f"{cell['size']} ms" if cell["mode"] in matrix.OPENINGS else size_name(cell["size"])


# ---------------------------------------------------------------------------- tables


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def rate_cell(results, mode, size, peer, ours=matrix.OURS):
    rate, mine = results.rate(mode, size, peer), results.rate(mode, size, ours)
    if not rate:
        return "–"
    mark = "~" if results.disturbed(mode, size, peer) else ""
    if peer == ours or not mine:
        return f"{mark}{short(rate)}"
    return f"{mark}{short(rate)} ({ratio(mine / rate)})"


def rate_table(results, mode, ours=matrix.OURS):
    sizes = results.sizes(mode)
    rows = [
        [results.title(peer, mode)] + [rate_cell(results, mode, size, peer, ours) for size in sizes]
        for peer in results.peers(mode)
    ]
    return table(["a second"] + [size_name(size) for size in sizes], rows)


def cpu_table(results, mode):
    sizes = results.sizes(mode)
    rows = []
    for peer in results.peers(mode):
        values = [results.cpu(mode, size, peer) for size in sizes]
        rows.append([results.title(peer, mode)] + ["–" if value is None else digits(value) for value in values])
    return table(["CPU, µs each"] + [size_name(size) for size in sizes], rows)


def plain(title):
    return title.replace("**", "")


def chart_of(results, mode):
    groups = []
    for size in results.sizes(mode):
        bare = results.rate(mode, size, matrix.BARE)
        bars = []
        for peer in results.peers(mode, ceilings=False):
            rate = results.rate(mode, size, peer)
            if rate:
                bars.append((plain(results.title(peer, mode)), rate, short(rate) + "/s", peer == matrix.OURS))
        if bars:
            groups.append((size_name(size), f"bare socket: {short(bare)}/s" if bare else "", bars))
    return charts.chart(
        matrix.MODES[mode].title, EXPLAINED[mode] + " Each size has a scale of its own.", groups
    )


# ---------------------------------------------------------------------------- sections


def speed_section(results, mode, images):
    parts = [f"## {matrix.MODES[mode].title}"]
    if mode in EXPLAINED:
        parts.append(EXPLAINED[mode])
    if mode in CHARTS:
        parts.append(f"![{matrix.MODES[mode].title}: bar chart]({images}/{CHARTS[mode]})")
    return parts + [rate_table(results, mode), cpu_table(results, mode)]


def connections_section(results):
    mode, size = "conn", 0
    bare = results.rate(mode, size, matrix.BARE)
    count = results.runs(mode, size, results.peers(mode)[0])[0]["count"]
    rows = []
    for peer in results.peers(mode):
        seconds = results.median(mode, size, peer, lambda run: run["seconds"])
        kib = results.median(mode, size, peer, lambda run: run["kib"] / run["count"])
        mark = "~" if results.disturbed(mode, size, peer) else ""
        times = bare / results.rate(mode, size, peer) if bare else 0
        rows.append([results.title(peer, mode), mark + digits(seconds), ratio(times), digits(max(0, kib))])
    return [
        f"## {count:,} connections",
        "Opened 64 handshakes at a time (by libraries that block, one), then held. Memory is the growth of what "
        "is resident, with default buffers.",
        table(["", "seconds until all are open", "of the bare client's", "resident KiB each"], rows),
    ]


def growth_section(results):
    """The number that was asked for may be more than a process can hold here."""
    mode = "conn-growth"
    sizes, peers = results.sizes(mode), results.peers(mode)
    counts = [results.runs(mode, size, peers[0])[0]["count"] for size in sizes]
    rows = []
    for peer in peers:
        row = [results.title(peer, mode)]
        for size in sizes:
            each = results.median(mode, size, peer, lambda run: 1e6 * run["seconds"] / run["count"])
            mark = "~" if each and results.disturbed(mode, size, peer) else ""
            row.append("–" if each is None else mark + digits(each))
        rows.append(row)
    return [
        "## More and more connections",
        "The same, in µs a connection, to see how it grows.",
        table(["µs each"] + [f"{count:,}" for count in counts], rows),
    ]


def opening_cell(results, mode, delay, peer):
    """ms, or on the line round trips."""
    cell = results.cells.get((mode, delay, peer))
    if cell and cell.get("never"):
        return "never"
    runs = results.runs(mode, delay, peer)
    if not runs:
        return "–"
    seconds = min(run["seconds"] for run in runs)
    mark = "~" if results.disturbed(mode, delay, peer) else ""
    return mark + (f"{1000 * seconds / delay:.1f}" if delay else digits(1000 * seconds))


def opening_section(results):
    modes = [mode for mode in matrix.OPENINGS if results.sizes(mode)]
    present = {peer for mode in modes for peer in results.peers(mode)}
    peers = [name for name in matrix.peers("") if name in present]
    parts = [
        f"## {mode_title('open')}",
        "The time from `connect`, or the call that makes the object, until `on_open`, in a process that has opened "
        "a connection before, and has closed it. “New” is the first one over TLS, which reads the authority's "
        "file; “again” the next, for which steadysocket resumes the session. In these versions the others have no "
        "sessions and no proxies by themselves. Each figure is the shortest of its runs: what others do on the machine makes "
        "such a time longer, and never shorter.",
        f"On the line every packet takes {matrix.LINE // 2} ms each way, TCP's SYN as well: TCP, TLS 1.3, CONNECT "
        "and the upgrade take a round trip each. Nothing comes back from a silent address; RFC 8305 has the next "
        "one tried after 250 ms.",
    ]
    for delay, head in ((0, "ms, on loopback"), (matrix.LINE, f"round trips of {matrix.LINE} ms")):
        rows = [
            [matrix.OPENINGS[mode].title] + [opening_cell(results, mode, delay, peer) for peer in peers]
            for mode in modes
            if delay in results.sizes(mode)
        ]
        parts.append(table([head] + [results.titles[peer] for peer in peers], rows))
    never = [
        f"{plain(results.titles[peer])}: {cell['never']}" for (_, _, peer), cell in results.cells.items() if cell.get("never")
    ]
    return parts + (["Never: " + "; ".join(never) + "."] if never else [])


def busy_section(results):
    mode = "busy"
    sizes = results.sizes(mode)
    rows = []
    for peer in results.peers(mode):
        values = [results.cpu(mode, size, peer) for size in sizes]
        growth = ratio(values[-1] / values[0]) if len(values) > 1 and all(values) else "–"
        rows.append(
            [results.title(peer, mode)] + ["–" if value is None else digits(value) for value in values] + [growth]
        )
    return [
        "## 100 busy connections beside idle ones",
        f"CPU time of the client for each round trip of {matrix.BUSY_SIZE} bytes, in µs: 100 connections with one "
        "message in flight each, while others are open and idle.",
        table(["CPU, µs each"] + [f"{size:,} idle" for size in sizes] + ["growth"], rows),
    ]


def confirm_section(results):
    mode, size = "confirm", matrix.CONFIRM_SIZE
    without, confirmed = (results.rate(mode, size, peer) for peer in (matrix.OURS, "steadysocket-confirm"))
    rows = []
    for peer, rate in ((matrix.OURS, without), ("steadysocket-confirm", confirmed)):
        share = "" if peer == matrix.OURS else f"{rate / without:.2f}"
        rows.append([results.title(peer, mode), short(rate), digits(results.cpu(mode, size, peer)), share])
    return [
        "## Confirmed delivery",
        f"Sending {size_name(size)} with `confirm = true`, and without.",
        table(["", "messages a second", "CPU, µs each", "share"], rows),
    ]


def deflate_section(results, mode):
    wire = "bytes_out" if mode == "deflate-rx" else "bytes_in"
    ours = "steadysocket-deflate"
    rows = []
    for peer in sorted(results.peers(mode), key=lambda name: name == matrix.OURS):
        row = [results.title(peer, mode) + (", without" if peer == matrix.OURS else "")]
        for size in results.sizes(mode):
            on_wire = results.median(mode, size, peer, lambda run: run[wire] / run["count"])
            saved = "–" if on_wire is None else f"{max(0, 100 * (1 - on_wire / size)):.0f} %"
            row += [rate_cell(results, mode, size, peer, ours), saved]
        rows.append(row)
    head = ["messages a second"]
    for size in results.sizes(mode):
        head += [size_name(size), "bytes saved"]
    return [table(head, rows)]


def compression_sections(results):
    modes = [mode for mode in ("deflate-rx", "deflate-tx") if results.sizes(mode)]
    if not modes:
        return []
    parts = [
        "## Compression",
        "Objects in JSON, as a feed sends them, with permessage-deflate: with context takeover, which gorilla "
        "has not, and each library's own level. What the server sends is compressed at zlib's level 6. In "
        "brackets: steadysocket's rate with compression divided by it.",
    ]
    for mode in modes:
        parts += [matrix.MODES[mode].title + ":"] + deflate_section(results, mode)
    return parts


def tools_section(data):
    rows = [[name, value] for name, value in {**data["machine"], **data["versions"]}.items()]
    parts = ["## Machine and versions", "\n".join(["| | |", "|---|---|"] + [f"| {a} | {b} |" for a, b in rows])]
    if data["left_out"]:
        parts.append("Left out: " + "; ".join(f"{name} ({why})" for name, why in data["left_out"].items()) + ".")
    failed = [cell for cell in data["cells"] if cell.get("error")]
    if failed:
        parts.append(
            "Failed: "
            + "; ".join(f"{c['peer']}, {c['mode']}, {size_of(c)}: {c['error']}" for c in failed)
            + "."
        )
    return parts


def mode_title(mode):
    return "Opening a connection" if mode in matrix.OPENINGS else matrix.MODES[mode].title


def introduction(results):
    data, peers = results.data, matrix.peers("")
    options = data["options"]
    present = {cell["peer"] for cell in data["cells"] if cell["runs"]}
    measured = [name for name in peers if name in present]
    longer = ", ".join(plain(peers[name].title) for name in measured if peers[name].longer > 1)
    unchecked = [plain(peers[name].title) for name in measured if peers[name].utf8 == "no" and not peers[name].ceiling]
    lws = data["versions"].get(LIBWEBSOCKETS, "?")
    titles = {mode_title(mode): commit for mode, commit in data.get("again", {}).items()}
    again = [f"{title} (commit {commit})" for title, commit in titles.items()]
    runs = f"medians of {options['rounds']} runs" if options["rounds"] > 1 else "of one run"
    return [
        "# Benchmarks",
        f"Written by `make bench` on {data['date']}, commit {data['commit'] or 'unknown'}, libwebsockets {lws}. "
        "`make bench LIBWEBSOCKETS_PREFIX=/opt/lws` measures with another build of it.",
        "A server of its own (`bench/server`) and a driver for each library (`bench/peers`), on loopback. The "
        "server runs on one core and the client on another, but for round trips, where both share one. Text "
        "messages of ASCII, no compression unless said, TCP_NODELAY; a message of the wrong length or a lost one "
        "ends the run. steadysocket has its default options and delivers Lua strings to `on_message`."
        + (f" Text is checked to be UTF-8 by all but {', '.join(unchecked)}." if unchecked else ""),
        f"Figures are {runs} of about {options['seconds']:g} s, in rounds in which the libraries take turns. "
        + (f"Runs of {longer} are three times as long, for its compiler to warm up. " if longer else "")
        + (f"Measured again later, without the rest: {', '.join(again)}. " if again else "")
        + f"A run during which others took over {DISTURBED:g} of a core was repeated, up to twice, and does not "
        "count when there are better ones; ~ marks a figure from disturbed runs.",
        "**In brackets: steadysocket's rate divided by the one in front.** The bare socket walks over frame "
        "headers, sends frames masked beforehand, and delivers nothing: what the machine can do, not what a client "
        "can. Our transport and core are this module without its sessions and without Lua.",
    ]


def markdown(data, images=IMAGES):
    results = Results(data)
    parts = introduction(results)
    for mode in SPEED:
        if results.sizes(mode):
            parts += speed_section(results, mode, images)
    if results.peers("conn"):
        parts += connections_section(results)
    if results.peers("conn-growth"):
        parts += growth_section(results)
    if any(results.sizes(mode) for mode in matrix.OPENINGS):
        parts += opening_section(results)
    if results.peers("busy"):
        parts += busy_section(results)
    if len(results.peers("confirm")) == 2:
        parts += confirm_section(results)
    parts += compression_sections(results)
    parts += tools_section(data)
    return "\n\n".join(map(wrapped, parts)) + "\n"


def wrapped(part):
    """Prose at 100 columns."""
    if part[0] in "#|!":
        return part
    return textwrap.fill(part, 100, break_long_words=False, break_on_hyphens=False)


def write(data, directory):
    """BENCHMARKS.md and the charts, below a directory."""
    results = Results(data)
    os.makedirs(os.path.join(directory, IMAGES), exist_ok=True)
    paths = [os.path.join(directory, "BENCHMARKS.md")]
    with open(paths[0], "w", encoding="utf-8") as file:
        file.write(markdown(data))
    for mode, name in CHARTS.items():
        if results.peers(mode, ceilings=False):
            paths.append(os.path.join(directory, IMAGES, name))
            with open(paths[-1], "w", encoding="utf-8") as file:
                file.write(chart_of(results, mode))
    return paths
