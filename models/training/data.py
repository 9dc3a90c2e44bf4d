"""The training pool: manifest, decoded cache, held-out split, and place-balanced batches over all groups.

Every group becomes the same thing, a list of *places* (lists of image rows): labelled pairs (seasons, weather, day and
night), webcams, sequence neighbours, and single images of which two augmented views make the place. One batch mixes all
groups, as the paper's unified training does (sec. III-E).
"""

import json
import os
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

CACHE_WIDTH, CACHE_HEIGHT = 192, 144

# Places of one batch by kind; the share is what counts, the sampler scales it to the batch.
BATCH_SHARES = {"nordland-64x32": 10, "ie-tower": 16, "scene15-category": 16, "sped-thumbs": 6, "essex3in1-thumbs": 6,
                "amos-webcams": 4, "clips": 6, "landmarks": 5, "rendered": 9, "crops": 24}
CLIP_GROUPS = ("kitti-clips", "tum-clips", "euroc-micro", "toshiki-campus", "sharpei-lab", "zlaskar-tango", "utbm",
               "toni-smartphone")
# Seasons and weather seen from one spot.
FIXED_VIEWPOINT = ("nordland-64x32", "sped-thumbs", "amos-webcams")
# One label, but views that need not overlap: used as single images.
LOOSE_GROUPS = ("landmarks", "scannet-samples", "metu-vistir")
# Large enough that a part of an image (crops.py) is an image.
CROPPED_GROUPS = (*CLIP_GROUPS, *LOOSE_GROUPS, "ie-tower", "scene15-category", "amos-webcams")
# Half of the batches take their places of these kinds from a stretch of the list this long, that is from one or two
# sequences: places of one corridor or street are the negatives that matter there.
STRETCH = {"ie-tower": 80, "rendered": 50}
# Domains of `Pool.domain`: a journey is cut into stretches of this many images.
DOMAIN_STRETCH = 300
# Images of one sequence closer than this are neither positives nor negatives.
SEQUENCE_GUARD = 4

HELD_OUT_NORDLAND_FROM = 3326  # position; the last 250 pairs
HELD_OUT_SPED, HELD_OUT_ESSEX, HELD_OUT_SCENES = 50, 40, 300
HELD_OUT_FLOORS = ("floor5", "floor11", "basement2")
HELD_OUT_CLIPS = ("kitti-nico-2", "sharpei-corridor_test", "tum-superglue-freiburg")
HELD_OUT_TOWNS_FROM = 1100  # seed
# Images of a rendered drive are 2 m apart: right answers are those within 4 m.
TOWN_TOLERANCE = 2


def load_items(pool, rendered, crops=None):
    """The manifest's items, then those of the folder that render.sh wrote: drives `<seed>-<condition>` through one town are in
    step, so that images of one number show one spot; then the crops of crops.py."""
    items = load_manifest(pool)
    for drive in sorted(os.listdir(rendered)) if rendered else []:
        seed, condition = drive.split("-")
        for name in sorted(os.listdir(os.path.join(rendered, drive))):
            if name.endswith(".jpg"):
                items.append({"group": "rendered", "file": os.path.abspath(os.path.join(rendered, drive, name)),
                              "town": int(seed), "condition": condition, "pos": int(name[:-4])})
    for name in sorted(os.listdir(crops)) if crops else []:
        items.append({"group": "crops", "file": os.path.abspath(os.path.join(crops, name)), "source": int(name.split("-")[0])})
    return items


def load_manifest(pool):
    with open(os.path.join(pool, "manifest.json")) as file:
        return json.load(file)["items"]


def load_cache(pool, items, path):
    """Images of the pool as [N, 3, CACHE_HEIGHT, CACHE_WIDTH] u8, decoded once into `path`; N is the items' or more."""
    shape = (len(items), 3, CACHE_HEIGHT, CACHE_WIDTH)
    if not os.path.exists(path):
        cache = np.lib.format.open_memmap(path + ".part", mode="w+", dtype=np.uint8, shape=shape)
        for row, item in enumerate(items):
            image = Image.open(os.path.join(pool, item["file"])).convert("RGB")
            # PIL's bilinear is antialiased when it shrinks.
            image = image.resize((CACHE_WIDTH, CACHE_HEIGHT), Image.BILINEAR)
            cache[row] = np.asarray(image).transpose(2, 0, 1)
        cache.flush()
        os.replace(path + ".part", path)
    cache = np.load(path, mmap_mode="r")
    # Crops come last, so that a cache that has them serves without them too.
    if len(cache) < len(items):
        raise ValueError(f"expected at least {len(items)} images in {path}, got {len(cache)}: it was decoded from another pool")
    return cache


@dataclass
class ValidationSet:
    name: str
    references: list
    queries: list
    positives: list  # per query, indices into references
    augmented: bool = False  # queries are seeded augmented views of the same rows


