#!/usr/bin/env python3
"""Makes the data set that ships with the project: samples/data/orchard.inter.gz and orchard.item.gz.

A made-up film service. Each user has a few latent tastes that drift slowly, each film a mixture of tastes and a
popularity of its own; users watch in sessions of related films and rate what they watch. Standard library only; the same
bytes on every run of one Python version.
"""

import argparse
import gzip
import io
import math
import os
import random

N_USERS = 600
N_ITEMS = 400
N_INTERACTIONS = 25000
N_TASTES = 12
SEED = 20240229
START = 1672531200  # 2023-01-01 UTC
DAY = 86400

CATEGORIES = ["Mystery", "Voyage", "Romance", "Comedy", "Ghost Story", "Family", "Frontier", "Machines", "Music", "Heist",
              "Nature", "Legend"]
# One list of nouns a category, so that a title gives its taste away to a reader.
NOUNS = [
    ["Locked Pantry", "Second Alibi", "Paper Witness", "Ninth Key", "Silent Clerk", "Ink Stain", "Borrowed Name"],
    ["Salt Meridian", "Far Lantern", "Drifting Pier", "Last Harbour", "Copper Sail", "Tidal Map", "Empty Compass"],
    ["Quince Season", "Two Umbrellas", "Slow Waltz", "Window Letters", "Borrowed Summer", "Plum Street", "Late Bouquet"],
    ["Wrong Wedding", "Runaway Ladder", "Loud Neighbours", "Upside Picnic", "Spare Uncle", "Rubber Crown", "Soup Parade"],
    ["Hollow Attic", "Cold Carousel", "Whispering Well", "Moth Lodger", "Candle Hour", "Grey Visitor", "Thirteenth Stair"],
    ["Acorn Club", "Mitten Express", "Tiny Orchard", "Kite Brigade", "Puddle Race", "Button Bear", "Treehouse Mail"],
    ["Dust Railway", "Lone Orchard", "Cinder Trail", "Broken Canyon", "River Sheriff", "Amber Prairie", "Wire Fence"],
    ["Glass Engine", "Orbit Garden", "Patient Robot", "Static Moon", "Borrowed Gravity", "Chrome Orchard", "Zero Tide"],
    ["Blue Accordion", "Velvet Drum", "Attic Choir", "Broken Metronome", "Street Cello", "Encore Hotel", "Quiet Trumpet"],
    ["Velvet Vault", "Six Decoys", "Midnight Ledger", "Perfect Draught", "Counterfeit Pear", "Glove Job", "Easy Safe"],
    ["Heron Marsh", "Winter Burrow", "Fern Cathedral", "Bee Season", "Otter Creek", "Glacier Diary", "Owl Country"],
    ["Amber Queen", "Thistle Crown", "Stone Minstrel", "Oak Oracle", "Iron Orchard", "Raven Pact", "Silver Scythe"],
]
BEFORE = ["The", "The", "The", "A", "Return to the", "Beyond the", "Under the", "Night of the", "Secrets of the", "Song of the",
          "Beneath the", "One More", "Goodbye,", "Farewell to the"]
AFTER = ["", "", "", "", " II", " at Dawn", " in Winter", " Revisited", " of Elmsford", " by the Sea", " After Dark", " Again"]


def make_items(rng):
    """Titles, category and taste vector of each film."""
    titles, items = set(), []
    for item in range(N_ITEMS):
        main = item % N_TASTES
        second = rng.randrange(N_TASTES)
        while True:
            before, noun = rng.choice(BEFORE), rng.choice(NOUNS[main])
            before = "An" if before == "A" and noun[0] in "AEIOU" else before
            title = f"{before} {noun}{rng.choice(AFTER)}"
            if title not in titles:
                break
        titles.add(title)
        tastes = [0.0] * N_TASTES
        tastes[main] += 1.0
        tastes[second] += 0.35
        items.append({"title": title, "category": CATEGORIES[main], "tastes": tastes, "quality": rng.gauss(0.0, 1.0)})
    # A long tail of popularity, in no relation to the category.
    ranks = list(range(N_ITEMS))
    rng.shuffle(ranks)
    for item, rank in zip(items, ranks):
        item["popularity"] = 1.0 / (rank + 14.0) ** 1.25
        item["release"] = START + rng.randrange(0, 300) * DAY if rng.random() < 0.3 else START
    return items


