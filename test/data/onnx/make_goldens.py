"""Goldens of the official networks on formula weights.

    python make_goldens.py --ref FOLDER [NAME ...]

FOLDER holds clones of the official repositories (see REPOSITORIES). Writes NAME.descriptor.npy [3, D] and NAME.hash.npy [3, 512] f32
for images/0..2.png, whose top left HxW pixels are normalised without resizing; for selavprpp-base-gem also the answers after
the official preprocessing, antialias on and off. NAME.keys.json: every key of the state dict with type and shape.
"""
import argparse
import importlib
import importlib.machinery
import json
import sys
import types
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from formula_weights import fill

HERE = Path(__file__).parent
MEAN = np.array([0.485, 0.456, 0.406])
STD = np.array([0.229, 0.224, 0.225])
REPOSITORIES = {
    "selavprpp": "SelaVPRplusplus",
    "boq": "amaralibey+Bag-of-Queries",
    "salad": "serizba+salad",
    "mixvpr": "amaralibey+MixVPR",
    "cosplace": "gmberton+CosPlace",
    "eigenplaces": "gmberton+EigenPlaces",
    "netvlad": "Nanne+pytorch-NetVlad",
    "cricavpr": "Lu-Feng+CricaVPR",
}


def stub(name, **members):
    module = types.ModuleType(name)
    module.__dict__.update(members)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    sys.modules[name] = module


def official(ref, family):
    for name in [n for n in sys.modules if n.split(".")[0] in ("model", "models", "backbone", "backbones", "network", "boq")]:
        del sys.modules[name]
    root = ref / REPOSITORIES[family]
    sys.path[:0] = [str(root), str(root / "src")]


def dino_from_hub(ref):
    """torch.hub.load('facebookresearch/dinov2', name) without a download."""

    def load(repository, name, *_, **__):
        assert "dinov2" in repository, repository
        sys.path.insert(0, str(ref / "facebookresearch+dinov2"))
        vits = importlib.import_module("dinov2.models.vision_transformer")
        make = {"dinov2_vitb14": vits.vit_base, "dinov2_vitl14": vits.vit_large}[name]
        return make(patch_size=14, img_size=518, init_values=1.0, block_chunks=0)

    torch.hub.load = load


class Composed(torch.nn.Module):
    """VPRModel of SALAD and MixVPR without Lightning: backbone, aggregator."""

    def __init__(self, backbone, aggregator):
        super().__init__()
        self.backbone = backbone
        self.aggregator = aggregator

    def forward(self, x):
        return self.aggregator(self.backbone(x))


def selavprpp(ref, name):
    official(ref, "selavprpp")
    stub("faiss")
    stub("tqdm", tqdm=iter)
    _, size, head = name.split("-")
    network = importlib.import_module("model.network")
    args = types.SimpleNamespace(
        backbone=f"dinov2-{size}", aggregation=head, hashing=True, rerank=True, resume=True, foundation_model_path=None
    )
    return network.GeoLocalizationNet(args)


def boq(ref, name):
    official(ref, "boq")
    dino_from_hub(ref)
    backbones = importlib.import_module("backbones")
    BoQ = importlib.import_module("boq").BoQ
    if "dinov2" in name:
        return Composed(backbones.DinoV2(), BoQ(768, 384, 64, 2, 32))
    return Composed(backbones.ResNet("resnet50", pretrained=False, unfreeze_n_blocks=0), BoQ(1024, 512, 64, 2, 32))


def salad(ref, name):
    official(ref, "salad")
    dino_from_hub(ref)
    DINOv2 = importlib.import_module("models.backbones.dinov2").DINOv2
    SALAD = importlib.import_module("models.aggregators.salad").SALAD
    return Composed(DINOv2("dinov2_vitb14", 4, True, True), SALAD(768, 64, 128, 256))


def mixvpr(ref, name):
    official(ref, "mixvpr")
    stub("timm")
    ResNet = importlib.import_module("models.backbones.resnet").ResNet
    MixVPR = importlib.import_module("models.aggregators.mixvpr").MixVPR
    return Composed(
        ResNet("resnet50", pretrained=False, layers_to_crop=[4]), MixVPR(1024, 20, 20, 1024, mix_depth=4, mlp_ratio=1, out_rows=4)
    )


def cosplace(ref, name):
    family = name.split("-")[0]
    official(ref, family)
    package = importlib.import_module(f"{family}_model.{family}_network")
    layers = importlib.import_module(f"{family}_model.layers")
    import torchvision

    backbone = {"resnet50": "ResNet50", "resnet101": "ResNet101", "vgg16": "VGG16"}[name.split("-")[1]]
    dimension = 512 if backbone == "VGG16" else 2048
    if family == "cosplace":
        package.get_pretrained_torchvision_model = lambda n: getattr(torchvision.models, n.lower())()
        return package.GeoLocalizationNet(backbone, dimension)
    # EigenPlaces starts from CosPlace's weights; the network is built, the download is not made.
    net = getattr(torchvision.models, backbone.lower())()
    parts = list(net.children())[:-2] if backbone.startswith("ResNet") else list(net.features.children())[:-2]
    package._get_backbone = lambda n: (torch.nn.Sequential(*parts), 2048 if backbone.startswith("ResNet") else 512)
    assert layers
    return package.GeoLocalizationNet_(backbone, dimension)


def netvlad(ref, name):
    official(ref, "netvlad")
    stub("sklearn")
    stub("sklearn.neighbors", NearestNeighbors=None)
    import torchvision

    NetVLAD = importlib.import_module("netvlad").NetVLAD
    model = torch.nn.Module()
    model.encoder = torch.nn.Sequential(*list(torchvision.models.vgg16().features.children())[:-2])
    model.pool = NetVLAD(num_clusters=64, dim=512, vladv2=False)
    model.forward = lambda x: model.pool(model.encoder(x))
    return model


def cricavpr(ref, name):
    official(ref, "cricavpr")
    # Only for the DropPath that evaluation does not run.
    stub("timm.models.layers", DropPath=torch.nn.Identity)
    stub("timm.models", layers=sys.modules["timm.models.layers"])
    stub("timm", models=sys.modules["timm.models"])
    return importlib.import_module("network").CricaVPRNet()


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


SIDES = {"boq-resnet50": 384, "mixvpr": 320, "cricavpr": 224}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ref", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("names", nargs="+")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    images = [Image.open(HERE / "images" / f"{i}.png").convert("RGB") for i in range(3)]
    for name in args.names:
        family = name.split("-")[0]
        torch.manual_seed(0)
        model = {"eigenplaces": cosplace}.get(family) or globals()[family]
        model = model(args.ref, name)
        listing = fill(model)
        model.eval()
        side = SIDES.get(name, 322 if family in ("selavprpp", "boq", "salad") else 320)
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
