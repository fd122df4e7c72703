"""Messages that look like those of a feed in JSON: what compression is measured with."""
import json
import os
import random

WORDS = "open close high low volume trade order book level update snapshot session market limit stop filled".split()
SYMBOLS = [a + b for a in ("AAP", "BTC", "ETH", "EUR", "GBP", "MSF", "NVD", "TSL") for b in ("L", "X", "USD", "EUR")]
TOTAL = 512 * 1024  # bytes of messages for one size


def entry(random_, number):
    hours, minutes, seconds = number // 3600 % 24, number // 60 % 60, number % 60
    return {
        "id": 4_000_000 + number,
        "symbol": random_.choice(SYMBOLS),
        "side": random_.choice(("buy", "sell")),
        "price": round(random_.uniform(10, 60_000), 2),
        "quantity": round(random_.expovariate(0.2), 4),
        "time": f"2025-11-22T{hours:02}:{minutes:02}:{seconds:02}.{random_.randrange(1000):03}Z",
        "status": random_.choice(WORDS),
    }


def text(random_, number, size):
    """A message of exactly so many bytes: as many entries as fit, and words for the rest."""
    message = {"type": "update", "sequence": 100_000 + number, "entries": [], "note": ""}
    length = len(json.dumps(message))
    while True:
        one = entry(random_, number + len(message["entries"]))
        length += len(json.dumps(one)) + (2 if message["entries"] else 0)
        if length > size:
            break
        message["entries"].append(one)
    while len(json.dumps(message)) < size:
        message["note"] += random_.choice(WORDS) + " "
    message["note"] = message["note"][: len(message["note"]) - (len(json.dumps(message)) - size)]
    return json.dumps(message)


def write(directory, sizes):
    """A file for each size, named after it, with a message a line; always the same ones."""
    os.makedirs(directory, exist_ok=True)
    for size in sizes:
        random_ = random.Random(size)
        with open(os.path.join(directory, str(size)), "w", encoding="ascii") as file:
            for number in range(max(1, TOTAL // size)):
                file.write(text(random_, number, size) + "\n")