def make_user(rng):
    """Weights over tastes: two or three strong ones, and how much the user follows the crowd."""
    tastes = [0.02] * N_TASTES
    for strength in (1.0, 0.6, 0.3)[: rng.choice((2, 3, 3))]:
        tastes[rng.randrange(N_TASTES)] += strength
    return tastes


def counts_of_users(rng):
    """Interactions per user: log-normal, at least 8, with a fixed sum."""
    raw = [math.exp(rng.gauss(0.0, 0.7)) for _ in range(N_USERS)]
    scale = (N_INTERACTIONS - 8 * N_USERS) / sum(raw)
    counts = [min(8 + int(value * scale), N_ITEMS // 2) for value in raw]
    while sum(counts) < N_INTERACTIONS:
        counts[rng.randrange(N_USERS)] += 1
    return counts


def interactions_of(rng, user, n, items):
    """One user's films in sessions: within a session one taste leads, and a film is watched once."""
    tastes = make_user(rng)
    seen, rows = set(), []
    time = START + rng.randrange(0, 330 * DAY)
    end = START + 365 * DAY
    while len(rows) < n:
        lead = rng.choices(range(N_TASTES), weights=[w * w for w in tastes])[0]
        for _ in range(min(n - len(rows), 1 + min(int(rng.expovariate(0.45)), 7))):
            weights = []
            for row, item in enumerate(items):
                if row in seen or item["release"] > time:
                    weights.append(0.0)
                    continue
                match = 0.7 * tastes[CATEGORIES.index(item["category"])] + sum(t * w for t, w in zip(item["tastes"], tastes))
                match += 1.2 * item["tastes"][lead]
                weights.append(item["popularity"] * math.exp(1.6 * match))
            row = rng.choices(range(N_ITEMS), weights=weights)[0]
            seen.add(row)
            liking = sum(t * w for t, w in zip(items[row]["tastes"], tastes))
            rating = 3.0 + 1.1 * (liking - 0.6) + 0.5 * items[row]["quality"] + rng.gauss(0.0, 0.6)
            rows.append((time, user, row, min(5, max(1, round(rating)))))
            time += 5400 + rng.randrange(0, 5400)
        time += int(rng.expovariate(1.0 / (4 * DAY))) + DAY // 2
        if time > end:
            time = START + rng.randrange(0, 365 * DAY)
    return rows


def user_id(user):
    return f"u{user + 1:04d}"


def item_id(item):
    return f"film-{item + 1:03d}"


def pack(path, text):
    """gzip without name and time: the same bytes for the same text."""
    raw = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as file:
        file.write(text.encode("utf-8"))
    with open(path, "wb") as file:
        file.write(raw.getvalue())
    print(f"{path}: {len(raw.getvalue())} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default=os.path.join(os.path.dirname(__file__), "..", "samples", "data"))
    folder = os.path.normpath(parser.parse_args().folder)
    os.makedirs(folder, exist_ok=True)

    rng = random.Random(SEED)
    items = make_items(rng)
    rows = []
    for user, n in enumerate(counts_of_users(rng)):
        rows += interactions_of(rng, user, n, items)
    rows.sort()

    lines = ["user_id:token\titem_id:token\trating:float\ttimestamp:float"]
    lines += [f"{user_id(user)}\t{item_id(item)}\t{rating}\t{time}" for time, user, item, rating in rows]
    pack(os.path.join(folder, "orchard.inter.gz"), "\n".join(lines) + "\n")
    lines = ["item_id:token\ttitle:token_seq\tcategory:token"]
    lines += [f"{item_id(i)}\t{item['title']}\t{item['category']}" for i, item in enumerate(items)]
    pack(os.path.join(folder, "orchard.item.gz"), "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
