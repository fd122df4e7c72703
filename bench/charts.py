"""Bar charts as SVG, without a library: groups of horizontal bars, each group on a scale of its own."""
from xml.sax.saxutils import escape

WIDTH = 800
NAMES = 190  # where bars begin
LONGEST = 400  # bar
ROW, BAR = 22, 14
HEAD, GAP, MARGIN = 30, 14, 16
OURS, THEIRS, INK, FAINT, LINE = "#1f5fbf", "#a9b4c0", "#1f2328", "#59636e", "#d1d9e0"


def text(x, y, content, size=13, colour=INK, anchor="start", weight="normal"):
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(content)}</text>'
    )


def bar(y, name, share, label, ours):
    width = max(1.0, share * LONGEST)
    middle, weight = y + ROW / 2 + 4.5, "bold" if ours else "normal"
    return [
        text(NAMES - 10, middle, name, anchor="end", weight=weight),
        f'<rect x="{NAMES}" y="{y + (ROW - BAR) / 2}" width="{width:.1f}" height="{BAR}" '
        f'fill="{OURS if ours else THEIRS}"/>',
        text(f"{NAMES + width + 8:.1f}", middle, label, weight=weight),
    ]


def chart(title, subtitle, groups):
    """groups: (heading, note, bars); bars: (name, value, label, whether it is ours)."""
    parts, y = [], MARGIN + 16
    parts.append(text(MARGIN, y, title, size=17, weight="bold"))
    y += 20
    parts.append(text(MARGIN, y, subtitle, colour=FAINT))
    y += GAP
    for heading, note, bars in groups:
        top = max(value for _, value, _, _ in bars)
        parts.append(f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{y}" y2="{y}" stroke="{LINE}"/>')
        parts.append(text(MARGIN, y + 20, heading, size=14, weight="bold"))
        parts.append(text(WIDTH - MARGIN, y + 20, note, colour=FAINT, anchor="end"))
        y += HEAD
        for name, value, label, ours in bars:
            parts += bar(y, name, value / top if top else 0, label, ours)
            y += ROW
        y += GAP
    height = y + MARGIN - GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" font-family="DejaVu Sans, Verdana, Arial, sans-serif" role="img">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            *parts,
            "</svg>\n",
        ]
    )
