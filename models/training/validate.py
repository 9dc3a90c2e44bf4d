"""Recall@1 on the held-out part of the pool: float descriptor, 512-bit code, and the paper's two stages."""

import os

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from augment import views

MEAN, STD = 0.45, 0.25


def load_images(pool, items, rows, height, width):
    """Decodes and resizes as the node does (antialiased bilinear on the float tensor): [N, 3, height, width] u8-rounded f16."""
    images = []
    for row in rows:
        image = torch.from_numpy(np.asarray(Image.open(os.path.join(pool, items[row]["file"])).convert("RGB")).copy())
        image = image.permute(2, 0, 1)[None].float() / 255
        images.append(F.interpolate(image, (height, width), mode="bilinear", antialias=True, align_corners=False).half())
    return torch.cat(images)


class Validation:
    def __init__(self, pool_folder, items, sets, cache, height, width):
        self.sets, self.images = sets, {}
        rows = sorted({row for s in sets for row in s.references + s.queries})
        self.index = {row: number for number, row in enumerate(rows)}
        self.plain = load_images(pool_folder, items, rows, height, width)
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
