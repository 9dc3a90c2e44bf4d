"""Writes LZ4 frames of one content with every option of the format, by the C library: python make_frames.py (needs lz4)."""
import base64
import json
import pathlib

import lz4.frame

# Runs, repeats near and far, and bytes that do not compress: a linear congruential generator, nothing random.
state, noise = 1, bytearray()
for _ in range(6_000):
    state = (state * 1_103_515_245 + 12_345) % 2**31
    noise.append(state >> 16 & 255)
content = (b"\0" * 60_000 + bytes(range(256)) * 60 + bytes(noise) + b"ab" * 900 + bytes(noise[:3_000]) + b"end")
frames = {"empty": (b"", lz4.frame.compress(b""))}
for linked in (False, True):
    for checksums in (False, True):
        for level in (0, 9):
            name = f"{'linked' if linked else 'independent'} blocks, {'with' if checksums else 'no'} checksums, level {level}"
            frames[name] = (content, lz4.frame.compress(
                content, compression_level=level, block_size=lz4.frame.BLOCKSIZE_MAX64KB, block_linked=linked,
                content_checksum=checksums, block_checksum=checksums, store_size=checksums))
skippable = bytes.fromhex("532a4d18") + (5).to_bytes(4, "little") + b"notes"
frames["two frames and a skippable one between"] = (
    b"first" * 50 + content[:500],
    lz4.frame.compress(b"first" * 50) + skippable + lz4.frame.compress(content[:500]))
out = [{"name": name, "size": len(whole), "content": base64.b64encode(whole).decode() if len(whole) < 1000 else None,
        "frame": base64.b64encode(frame).decode()} for name, (whole, frame) in frames.items()]
here = pathlib.Path(__file__).parent
(here / "frames.json").write_text(json.dumps({"content": base64.b64encode(content).decode(), "frames": out}))