@dataclass
class Pool:
    places: dict = field(default_factory=dict)  # kind -> list of lists of rows
    sequence: np.ndarray = None  # [N] sequence number, -1 = none
    position: np.ndarray = None  # [N] position in the sequence
    exclusive: np.ndarray = None  # [N] rows with the same number >= 0 are never negatives of each other
    place: np.ndarray = None  # [N] rows with different numbers are surely different places
    domain: np.ndarray = None  # [N] name of what a robot might be in: one floor, town, journey, kind of scene
    validation: list = field(default_factory=list)
    training_rows: np.ndarray = None


def split_pool(items):
    """Splits the manifest into training places and held-out validation sets; no held-out row is trained on."""
    count = len(items)
    pool = Pool(sequence=np.full(count, -1), position=np.zeros(count), exclusive=np.full(count, -1), place=np.arange(count),
                domain=np.array([domain_of(item) for item in items]))
    by_place, by_sequence, towns, scenes, loose, crops = {}, {}, {}, [], [], []
    exclusive_numbers = {}
    for row, item in enumerate(items):
        group = item["group"]
        if group in LOOSE_GROUPS:
            loose.append(row)
            place = item["place"].replace("sunny", "").replace("cloudy", "")
            pool.exclusive[row] = exclusive_numbers.setdefault(group + place, len(exclusive_numbers))
        elif group == "scene15-category":
            scenes.append(row)
        elif group == "crops":
            crops.append(row)
        elif group == "rendered":
            towns.setdefault(item["town"], []).append(row)
        elif "place" in item:
            by_place.setdefault((group, item["place"]), []).append(row)
        else:
            by_sequence.setdefault((group, item["seq"]), []).append(row)

    held_out = set()
    # Nordland: summer references, winter queries, strict.
    nordland = {place: rows for (group, place), rows in by_place.items() if group == "nordland-64x32"}
    test = sorted((rows for rows in nordland.values() if items[rows[0]]["pos"] >= HELD_OUT_NORDLAND_FROM),
                  key=lambda rows: items[rows[0]]["pos"])
    pool.validation.append(_pair_set("nordland", test, items, "summer"))
    for group, name, number in (("sped-thumbs", "sped", HELD_OUT_SPED), ("essex3in1-thumbs", "essex", HELD_OUT_ESSEX)):
        places = [rows for (g, _), rows in sorted(by_place.items()) if g == group]
        test_places = places[-number:]
        pool.validation.append(_pair_set(name, test_places, items, "reference"))
        test = test + test_places
    held_out.update(row for rows in test for row in rows)
    # Look-alike floors: every second image of a clip is a query, its two neighbours are right, all other floors wrong.
    for name, keep in (("floors", lambda g, s, i: g == "ie-tower" and i["floor"] in HELD_OUT_FLOORS),
                       ("clips", lambda g, s, i: s in HELD_OUT_CLIPS)):
        references, queries, positives = [], [], []
        for (group, sequence), rows in sorted(by_sequence.items()):
            if not keep(group, sequence, items[rows[0]]):
                continue
            rows = sorted(rows, key=lambda row: items[row]["pos"])
            held_out.update(rows)
            first = len(references)
            references.extend(rows[0::2])
            for number, row in enumerate(rows[1::2]):
                queries.append(row)
                last = len(references) - 1
                positives.append([p for p in (first + number, first + number + 1) if p <= last])
        pool.validation.append(ValidationSet(name, references, queries, positives))
    if towns:
        test = [row for town, rows in sorted(towns.items()) if town >= HELD_OUT_TOWNS_FROM for row in rows]
        held_out.update(test)
        pool.validation.append(_town_set([items[row] for row in test], test))
    test_scenes = scenes[::len(scenes) // HELD_OUT_SCENES][:HELD_OUT_SCENES]
    held_out.update(test_scenes)
    pool.validation.append(ValidationSet("views", test_scenes, test_scenes, [[i] for i in range(len(test_scenes))], True))

    pool.places = {kind: [] for kind in BATCH_SHARES}
    for (group, place), rows in by_place.items():
        rows = [row for row in rows if row not in held_out]
        if rows:
            pool.places[group].append(rows)
            pool.place[rows] = rows[0]
    for number, ((group, sequence), rows) in enumerate(sorted(by_sequence.items())):
        rows = sorted((row for row in rows if row not in held_out), key=lambda row: items[row]["pos"])
        if not rows:
            continue
        pool.sequence[rows] = number
        pool.place[rows] = rows[0]
        pool.position[rows] = np.arange(len(rows))  # clips are stored at about the same spacing
        kind = "ie-tower" if group == "ie-tower" else "clips"
        # A place = an image and its neighbour.
        pool.places[kind].extend([list(pair) for pair in zip(rows, rows[1:])])
    for number, rows in enumerate(rows for town, rows in sorted(towns.items()) if town < HELD_OUT_TOWNS_FROM):
        spots = {}
        for row in rows:
            spots.setdefault(items[row]["pos"], []).append(row)
            pool.sequence[row], pool.position[row], pool.place[row] = len(by_sequence) + number, items[row]["pos"], rows[0]
        pool.places["rendered"].extend(spots.values())
    pool.places["scene15-category"] = [[row] for row in scenes if row not in held_out]
    pool.places["landmarks"] = [[row] for row in loose]
    for row in loose:
        pool.place[row] = loose[int(np.argmax(pool.exclusive[loose] == pool.exclusive[row]))]
    pool.training_rows = np.array(sorted({row for places in pool.places.values() for rows in places for row in rows}))
    # Trained on, but no images that a robot would meet: the heads and the statistics are fitted without them.
    for row in crops:
        source = items[row]["source"]
        if pool.sequence[source] < 0 and pool.exclusive[source] < 0:
            # Of a webcam all images: a crop of one is no other place than a crop of the next.
            place = pool.place[source]
            pool.exclusive[pool.place == place] = exclusive_numbers.setdefault(("place", int(place)), len(exclusive_numbers))
        for known in (pool.sequence, pool.position, pool.exclusive, pool.place):
            known[row] = known[source]
        pool.places["crops"].append([row])
    return pool


def domain_of(item):
    if item["group"] == "crops":
        return "crops"
    for key in ("floor", "category", "town"):
        if key in item:
            return f"{item['group']} {item[key]}"
    if item["group"] == "nordland-64x32":
        return f"nordland {item['pos'] // DOMAIN_STRETCH}"
    return item.get("seq", item["group"])


def _pair_set(name, places, items, reference_condition):
    references, queries = [], []
    for rows in places:
        reference, query = rows if items[rows[0]].get("condition") == reference_condition else rows[::-1]
        references.append(reference)
        queries.append(query)
    return ValidationSet(name, references, queries, [[i] for i in range(len(places))])


def _town_set(items, rows):
    day, dusk = ([(item, row) for item, row in zip(items, rows) if item["condition"] == c] for c in ("day", "dusk"))
    positives = [[i for i, (reference, _) in enumerate(day) if reference["town"] == query["town"]
                  and abs(reference["pos"] - query["pos"]) <= TOWN_TOLERANCE] for query, _ in dusk]
    return ValidationSet("towns", [row for _, row in day], [row for _, row in dusk], positives)


def relations(pool, rows, labels):
    """Positive and negative pairs [B, B] bool of views of `rows` [B]: equal labels are one place; near or loosely labelled
    images are neither."""
    sequence, position, exclusive = pool.sequence[rows], pool.position[rows], pool.exclusive[rows]
    near = (sequence[:, None] == sequence[None]) & (sequence[:, None] >= 0) & (
        np.abs(position[:, None] - position[None]) <= SEQUENCE_GUARD)
    together = (exclusive[:, None] == exclusive[None]) & (exclusive[:, None] >= 0)
    same = labels[:, None] == labels[None]
    return same & ~np.eye(len(rows), dtype=bool), ~same & ~near & ~together


class BatchSampler:
    """Batch `step` of a run: rows [B] (two views of each place), strength of the geometry [B], positive and negative pairs [B, B] bool.

    A pure function of (seed, step), so that a resumed run sees the batches an uninterrupted one would."""

    def __init__(self, pool, places_per_batch, seed, kinds=None):
        self.pool, self.places_per_batch, self.seed = pool, places_per_batch, seed
        shares = {kind: share for kind, share in BATCH_SHARES.items() if pool.places[kind] and (not kinds or kind in kinds)}
        self.kinds = list(shares)
        self.probabilities = np.array([shares[kind] for kind in self.kinds], float)
        self.probabilities /= self.probabilities.sum()

    def batch(self, step):
        rng = np.random.default_rng([self.seed, step])
        counts = np.floor(self.probabilities * self.places_per_batch).astype(int)
        for kind in rng.choice(len(self.kinds), self.places_per_batch - counts.sum(), p=self.probabilities):
            counts[kind] += 1
        rows, labels, geometry = [], [], []
        hard = rng.random() < 0.5
        for kind, number in zip(self.kinds, counts):
            places = self.pool.places[kind]
            stretch = min(STRETCH[kind] if hard and kind in STRETCH else len(places), len(places))
            first = rng.integers(len(places))
            for index in rng.choice(stretch, min(number, stretch), replace=False):
                place = places[(first + index) % len(places)]
                # The rest are two views of one image. Two conditions are the scarcer lesson; neighbours in a
                # sequence, a second apart, overlap less surely.
                share = 0.5 if kind in ("ie-tower", "clips") else 0.75
                if len(place) > 1 and rng.random() < share:
                    pair = rng.choice(place, 2, replace=False)
                else:
                    pair = [rng.choice(place)] * 2
                rows.extend(pair)
                # Two conditions from one spot: the viewpoint hardly moves in life, so it hardly moves here.
                geometry.extend([0.42 if kind in FIXED_VIEWPOINT and pair[0] != pair[1] else 1.2] * 2)
                labels.extend([len(labels) // 2] * 2)
        rows, labels = np.array(rows), np.array(labels)
        return rows, np.array(geometry, np.float32), *relations(self.pool, rows, labels)
