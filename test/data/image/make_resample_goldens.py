"""Writes resample.json and resample.bin: what torchvision and Pillow make of synthetic images.

Pixels are a hash of their index, so that the test can make the same image without any decoder.
Run: python make_resample_goldens.py (needs numpy, pillow, torch, torchvision; nothing random).
"""
import json
import pathlib

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import normalize, resize, to_tensor

HERE = pathlib.Path(__file__).parent
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
# [input width, height, output width, height]: shrinking, growing, mixed, one side kept, a large camera image, 1 pixel.
SIZES = [(64, 48, 20, 20), (17, 11, 24, 25), (45, 12, 23, 23), (32, 40, 32, 16), (40, 24, 13, 24), (7, 5, 7, 5),
         (1, 1, 6, 4), (3, 200, 5, 9), (480, 640, 22, 18), (451, 300, 322, 322)]
RULES = ["bilinear-aa", "bilinear", "bicubic-aa", "pil-bilinear", "pil-bicubic"]


def pixels(width, height):
    i = np.arange(width * height * 3, dtype=np.uint64)
    v = (i * 2654435761) & 0xFFFFFFFF
    v ^= v >> 15
    v = (v * 2246822519) & 0xFFFFFFFF
    return ((v >> 13) & 255).astype(np.uint8).reshape(height, width, 3)


def golden(rule, order, size):
    in_w, in_h, out_w, out_h = size
    image = Image.fromarray(pixels(in_w, in_h))
    if rule.startswith("pil-"):
        mode = Image.Resampling.BILINEAR if rule == "pil-bilinear" else Image.Resampling.BICUBIC
        return normalize(to_tensor(image.resize((out_w, out_h), mode)), MEAN, STD)
    mode = InterpolationMode.BICUBIC if rule == "bicubic-aa" else InterpolationMode.BILINEAR
    scale = lambda t: resize(t, [out_h, out_w], mode, antialias=rule.endswith("-aa"))
    if order == "before-resize":
        return scale(normalize(to_tensor(image), MEAN, STD))
    return normalize(scale(to_tensor(image)), MEAN, STD)


cases, blob = [], bytearray()
for size in SIZES:
    for rule in RULES:
        for order in ["before-resize", "after-resize"]:
            values = golden(rule, order, size).numpy().astype("<f4").ravel()
            # Large outputs are sampled; a prime stride meets every row, column phase and channel.
            stride = 1 if values.size < 1500 else 997
            kept = values[::stride]
            cases.append({"rule": rule, "normalize": order, "size": size, "stride": stride,
                          "offset": len(blob) // 4, "count": len(kept)})
            blob += kept.tobytes()
(HERE / "resample.bin").write_bytes(blob)
versions = {"torch": torch.__version__, "torchvision": torchvision.__version__, "pillow": PIL.__version__}
(HERE / "resample.json").write_text(json.dumps({"versions": versions, "mean": MEAN, "std": STD, "cases": cases}, indent=0))
