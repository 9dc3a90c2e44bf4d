"""R@1 and R@5 of a model folder on the evaluation sets, for the final table only (nothing is chosen by it).

`python evaluate.py --model ../default --sets ../../../shared/data/sets [--distractors POOL]`"""

import argparse
import json
import os

import numpy as np
import onnxruntime
import torch
from PIL import Image
from torch.nn import functional as F


def read(folder, names, size, mean, std):
    for name in names:
        image = torch.from_numpy(np.asarray(Image.open(os.path.join(folder, name)).convert("RGB")).copy())
        image = image.permute(2, 0, 1)[None].float() / 255
        image = F.interpolate(image, size, mode="bilinear", antialias=True, align_corners=False)
        yield ((image - mean) / std).numpy()


def describe(session, images):
    out = [session.run(None, {"image": image}) for image in images]
    return np.concatenate([o[0] for o in out]), np.concatenate([o[1] for o in out]) >= 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--sets", required=True)
    parser.add_argument("--distractors", help="pool folder: its images join the references, the shortlist is 10...200")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with open(os.path.join(options.model, "model.json")) as file:
        manifest = json.load(file)
    session_options = onnxruntime.SessionOptions()
    session_options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(os.path.join(options.model, "model.onnx"), session_options,
                                           providers=["CPUExecutionProvider"])
    source = manifest["input"]
    size = (source["height"], source["width"])
    mean, std = torch.tensor(source["mean"]).view(1, 3, 1, 1), torch.tensor(source["std"]).view(1, 3, 1, 1)

    extra = None
    if options.distractors:
        with open(os.path.join(options.distractors, "manifest.json")) as file:
            names = [item["file"] for item in json.load(file)["items"]][:12000]
        extra = describe(session, read(options.distractors, names, size, mean, std))
    table = []
    for name in sorted(os.listdir(options.sets)):
        folder = os.path.join(options.sets, name)
        described = {}
        for kind in ("reference", "query"):
            names = sorted(os.listdir(os.path.join(folder, kind)))
            described[kind] = describe(session, read(os.path.join(folder, kind), names, size, mean, std))
        with open(os.path.join(folder, "ground_truth.json")) as file:
            positives = json.load(file)["positives"]
        references, codes = described["reference"]
        if extra is not None:
            references, codes = np.concatenate([references, extra[0]]), np.concatenate([codes, extra[1]])
        similarity = described["query"][0] @ references.T
        agreement = (described["query"][1] * 2.0 - 1) @ (codes * 2.0 - 1).T
        order = np.argsort(-agreement, 1, kind="stable")
        shortlists = (10, 20, 50, 100, 200) if extra is not None else (max(10, round(0.1 * len(references))),)
        row = {"set": name, "references": len(references), "queries": len(positives)}

        def recall(ranked, n):
            judged = [bool(set(r[:n]) & set(p)) for r, p in zip(ranked, positives) if p]
            return float(np.mean(judged))

        exact = np.argsort(-similarity, 1, kind="stable")
        row["floatR1"], row["floatR5"] = recall(exact, 1), recall(exact, 5)
        row["codeR1"] = recall(order, 1)
        for shortlist in shortlists:
            ranked = []
            for number in range(len(positives)):
                candidates = np.sort(order[number, :shortlist])
                ranked.append(candidates[np.argsort(-similarity[number, candidates], kind="stable")])
            row[f"twoStageR1@{shortlist}"], row[f"twoStageR5@{shortlist}"] = recall(ranked, 1), recall(ranked, 5)
        table.append(row)
    if options.json:
        print(json.dumps(table, indent=1))
    else:
        for row in table:
            print("  ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()))


if __name__ == "__main__":
    main()
