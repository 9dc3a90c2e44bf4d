"""How networks hold up under changes of viewpoint, light and weather: views of every held-out image ask for that image among all of its set.
Networks of all input sizes are asked by the same views, drawn as large as the cache has the images and resized for each.

`python held_out_views.py --works runs/heads runs/heads-1 --pool POOL --cache runs/cache.npy [--rendered FOLDER] [--json FILE]`
Six times the queries of the held-out part itself, and look-alike neighbours as wrong answers, so that it tells apart what differs
there by chance. The views are those of the training (augment.py), of images that it never saw."""

import argparse
import json
import os

import numpy as np
import torch

from augment import views
from data import load_cache, load_items, split_pool
from network import ShippedNet
from validate import MEAN, STD, recalls, resize, resized

STRENGTHS = (0.6, 1.0)


def asked(sets):
    """{set: rows}: every held-out image of a set; of the towns one light alone, as two pictures of one spot are both right."""
    return {s.name: sorted(set(s.references) if s.name == "towns" else {*s.references, *s.queries}) for s in sets}


@torch.no_grad()
def described(net, images):
    out = [net((part.float() - MEAN) / STD) for part in images.split(128)]
    return torch.cat([o[0] for o in out]), torch.cat([o[1] for o in out])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("--pool", "--cache"):
        parser.add_argument(name, required=True)
    parser.add_argument("--works", nargs="+", required=True, help="folders that fit_heads.py wrote; the names in the result are theirs")
    parser.add_argument("--rendered")
    parser.add_argument("--json", help="file for the figures, beside those that it has of other networks")
    options = parser.parse_args()
    items = load_items(options.pool, options.rendered)
    pool, cache = split_pool(items), load_cache(options.pool, items, options.cache)
    nets, result = {}, {}
    for folder in options.works:
        with open(os.path.join(folder, "heads.json")) as file:
            fitted = json.load(file)
        net = ShippedNet(len(fitted["runs"])).eval()
        net.load_state_dict(torch.load(os.path.join(folder, "heads.pt"), weights_only=True))
        nets[os.path.basename(os.path.normpath(folder))] = net, fitted["size"]
    for name, rows in asked(pool.validation).items():
        references = {work: described(net, resized(cache, rows, *size)) for work, (net, size) in nets.items()}
        for strength in STRENGTHS:
            generator = torch.Generator().manual_seed(11)
            parts = np.array_split(np.array(rows), len(rows) // 128 + 1)
            queries = [views(torch.from_numpy(cache[part]), generator, *cache.shape[2:], strength)[0].half() for part in parts]
            itself = [[i] for i in range(len(rows))]
            for work, (net, size) in nets.items():
                asking = described(net, torch.cat([resize(part, *size) for part in queries]))
                values = recalls(*asking, *references[work], itself)
                by_set = result.setdefault(work, {}).setdefault(name, {"queries": 0, "float": 0.0, "code": 0.0, "twoStage": 0.0})
                by_set["queries"] += len(rows)
                for key, value in zip(("float", "code", "twoStage"), values):
                    by_set[key] += float(value) / len(STRENGTHS)
    for work, by_set in result.items():
        by_set["mean"] = {key: float(np.mean([values[key] for values in by_set.values()])) for key in ("float", "code", "twoStage")}
        for values in by_set.values():
            values.update({key: round(value, 4) for key, value in values.items()})
        print(work, {name: (values["float"], values["code"], values["twoStage"]) for name, values in by_set.items()})
    if options.json:
        known = {}
        if os.path.exists(options.json):
            with open(options.json) as file:
                known = json.load(file)
        with open(options.json, "w") as file:
            json.dump({**known, **result}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
