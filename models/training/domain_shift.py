"""How the code does in a domain that its fit has not seen: the pool's groups in two halves, each measured under the heads that
are fitted on the other half's images. The trunk and the float descriptor stay those of the model.

`python domain_shift.py --work runs/heads --pool POOL --cache runs/cache.npy [--rendered FOLDER]`
`python domain_shift.py --model ../default --json domain_shift.json ...` measures a model as it ships and replaces its rows alone: its own
code, and the one that `vpr map build` fits to each map of few references (src/onnx/hashing/fitMapProjection.ts; other random directions).
Within one floor, town, stretch of railway, webcam or kind of scene at a time, of 24 to 150 references, with a shortlist of
max(5, 10 %): recall@1 of exact search, code and two stages, and how often exact search's best is in the shortlist."""

import argparse
import json
import os

import numpy as np
import onnxruntime
import torch

from data import CLIP_GROUPS, LOOSE_GROUPS, BatchSampler, load_cache, load_items, split_pool
from fit_heads import PLACES, VIEW_BATCHES, code_heads
from network import ShippedNet
from validate import MEAN, STD, recalls, resized

HALVES = (("nordland-64x32", "sped-thumbs", "amos-webcams", "rendered"),
          ("ie-tower", "essex3in1-thumbs", "scene15-category", *CLIP_GROUPS, *LOOSE_GROUPS))
DRAWS, DRAWN, STRETCH, FEWEST = 8, 100, 150, 20


def gathered(items, group, *keys):
    """{values of keys: rows} of a group, in the order of the manifest."""
    out = {}
    for row, item in enumerate(items):
        if item["group"] == group:
            out.setdefault(tuple(item[key] for key in keys), []).append(row)
    return out


def along(sequences):
    """Every second image of sequences asks for its two neighbours: (references, queries, positives)."""
    references, queries, positives = [], [], []
    for rows in sequences:
        first = len(references)
        references.extend(rows[0::2])
        queries.extend(rows[1::2])
        positives.extend([p for p in (first + n, first + n + 1) if p < len(references)] for n in range(len(rows[1::2])))
    return references, queries, positives


