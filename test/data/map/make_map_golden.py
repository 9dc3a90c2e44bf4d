"""Writes golden.vprmap from src/map/FORMAT.md alone, with Python's sqlite3, and golden.json: what a reader must find in it."""
import json
import math
import os
import random
import sqlite3
import struct
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
D = 6
COUNT = 9
BLOCK = 5
rng = random.Random(7)


def crc(number, *parts):
    value = zlib.crc32(struct.pack("<I", number))
    for part in parts:
        value = zlib.crc32(part, value)
    return value


def text(value):
    data = value.encode("utf-8")
    return struct.pack("<I", len(data)) + data


def pack_bits(values):
    out = bytearray(64)
    for i, value in enumerate(values):
        if value >= 0:
            out[i // 8] |= 0x80 >> (i % 8)
    return bytes(out)


def write(storage, file):
    if os.path.exists(file):
        os.remove(file)
    db = sqlite3.connect(file)
    db.execute("PRAGMA page_size = 1024")
    db.execute("PRAGMA application_id = %d" % 0x5650524D)
    db.execute("PRAGMA user_version = 1")
    with open(os.path.join(HERE, "schema.sql")) as schema:
        db.executescript(schema.read())
    meta = {
        "modelName": "golden-model",
        "modelSha256": "0123456789abcdef" * 4,
        "descriptorDimension": str(D),
        "storage": storage,
        "mapFrame": "map",
        "poseKind": "mapFromBase",
        "childFrame": "base_footprint",
        "binarizer": "projection",
        "nextReferenceId": "40",
        "nextPlaceId": "12",
        "calibration": '{"slope": 2.5}',
        "aKeyOfTheFuture": "to be ignored",
    }
    for key, value in meta.items():
        db.execute("INSERT INTO meta VALUES (?, ?, ?)", (key, value, crc(0, text(key), text(value))))
    projection = [((i * 37) % 19 - 9) / 8 for i in range(512 * D)]
    mean = [0.125 * d for d in range(D)]
    for name, values in (("projection", projection), ("mean", mean)):
        data = struct.pack("<%df" % len(values), *values)
        db.execute("INSERT INTO binarizer VALUES (?, ?, ?)", (name, data, crc(0, name.encode(), data)))
    sessions = [(1, "summer", "bag one"), (2, "winter \u2744", "")]
    for number, name, source in sessions:
        db.execute("INSERT INTO session VALUES (?, ?, ?, ?)", (number, name, source, crc(number, text(name), text(source))))
    expected = []
    codes = []
    for i in range(COUNT):
        number = 2 * i + 3  # ids with gaps
        place = 1 + i // 2
        session = 1 if i < 6 else 2
        camera = "front" if i % 2 == 0 else "rear \u00e4"
        label = "image %d" % i
        stamp = 1_700_000_000_000_000_000 + i * 333_333_333 if i else -5
        pose = None if i == 4 else (i * 0.1, -i / 7, 1e-3 * i, 0.0, 0.0, math.sin(i / 10), math.cos(i / 10))
        values = [rng.uniform(-1, 1) for _ in range(D)]
        norm = math.sqrt(sum(v * v for v in values))
        values = [struct.unpack("<f", struct.pack("<f", v / norm))[0] for v in values]
        if storage == "f32":
            stored = struct.pack("<%df" % D, *values)
            values = list(struct.unpack("<%df" % D, stored))
        elif storage == "f16":
            stored = struct.pack("<%de" % D, *values)
            values = list(struct.unpack("<%de" % D, stored))
        else:
            scale = struct.unpack("<f", struct.pack("<f", max(abs(v) for v in values) / 127))[0]
            integers = [max(-127, min(127, math.floor(v / scale + 0.5))) for v in values]
            stored = struct.pack("<f%db" % D, scale, *integers)
            values = [struct.unpack("<f", struct.pack("<f", scale * n))[0] for n in integers]
        # Zero and negative zero at the ends: both are bit 1.
        hashed = [rng.uniform(-1, 1) for _ in range(512)]
        hashed[0], hashed[511] = 0.0, -0.0
        code = pack_bits(hashed)
        thumbnail = None if i % 3 == 1 else bytes(rng.randrange(256) for _ in range(20 + i))
        code_crc = crc(number, code)
        record = (
            struct.pack("<IIqB", place, session, stamp, 0 if pose is None else 1)
            + struct.pack("<7d", *(pose or [0.0] * 7))
            + struct.pack("<IB", code_crc, 0 if thumbnail is None else 1)
            + text(camera)
            + text(label)
        )
        db.execute(
            "INSERT INTO reference VALUES (%s)" % ", ".join("?" * 16),
            (number, place, session, camera, label, stamp, *(pose or [None] * 7), 0 if thumbnail is None else 1, code_crc, crc(number, record)),
        )
        db.execute("INSERT INTO descriptor VALUES (?, ?, ?)", (number, crc(number, stored), stored))
        if thumbnail is not None:
            db.execute("INSERT INTO thumbnail VALUES (?, ?, ?)", (number, crc(number, thumbnail), thumbnail))
        codes.append((number, place, code))
        expected.append(
            {
                "referenceId": number,
                "placeId": place,
                "sessionId": session,
                "camera": camera,
                "label": label,
                "stampNs": str(stamp),
                "pose": None if pose is None else list(pose),
                "descriptor": values,
                "code": code.hex(),
                "thumbnail": None if thumbnail is None else thumbnail.hex(),
            }
        )
    for start in (0, 3):
        part = codes[start : start + (3 if start == 0 else BLOCK - 3)]
        ids = struct.pack("<%dI" % len(part), *(number for number, _, _ in part))
        places = struct.pack("<%dI" % len(part), *(place for _, place, _ in part))
        block = b"".join(code for _, _, code in part)
        first = part[0][0]
        db.execute("INSERT INTO code_block VALUES (?, ?, ?, ?, ?, ?)", (first, crc(first, ids, places), crc(first, block), ids, places, block))
    for number, place, code in codes[BLOCK:]:
        db.execute("INSERT INTO code_tail VALUES (?, ?, ?, ?)", (number, place, crc(number, struct.pack("<I", place), code), code))
    db.execute("INSERT INTO match_count VALUES (?, ?, ?, ?)", (5, 3, -7, crc(5, struct.pack("<Iq", 3, -7))))
    db.commit()
    db.close()
    return {
        "meta": {key: value for key, value in meta.items() if key != "aKeyOfTheFuture"},
        "projection": projection[:20],
        "mean": mean,
        "sessions": [{"sessionId": n, "name": name, "source": source} for n, name, source in sessions],
        "matches": {"5": {"matches": 3, "lastStampNs": "-7"}},
        "references": expected,
    }


golden = {}
for kind in ("f32", "f16", "int8"):
    rng.seed(7)
    golden[kind] = write(kind, os.path.join(HERE, "golden-v1-%s.vprmap" % kind))
with open(os.path.join(HERE, "golden-v1.json"), "w") as out:
    json.dump(golden, out, indent=1, ensure_ascii=False)
    out.write("\n")
