"""Ablation of the code: the same float descriptor, binarized by random projection, PCA + ITQ, and the trained hash branch.

`python compare_hashing.py --work runs/1 --pool POOL --cache runs/cache.npy`: code-only and two-stage R@1 on the held-out part."""

import argparse
import json
import os

import numpy as np
import torch
from torch.nn import functional as F

from data import load_cache, load_manifest, split_pool
from network import CODE_BITS, PlaceNet
from validate import MEAN, STD, Validation, recalls

ITERATIONS = 50


def iterative_quantization(descriptors, bits, seed=0):
    """PCA to `bits` dimensions, then the rotation of Gong and Lazebnik (CVPR 2011) that brings it closest to its signs."""
    mean = descriptors.mean(0)
    basis = np.linalg.svd(descriptors - mean, full_matrices=False)[2][:bits].T
    projected = (descriptors - mean) @ basis
    rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((bits, bits)))[0]
    for _ in range(ITERATIONS):
        u, _, vt = np.linalg.svd(np.where(projected @ rotation >= 0, 1.0, -1.0).T @ projected)
        rotation = (u @ vt).T
    return mean, basis @ rotation


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", required=True)
    parser.add_argument("--pool", required=True)
    parser.add_argument("--cache", required=True)
    options = parser.parse_args()
    with open(os.path.join(options.work, "arguments.json")) as file:
        height, width = json.load(file)["final_size"]
    net = PlaceNet()
    net.load_state_dict(torch.load(os.path.join(options.work, "checkpoint.pt"), weights_only=True)["average"])
    net.eval()
    items = load_manifest(options.pool)
    cache = load_cache(options.pool, items, options.cache)
    pool = split_pool(items)
    validation = Validation(options.pool, items, pool.validation, cache, height, width)
    fitting = []
    with torch.no_grad():
        for rows in np.array_split(pool.training_rows[::2], 100):
            images = torch.from_numpy(cache[rows]).float() / 255
            images = F.interpolate(images, (height, width), mode="bilinear", antialias=True, align_corners=False)
            fitting.append(net((images - MEAN) / STD)[0])
    fitting = torch.cat(fitting).numpy()
    print(f"fitted on {len(fitting)} training images")
    random = np.random.default_rng(0).standard_normal((fitting.shape[1], CODE_BITS))
    mean, rotation = iterative_quantization(fitting, CODE_BITS)
    coders = {"random projection": lambda d, z: torch.from_numpy((d.numpy() - fitting.mean(0)) @ random),
              "PCA + ITQ": lambda d, z: torch.from_numpy((d.numpy() - mean) @ rotation),
              "SC hashing + STE": lambda d, z: z}
    descriptors, logits = validation.describe(net, validation.plain)
    for name, code in coders.items():
        row = []
        for s in validation.sets:
            references = [validation.index[r] for r in s.references]
            if s.augmented:
                query, query_logits = validation.describe(net, validation.augmented[s.name])
            else:
                queries = [validation.index[r] for r in s.queries]
                query, query_logits = descriptors[queries], logits[queries]
            row.append(recalls(query, code(query, query_logits), descriptors[references],
                               code(descriptors[references], logits[references]), s.positives))
        for s, values in list(zip(validation.sets, row)) + [(None, np.mean(row, 0))]:
            print(f"{name:18} {s.name if s else 'mean':9} float {values[0]:.3f} code {values[1]:.3f} two-stage {values[2]:.3f}")


if __name__ == "__main__":
    main()
