"""Recall@1 on the held-out part of the pool: float descriptor, 512-bit code, and the paper's two stages."""

import argparse
import json
import os

import numpy as np
import onnxruntime
import torch
from torch.nn import functional as F

from augment import views
from data import load_cache, load_items, split_pool

MEAN, STD = 0.45, 0.25


def resize(images, height, width):
    """Images in 0...1 as the node resizes them (antialiased bilinear on the float tensor): [N, 3, height, width] f16."""
    return F.interpolate(images.float(), (height, width), mode="bilinear", antialias=True, align_corners=False).half()


def resized(cache, rows, height, width):
    """Images of the cache, [N, 3, height, width] f16."""
    return torch.cat([resize(torch.from_numpy(cache[part]).float() / 255, height, width)
                      for part in np.array_split(rows, max(1, len(rows) // 64))])


class Validation:
    def __init__(self, sets, cache, height, width):
        self.sets, self.images = sets, {}
        rows = sorted({row for s in sets for row in s.references + s.queries})
        self.index = {row: number for number, row in enumerate(rows)}
        self.plain = resized(cache, rows, height, width)
        self.augmented = {}
        for s in sets:
            if s.augmented:
                generator = torch.Generator().manual_seed(1)
                self.augmented[s.name] = views(torch.from_numpy(cache[s.queries]), generator, height, width, 0.5)[0].half()

    @torch.no_grad()
    def describe(self, net, images):
        out = [net((part.float() - MEAN) / STD) for part in images.split(128)]
        return torch.cat([o[0] for o in out]), torch.cat([o[1] for o in out])

    def measure(self, net):
        """{set: (float R@1, code R@1, two-stage R@1)} and their means under "mean"."""
        net.eval()
        descriptors, logits = self.describe(net, self.plain)
        result = {}
        for s in self.sets:
            references = [self.index[row] for row in s.references]
            if s.augmented:
                query, query_logits = self.describe(net, self.augmented[s.name])
            else:
                queries = [self.index[row] for row in s.queries]
                query, query_logits = descriptors[queries], logits[queries]
            result[s.name] = recalls(query, query_logits, descriptors[references], logits[references], s.positives)
        result["mean"] = tuple(np.mean([result[s.name] for s in self.sets], 0))
        return result


def recalls(query, query_logits, reference, reference_logits, positives, shortlist=None):
    """(float, code, two-stage) recall@1; queries without a positive do not count."""
    similarity = (query @ reference.T).numpy()
    def signs(x):
        return torch.where(x >= 0, 1.0, -1.0)
    # Lowest id first at equal distance: a stable sort of minus the code similarity.
    agreement = (signs(query_logits) @ signs(reference_logits).T).numpy()
    order = np.argsort(-agreement, 1, kind="stable")
    shortlist = shortlist or max(10, round(0.1 * len(reference)))
    hits = np.zeros(3)
    counted = 0
    for number, right in enumerate(positives):
        if not right:
            continue
        counted += 1
        candidates = np.sort(order[number, :shortlist])
        best = candidates[np.argmax(similarity[number, candidates])]
        hits += [np.argmax(similarity[number]) in right, order[number, 0] in right, best in right]
    return tuple(hits / counted)


def main():
    """Measures a model folder on the held-out part, as the training measures its networks."""
    parser = argparse.ArgumentParser(description="held-out recall@1 of a model folder")
    parser.add_argument("--model", required=True)
    parser.add_argument("--pool", required=True)
    parser.add_argument("--rendered")
    parser.add_argument("--cache", required=True)
    parser.add_argument("--only", nargs="*", help="names of held-out sets; default: all")
    options = parser.parse_args()
    with open(os.path.join(options.model, "model.json")) as file:
        source = json.load(file)["input"]
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(os.path.join(options.model, "model.onnx"), settings,
                                           providers=["CPUExecutionProvider"])
    mean, std = (np.array(source[key], np.float32).reshape(1, 3, 1, 1) for key in ("mean", "std"))

    class Folder(torch.nn.Module):
        def forward(self, x):
            pixels = x.numpy() * STD + MEAN
            out = [session.run(None, {"image": ((image[None] - mean) / std).astype(np.float32)}) for image in pixels]
            return torch.from_numpy(np.concatenate([o[0] for o in out])), torch.from_numpy(np.concatenate([o[1] for o in out]))

    items = load_items(options.pool, options.rendered)
    sets = [s for s in split_pool(items).validation if not options.only or s.name in options.only]
    validation = Validation(sets, load_cache(options.pool, items, options.cache), source["height"], source["width"])
    for name, values in validation.measure(Folder()).items():
        print(f"{name:9} float {values[0]:.3f}  code {values[1]:.3f}  two-stage {values[2]:.3f}")


if __name__ == "__main__":
    main()
