"""Writes the network that fit_heads.py made as a model folder: model.onnx and model.json.

`python export.py --work runs/heads --pool ../../../shared/data/train-pool --cache runs/cache.npy --out ../default --name vpr_node-default-8`"""

import argparse
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

from data import load_cache, load_items, split_pool
from network import DESCRIPTOR_SIZE, ShippedNet
from validate import MEAN, STD, Validation

# As the pool's about.md states them.
LICENCES = {
    "amos-webcams": "none stated (AMOS archive)", "sped-thumbs": "none stated", "essex3in1-thumbs": "none stated",
    "nordland-64x32": "none stated (NRK footage)", "ie-tower": "MIT", "kitti-clips": "CC BY-NC-SA 3.0",
    "tum-clips": "CC BY 4.0", "euroc-micro": "research", "toshiki-campus": "MIT", "sharpei-lab": "none stated",
    "zlaskar-tango": "repository licence", "utbm": "CC BY-NC-SA", "landmarks": "mixed",
    "scannet-samples": "ScanNet terms, research only", "metu-vistir": "research", "toni-smartphone": "repository licence",
    "scene15-category": "research", "rendered": "Apache-2.0 (sample towns of this repository)"}
ARGUMENTS = ("seed", "seconds", "steps", "places", "rate", "sizes", "distil_weight", "region_weight", "freeze", "kinds")
CURVES = ("step", "seconds", "rate", "metric", "hashing", "constraint", "distillation", "regions")
# Smaller tensors stay fp16: they weigh little, and the first layers are the most sensitive.
LEAST_INT8 = 4096
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


def store_small(model):
    """Large fp32 initializers become int8 with a scale for each output, the rest of the weights fp16, and nodes that make
    them fp32 again, which are folded when the file is loaded; all arithmetic stays fp32."""
    graph, nodes = model.graph, []

    def node(operator, inputs, output, **attributes):
        nodes.append(onnx.helper.make_node(operator, inputs, [output], **attributes))

    for index, tensor in enumerate(list(graph.initializer)):
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != onnx.TensorProto.FLOAT or values.size <= 256:
            continue
        if values.ndim >= 2 and values.size >= LEAST_INT8:
            scale = np.abs(values).max(tuple(range(1, values.ndim)), keepdims=True) / 127
            stored = numpy_helper.from_array(np.rint(values / scale).astype(np.int8), tensor.name + ".int8")
            graph.initializer.append(numpy_helper.from_array(scale, tensor.name + ".scale"))
            node("Cast", [stored.name], tensor.name + ".steps", to=onnx.TensorProto.FLOAT)
            node("Mul", [tensor.name + ".steps", tensor.name + ".scale"], tensor.name)
        else:
            stored = numpy_helper.from_array(values.astype(np.float16), tensor.name + ".half")
            node("Cast", [stored.name], tensor.name, to=onnx.TensorProto.FLOAT)
        graph.initializer[index].CopyFrom(stored)
    for made in reversed(nodes):
        graph.node.insert(0, made)
    onnx.checker.check_model(model)
    return model


def trained_run(folder):
    """What a run was: arguments, length, curves, what changed under way (history.json, where someone wrote it down); and the same of
    the run that it started from, which is looked for beside it."""
    def read(name, default=None):
        path = os.path.join(folder, name)
        if default is not None and not os.path.exists(path):
            return default
        with open(path) as file:
            return json.load(file)
    arguments = read("arguments.json")
    state = torch.load(os.path.join(folder, "checkpoint.pt"), weights_only=True)["state"]
    with open(os.path.join(folder, "curves.csv")) as file:
        rows = [[float(value) for value in row] for row in csv.reader(file)]
    warm_start = arguments.get("warm_start")
    return {"arguments": {key: arguments[key] for key in ARGUMENTS if key in arguments}, "steps": state["step"],
            "crops": arguments.get("crops") is not None,
            "trainingSeconds": round(state["elapsed"]), "history": read("history.json", []),
            "curves": {"columns": CURVES[:len(rows[0])], "rows": rows[::max(1, len(rows) // 40)]},
            "warmStart": started_from(warm_start, os.path.dirname(os.path.abspath(folder))) if warm_start else None}


def started_from(checkpoint, runs):
    """What made a checkpoint: a run in the folder `runs`, or what a shipped model said of the trunk that unfold.py took from it."""
    folder = os.path.join(runs, os.path.basename(os.path.dirname(checkpoint)))
    known = os.path.join(folder, os.path.basename(checkpoint).replace("checkpoint", "provenance").replace(".pt", ".json"))
    if not os.path.exists(known):
        return trained_run(folder)
    with open(known) as file:
        return json.load(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", required=True)
    parser.add_argument("--pool", required=True)
    parser.add_argument("--rendered")
    parser.add_argument("--cache", required=True, help="the decoded pool that train.py wrote")
    parser.add_argument("--out", required=True)
    parser.add_argument("--name", required=True, help="of the model, with its version")
    options = parser.parse_args()
    with open(os.path.join(options.work, "heads.json")) as file:
        fitted = json.load(file)
    height, width = fitted["size"]
    net = ShippedNet(len(fitted["runs"]))
    net.load_state_dict(torch.load(os.path.join(options.work, "heads.pt"), weights_only=True))
    net.eval()
    items = load_items(options.pool, options.rendered)
    pool = split_pool(items)
    held_out = Validation(pool.validation, load_cache(options.pool, items, options.cache), height, width).measure(net)
    for name, values in held_out.items():
        print(f"{name:9} float {values[0]:.3f}  code {values[1]:.3f}  two-stage {values[2]:.3f}")

    os.makedirs(options.out, exist_ok=True)
    path = os.path.join(options.out, "model.onnx")
    torch.onnx.export(net, torch.zeros(1, 3, height, width), path, input_names=["image"],
                      output_names=["descriptor", "hash"], opset_version=17, dynamo=False)
    onnx.save(store_small(onnx.load(path)), path)

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
    print(f"largest difference between ONNX Runtime (stored weights) and PyTorch (fp32): {worst:.2e}")

    with open(path, "rb") as file:
        content = file.read()
    rows = pool.training_rows
    counts = {}
    for row in rows:
        counts[items[row]["group"]] = counts.get(items[row]["group"], 0) + 1
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip() or "unknown"
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
            "trainedBy": "models/training in this repository; no weight comes from another network",
            "commit": commit,
            "distilledFrom": "EfficientNet-Lite0 (ImageNet, Apache-2.0), maps of block 10; no weight of it is in this file",
            "parameters": sum(int(np.prod(t.dims)) for t in onnx.load(path).graph.initializer),
            "weightStorage": "int8 with a scale for each output, small tensors fp16; computed in fp32",
            "trainingImages": {group: {"images": number, "licence": LICENCES[group]} for group, number in counts.items()},
            "heldOutRecallAt1": {name: {"float": round(float(v[0]), 4), "code": round(float(v[1]), 4), "twoStage": round(float(v[2]), 4)}
                                 for name, v in held_out.items()},
            "heads": {key: value for key, value in fitted.items() if key != "runs"},
            "trunks": [trained_run(folder) for folder in fitted["runs"]],
        },
        "golden": golden,
    }
    with open(os.path.join(options.out, "model.json"), "w") as file:
        json.dump(manifest, file, indent=2)
        file.write("\n")
    print(f"{path}: {len(content)} bytes")


if __name__ == "__main__":
    main()
