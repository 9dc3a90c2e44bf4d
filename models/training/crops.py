"""Crops of the training images that have pixels to spare, as further single images: the teacher sees them at full resolution.

`python crops.py POOL FOLDER [EACH]`: of every such image three crops, or EACH, of half to three quarters of its width, the shape kept."""

import os
import sys

import numpy as np
from PIL import Image

from data import CROPPED_GROUPS, load_manifest, split_pool

LEAST, MOST, LEAST_WIDTH = 0.5, 0.75, 230


def write_crops(pool, folder, each=3):
    items = load_manifest(pool)
    rng = np.random.default_rng(7)
    os.makedirs(folder, exist_ok=True)
    for row in split_pool(items).training_rows:
        if items[row]["group"] not in CROPPED_GROUPS:
            continue
        image = Image.open(os.path.join(pool, items[row]["file"])).convert("RGB")
        shares = rng.uniform(LEAST, MOST, int(each))
        if image.width < LEAST_WIDTH:
            continue
        for number, share in enumerate(shares):
            width, height = round(image.width * share), round(image.height * share)
            left, top = rng.integers(image.width - width + 1), rng.integers(image.height - height + 1)
            image.crop((left, top, left + width, top + height)).save(os.path.join(folder, f"{row:05}-{number}.jpg"), quality=92)


if __name__ == "__main__":
    write_crops(*sys.argv[1:])