def tasks(items):
    """{group: [(references, queries, positives or None)]}: one domain each."""
    rng, out = np.random.default_rng(5), {}
    summer, winter = (gathered(items, "nordland-64x32", "condition")[condition,] for condition in ("summer", "winter"))
    summer, winter = (sorted(rows, key=lambda row: items[row]["pos"]) for rows in (summer, winter))
    one_to_one = [[i] for i in range(STRETCH)]
    out["nordland"] = [(summer[i:i + STRETCH], winter[i:i + STRETCH], one_to_one) for i in range(0, len(summer) - STRETCH, STRETCH)]
    for group in ("sped-thumbs", "essex3in1-thumbs"):
        by = gathered(items, group, "place", "condition")
        pairs = [(by[place, "reference"][0], rows[0]) for (place, condition), rows in by.items()
                 if condition == "query" and (place, "reference") in by]
        drawn = [[pairs[i] for i in rng.choice(len(pairs), DRAWN, replace=False)] for _ in range(DRAWS)]
        out[group] = [(*map(list, zip(*draw)), one_to_one[:DRAWN]) for draw in drawn]
    floors = {}
    for (floor, _), rows in gathered(items, "ie-tower", "floor", "seq").items():
        floors.setdefault(floor, []).append(sorted(rows, key=lambda row: items[row]["pos"]))
    # Two floors of one house make some 100 references.
    names = list(floors)
    out["ie-tower"] = [along(floors[name] + floors[names[number - 1]]) for number, name in enumerate(names)]
    clips = [along(gathered(items, group, "seq").values()) for group in CLIP_GROUPS]
    out["clips"] = [task for task in clips if len(task[0]) >= FEWEST]
    drives = gathered(items, "rendered", "town", "condition")
    out["towns"] = [(drives[town, "day"], rows, [[i for i, r in enumerate(drives[town, "day"])
                                                  if abs(items[r]["pos"] - items[q]["pos"]) <= 2] for q in rows])
                    for (town, condition), rows in drives.items() if condition != "day" and (town, "day") in drives]
    # No right answer is known: only whether the shortlist holds what exact search finds.
    for group, key in (("amos-webcams", "place"), ("scene15-category", "category")):
        out[group] = []
        for rows in gathered(items, group, key).values():
            mixed = rng.permutation(rows).tolist()
            half = min(DRAWN, len(mixed) // 2)
            out[group].append((mixed[:half], mixed[half:2 * half], None))
    return out


SHIPPED, FITTED = "the shipped code, fitted on all groups", "fitted to the map"
PRIOR_REFERENCES, EXPONENT = 30, 0.25


def of_the_map(references, descriptors, seed=1):
    """Logits of descriptors under the code of a map: Q C^(1/4) (x - mean), C mixed with the spread of 30 references equal in all directions."""
    dimension, mean = references.shape[1], references.mean(0)
    centred = (references - mean).astype(np.float64)
    prior = PRIOR_REFERENCES * np.square(centred).sum() / len(references) / dimension
    values, vectors = np.linalg.eigh((centred.T @ centred + prior * np.eye(dimension)) / (len(references) + PRIOR_REFERENCES))
    directions = np.linalg.qr(np.random.default_rng(seed).normal(size=(dimension, 512)))[0].T
    return (descriptors - mean) @ (directions @ (vectors * values ** EXPONENT) @ vectors.T).T.astype(np.float32)


def measured_with_own_codes(descriptors, group_tasks):
    """As `measured`, every map with a code of its own."""
    parts = []
    for references, queries, positives in group_tasks:
        mine = descriptors[references + queries]
        rows = list(range(len(references))), list(range(len(references), len(mine)))
        bits = torch.from_numpy(of_the_map(mine[:len(references)].numpy(), mine.numpy()))
        # Weights as `measured` has them: of answerable queries, and of all for what is kept.
        answerable = sum(map(bool, positives)) if positives else 0
        parts.append((answerable, len(queries), measured(mine, bits, [(*rows, positives)])))
    weights = {"exact": 0, "code": 0, "twoStage": 0, "kept": 1}
    return {key: None if parts[0][2][key] is None else
            round(sum(part[which] * part[2][key] for part in parts) / sum(part[which] for part in parts), 4)
            for key, which in weights.items()}


def described(model, cache):
    """Descriptors and hash logits of every image by a model folder."""
    session_options = onnxruntime.SessionOptions()
    session_options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(os.path.join(model, "model.onnx"), session_options, providers=["CPUExecutionProvider"])
    with open(os.path.join(model, "model.json")) as file:
        size = json.load(file)["input"]
    out = [], []
    for row in range(len(cache)):
        image = (resized(cache, np.array([row]), size["height"], size["width"]).float() - MEAN) / STD
        for values, output in zip(out, session.run(["descriptor", "hash"], {"image": image.numpy()})):
            values.append(output[0])
    return [torch.from_numpy(np.stack(values)) for values in out]


def with_means(by_group):
    labelled = [r for r in by_group.values() if r["code"] is not None]
    losses = [r["exact"] - r["twoStage"] for r in labelled]
    mean = {"code": float(np.mean([r["code"] for r in labelled])), "loss": float(np.mean(losses)),
            "worstLoss": max(losses), "kept": float(np.mean([r["kept"] for r in by_group.values()])),
            "leastKept": min(r["kept"] for r in by_group.values())}
    return {**by_group, "mean": mean}


def measured(descriptors, bits, group_tasks):
    """{exact, code, twoStage, kept} of a group: means over its queries; the first three None without labels."""
    hits, labelled, kept, asked = np.zeros(3), 0, 0, 0
    for references, queries, positives in group_tasks:
        both = descriptors[queries], bits[queries], descriptors[references], bits[references]
        length = max(5, round(0.1 * len(references)))
        exact = (both[0] @ both[2].T).argmax(1)
        # The label "what exact search finds": two stages are right where the shortlist holds it.
        kept += recalls(*both, [[best] for best in exact.tolist()], length)[2] * len(queries)
        asked += len(queries)
        if positives:
            answerable = sum(map(bool, positives))
            hits += np.array(recalls(*both, positives, length)) * answerable
            labelled += answerable
    rates = hits / labelled if labelled else [None] * 3
    return dict(zip(("exact", "code", "twoStage", "kept"), [*(r if r is None else round(float(r), 4) for r in rates),
                                                            round(float(kept / asked), 4)]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--work", help="folder of fit_heads.py")
    which.add_argument("--model", help="model folder")
    for name in ("--pool", "--cache"):
        parser.add_argument(name, required=True)
    parser.add_argument("--rendered")
    parser.add_argument("--json", help="file for the figures")
    options = parser.parse_args()
    items = load_items(options.pool, options.rendered)
    cache = load_cache(options.pool, items, options.cache)
    everything = tasks(items)
    if options.model:
        with open(options.json) as file:
            result = {SHIPPED: None, FITTED: None, **json.load(file)}
        descriptors, logits = described(options.model, cache)
        result[SHIPPED] = with_means({name: measured(descriptors, logits, of_group) for name, of_group in everything.items()})
        result[FITTED] = with_means({name: measured_with_own_codes(descriptors, of_group) for name, of_group in everything.items()})
    else:
        result = measure_heads(options, items, everything, cache)
    for head, by_group in result.items():
        print(head, {key: round(value, 4) for key, value in by_group["mean"].items()}, flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(result, file, indent=1)
            file.write("\n")


def measure_heads(options, items, everything, cache):
    """{head: {group: figures}} of the heads of a folder."""
    with open(os.path.join(options.work, "heads.json")) as file:
        fitted = json.load(file)
    seed = fitted["seed"]
    pool = split_pool(items)
    net = ShippedNet(len(fitted["runs"])).eval()
    net.load_state_dict(torch.load(os.path.join(options.work, "heads.pt"), weights_only=True))
    known = torch.load(os.path.join(options.work, "features.pt"), weights_only=True)
    with torch.no_grad():
        path = os.path.join(options.work, "descriptors.npy")
        if not os.path.exists(path):
            parts = np.array_split(np.arange(len(items)), len(items) // 256 + 1)
            np.save(path, np.concatenate([net((resized(cache, part, *fitted["size"]).float() - MEAN) / STD)[0] for part in parts]))
        descriptors = torch.from_numpy(np.load(path))
        shipped = net.hash(descriptors)
        images = net.describe(*known["clean"])
        augmented = torch.cat([net.describe(pooled, regions) for pooled, regions, *_ in known["batches"]])
    sampler, groups = BatchSampler(pool, PLACES, seed), np.array([item["group"] for item in items])
    rows = np.concatenate([sampler.batch(step)[0] for step in range(VIEW_BATCHES)])
    training_rows, result = pool.training_rows[::3], {SHIPPED: {}, FITTED: {}}
    for name, group_tasks in everything.items():
        result[SHIPPED][name] = measured(descriptors, shipped, group_tasks)
        result[FITTED][name] = measured_with_own_codes(descriptors, group_tasks)
    for half in HALVES:
        use, use_rows = ~np.isin(groups[training_rows], half), ~np.isin(groups[rows], half)
        heads = code_heads(images[use], pool.domain[training_rows[use]], rows[use_rows], augmented[use_rows], pool, seed)
        for head, (weight, mean) in heads.items():
            bits = (descriptors - mean) @ weight.T
            for name, group_tasks in everything.items():
                if items[group_tasks[0][0][0]]["group"] in half:
                    result.setdefault(head, {})[name] = measured(descriptors, bits, group_tasks)
    return {head: with_means(by_group) for head, by_group in result.items()}


if __name__ == "__main__":
    main()
