"""Writes a trained network as a model folder: model.onnx and model.json.

`python export.py --work runs/1 --pool ../../../shared/data/train-pool --out ../default`"""

import argparse
import copy
import csv
import hashlib
import json
import os
import subprocess

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper

from data import load_cache, load_manifest, split_pool
from network import DESCRIPTOR_SIZE, PlaceNet
from settle import settle
from validate import MEAN, STD, Validation

# As the pool's about.md states them.
LICENCES = {
    "amos-webcams": "none stated (AMOS archive)", "sped-thumbs": "none stated", "essex3in1-thumbs": "none stated",
    "nordland-64x32": "none stated (NRK footage)", "ie-tower": "MIT", "kitti-clips": "CC BY-NC-SA 3.0",
    "tum-clips": "CC BY 4.0", "euroc-micro": "research", "toshiki-campus": "MIT", "sharpei-lab": "none stated",
    "zlaskar-tango": "repository licence", "utbm": "CC BY-NC-SA", "landmarks": "mixed",
    "scannet-samples": "ScanNet terms, research only", "metu-vistir": "research", "toni-smartphone": "repository licence",
    "scene15-category": "research"}
GOLDEN_SEEDS = (1, 2, 3)


def golden_input(seed, length):
    """As src/core/goldenInput.ts: mulberry32 in [-1, 1)."""
    values = np.empty(length, np.float32)
    state, mask = seed & 0xFFFFFFFF, 0xFFFFFFFF
    for i in range(length):
        state = (state + 0x6D2B79F5) & mask
        t = ((state ^ (state >> 15)) * (state | 1)) & mask
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & mask)) & mask
        values[i] = ((t ^ (t >> 14)) & mask) / 4294967296 * 2 - 1
    return values


def fold_normalisation(head):
    """Linear without bias and BatchNorm without affine -> one Linear."""
    linear, norm = head[0], head[1]
    scale = (norm.running_var + norm.eps).rsqrt()
    folded = torch.nn.Linear(linear.in_features, linear.out_features)
    folded.weight.data = linear.weight.data * scale[:, None]  # [out, in]
    folded.bias.data = -norm.running_mean * scale
    return folded


def store_half(model):
    """Large fp32 initializers become fp16 with a Cast behind them; arithmetic stays fp32 (the Cast is folded at load)."""
    graph, casts = model.graph, []
    for index, tensor in enumerate(list(graph.initializer)):
        if tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) > 256:
            half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name + ".half")
            casts.append(onnx.helper.make_node("Cast", [half.name], [tensor.name], to=onnx.TensorProto.FLOAT))
            graph.initializer[index].CopyFrom(half)
    for cast in reversed(casts):
        graph.node.insert(0, cast)
    onnx.checker.check_model(model)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", required=True)
    parser.add_argument("--pool", required=True)
    parser.add_argument("--cache", required=True, help="the decoded pool that train.py wrote")
    parser.add_argument("--out", required=True)
    parser.add_argument("--name", default="vpr_node-default-1")
    parser.add_argument("--size", type=int, nargs=2, help="input height and width; default: the last training size")
    options = parser.parse_args()
    with open(os.path.join(options.work, "arguments.json")) as file:
        training = json.load(file)
    height, width = options.size or training["final_size"]
    saved = torch.load(os.path.join(options.work, "checkpoint.pt"), weights_only=True)
    net = PlaceNet()
    net.load_state_dict(saved["average"])
    items = load_manifest(options.pool)
    pool = split_pool(items)
    cache = load_cache(options.pool, items, options.cache)
    settle(net, cache, pool, (height, width), training["seed"])
    held_out = Validation(options.pool, items, pool.validation, cache, height, width).measure(net)
    for name, values in held_out.items():
        print(f"{name:9} float {values[0]:.3f}  code {values[1]:.3f}  two-stage {values[2]:.3f}")
    folded = copy.deepcopy(net)
    folded.descriptor, folded.hash = fold_normalisation(net.descriptor), fold_normalisation(net.hash)

    os.makedirs(options.out, exist_ok=True)
    path = os.path.join(options.out, "model.onnx")
    torch.onnx.export(folded, torch.zeros(1, 3, height, width), path, input_names=["image"],
                      output_names=["descriptor", "hash"], opset_version=17, dynamo=False)
    onnx.save(store_half(onnx.load(path)), path)

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    golden, worst = [], 0.0
    for seed in GOLDEN_SEEDS:
        image = golden_input(seed, 3 * height * width).reshape(1, 3, height, width)
        descriptor, logits = session.run(None, {"image": image})
        with torch.no_grad():
            expected = net(torch.from_numpy(image))
        worst = max(worst, *(float(np.abs(a - b.numpy()).max()) for a, b in zip((descriptor, logits), expected)))
        golden.append({"inputSeed": seed, "descriptorHead": [float(v) for v in descriptor[0, :16]],
                       "code": np.packbits(logits[0] >= 0).tobytes().hex()})
    print(f"largest difference between ONNX Runtime (fp16 weights) and PyTorch (fp32): {worst:.2e}")

    with open(path, "rb") as file:
        content = file.read()
    rows = pool.training_rows
    counts = {}
    for row in rows:
        counts[items[row]["group"]] = counts.get(items[row]["group"], 0) + 1
    with open(os.path.join(options.work, "curves.csv")) as file:
        curves = list(csv.reader(file))
    history = []
    if os.path.exists(os.path.join(options.work, "history.json")):
        with open(os.path.join(options.work, "history.json")) as file:
            history = json.load(file)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip() or "unknown"
    every = max(1, len(curves) // 40)
    manifest = {
        "formatVersion": 1,
        "name": options.name,
        "architecture": "placenet",
        "files": [{"name": "model.onnx", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}],
        "input": {"name": "image", "layout": "nchw-f32", "height": height, "width": width, "resize": "bilinear-aa",
                  "normalize": "after-resize", "mean": [MEAN] * 3, "std": [STD] * 3},
        "descriptorDimension": DESCRIPTOR_SIZE,
        "binarizer": {"kind": "hash"},
        "precision": "fp32",
        "licence": "Apache-2.0 as a work of this project; some training images are for research use only, see models/README.md",
        "provenance": {
            "trainedBy": "models/training in this repository, from its own random initial weights",
            "commit": commit,
            "distilledFrom": "EfficientNet-Lite0 (ImageNet, Apache-2.0), maps of block 10; no weight of it is in this file"
            if training["teacher"] else None,
            "parameters": sum(p.numel() for p in net.parameters()),
            "weightStorage": "fp16, computed in fp32",
            "trainingImages": {group: {"images": number, "licence": LICENCES[group]} for group, number in counts.items()},
            "arguments": {key: training[key] for key in ("seed", "seconds", "steps", "places", "rate", "size", "final_size",
                                                         "final_from", "distil_until", "distil_weight", "kinds")},
            "steps": saved["state"]["step"],
            "trainingSeconds": round(saved["state"]["elapsed"]),
            "heldOutRecallAt1": {name: {"float": round(float(v[0]), 4), "code": round(float(v[1]), 4), "twoStage": round(float(v[2]), 4)}
                                 for name, v in held_out.items()},
            "history": history,
            "curves": {"columns": ["step", "seconds", "rate", "metric", "hashing", "constraint", "distillation"],
                       "rows": [[float(v) for v in row] for row in curves[::every]]},
        },
        "golden": golden,
    }
    with open(os.path.join(options.out, "model.json"), "w") as file:
        json.dump(manifest, file, indent=2)
        file.write("\n")
    print(f"{path}: {len(content)} bytes")


if __name__ == "__main__":
    main()
