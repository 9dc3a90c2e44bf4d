"""Goldens of the official networks on formula weights.

    python make_goldens.py --ref FOLDER [NAME ...]

FOLDER holds clones of the official repositories (official_networks.py). Writes NAME.descriptor.npy [3, D] and NAME.hash.npy [3, 512] f32
for photographs/0..2.png (SelaVPR++) or images/0..2.png (all others), whose top left HxW pixels are normalised without resizing; for selavprpp-base-gem also the answers after
the official preprocessing, antialias on and off. NAME.keys.json: every key of the state dict with type and shape.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from formula_weights import fill
from official_networks import build, side_of

HERE = Path(__file__).parent
MEAN = np.array([0.485, 0.456, 0.406])
STD = np.array([0.229, 0.224, 0.225])


def official_preprocessing(image, size, antialias):
    """datasets_ws.py: ToTensor, Normalize, resize of the float tensor to size x size."""
    import torchvision.transforms.functional as TF

    tensor = TF.normalize(TF.to_tensor(image), MEAN.tolist(), STD.tolist())
    return TF.resize(tensor, [size, size], antialias=antialias)[None]


def answers(model, inputs):
    out = {}
    with torch.no_grad():
        for x in inputs:
            y = model(x)
            if isinstance(y, tuple) and len(y) == 3:
                pair = {"descriptor": y[2], "hash": y[0]}
            else:
                pair = {"descriptor": y[0] if isinstance(y, tuple) else y}
            for key, value in pair.items():
                out.setdefault(key, []).append(value.numpy()[0])
    return {key: np.stack(value).astype(np.float32) for key, value in out.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ref", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("names", nargs="+")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for name in args.names:
        folder = "photographs" if name.startswith("selavprpp") else "images"
        images = [Image.open(HERE / folder / f"{i}.png").convert("RGB") for i in range(3)]
        torch.manual_seed(0)
        model = build(args.ref, name)
        listing = fill(model)
        model.eval()
        side = side_of(name)
        inputs = [
            torch.from_numpy((((np.asarray(im)[:side, :side] / 255.0) - MEAN) / STD).astype(np.float32).transpose(2, 0, 1)[None].copy())
            for im in images
        ]
        result = answers(model, inputs)
        for key, value in result.items():
            np.save(HERE / f"{name}.{key}.npy", value)
        (HERE / f"{name}.keys.json").write_text(json.dumps(listing, separators=(",", ":")).replace('],"', '],\n"') + "\n")
        if name == "selavprpp-base-gem":
            for antialias in (True, False):
                both = answers(model, [official_preprocessing(im, 322, antialias) for im in images])
                for key, value in both.items():
                    np.save(HERE / f"{name}.antialias-{'on' if antialias else 'off'}.{key}.npy", value)
        print(name, {key: value.shape for key, value in result.items()}, len(listing), "tensors", flush=True)


if __name__ == "__main__":
    main()
