"""The official networks, built from clones of their repositories without a download: one function a family.

The clones lie in one folder under the names of REPOSITORIES. What only training or a command line imports is replaced by an
empty module; what had to be repaired for the code to run is repaired in `repaired`, line by line, and said there.
"""
import functools
import importlib
import importlib.machinery
import sys
import types

import torch

REPOSITORIES = {
    "selavprpp": "SelaVPRplusplus",
    "boq": "amaralibey+Bag-of-Queries",
    "salad": "serizba+salad",
    "mixvpr": "amaralibey+MixVPR",
    "cosplace": "gmberton+CosPlace",
    "eigenplaces": "gmberton+EigenPlaces",
    "netvlad": "Nanne+pytorch-NetVlad",
    "cricavpr": "Lu-Feng+CricaVPR",
    "salad-cm": "serizba+cliquemining",
    "emvp": "vincentqqb+EMVP",
    "anyloc": "AnyLoc+AnyLoc",
    "sfrs": "yxgeee+OpenIBL",
    "gsv": "amaralibey+gsv-cities",
    "patchnetvlad": "QVPR+Patch-NetVLAD",
}
# Of the crop that parity is checked on, pixels: the network's own where its weights are bound to it.
SIDES = {"boq-resnet50": 384, "cricavpr": 224, "anyloc": 224, "anyloc-miniature": 224}
VIT_SIDE = 322
OTHER_SIDE = 320


# Modules of the repositories that go by the same names in several of them.
TOP_LEVEL = ("model", "models", "backbone", "backbones", "network", "boq", "utilities", "ibl", "patchnetvlad")


def side_of(name):
    """Side of the square crop on which a network is compared."""
    vit = name.split("-")[0] in ("selavprpp", "salad", "emvp") or name == "boq-dinov2"
    return SIDES.get(name, VIT_SIDE if vit else OTHER_SIDE)


def stub(name, **members):
    module = types.ModuleType(name)
    module.__dict__.update(members)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    sys.modules[name] = module


def official(ref, family):
    for name in [n for n in sys.modules if n.split(".")[0] in TOP_LEVEL]:
        del sys.modules[name]
    root = ref / REPOSITORIES[family]
    sys.path[:0] = [str(root), str(root / "src")]


def dino_from_hub(ref):
    """torch.hub.load('facebookresearch/dinov2', name) without a download."""

    def load(repository, name, *_, **__):
        assert "dinov2" in repository, repository
        sys.path.insert(0, str(ref / "facebookresearch+dinov2"))
        vits = importlib.import_module("dinov2.models.vision_transformer")
        if name == "miniature":
            block = functools.partial(vits.Block, attn_class=vits.MemEffAttention)
            small = dict(embed_dim=128, depth=4, num_heads=2, mlp_ratio=4, block_fn=block, ffn_layer="swiglufused")
            return vits.DinoVisionTransformer(patch_size=14, img_size=518, init_values=1.0, block_chunks=0, **small)
        make = {"dinov2_vitb14": vits.vit_base, "dinov2_vitl14": vits.vit_large, "dinov2_vitg14": vits.vit_giant2}[name]
        more = {"ffn_layer": "swiglufused"} if name == "dinov2_vitg14" else {}
        return make(patch_size=14, img_size=518, init_values=1.0, block_chunks=0, **more)

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
    official(ref, name)
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

    backbone = {"resnet50": "ResNet50", "resnet101": "ResNet101", "resnet18": "ResNet18", "vgg16": "VGG16"}[name.split("-")[1]]
    features = 512 if backbone in ("VGG16", "ResNet18") else 2048
    dimension = 32 if backbone == "ResNet18" else features
    if family == "cosplace":
        package.get_pretrained_torchvision_model = lambda n: getattr(torchvision.models, n.lower())()
        return package.GeoLocalizationNet(backbone, dimension)
    # EigenPlaces starts from CosPlace's weights; the network is built, the download is not made.
    net = getattr(torchvision.models, backbone.lower())()
    parts = list(net.children())[:-2] if backbone.startswith("ResNet") else list(net.features.children())[:-2]
    package._get_backbone = lambda n: (torch.nn.Sequential(*parts), features)
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


def repaired(module_name, source, repairs):
    """Imports a module from its source with lines replaced: [(wrong, right)], each of which must be there."""
    text = source.read_text()
    for wrong, right in repairs:
        assert wrong in text, f"{source}: {wrong}"
        text = text.replace(wrong, right)
    module = types.ModuleType(module_name)
    module.__package__ = module_name.rpartition(".")[0]
    exec(compile(text, str(source), "exec"), module.__dict__)
    return module


def emvp(ref, name):
    """With train.sh's flags. Three repairs: the import of adapter.py, which is not in the repository and not used; twice
    'gpn', the former name of DPN, where the flags now say 'dpn'. (helper.py, whose 'CFProbing' test can never be true, is
    not asked: the classes are built here.) That a released checkpoint has these keys is not known."""
    dino_from_hub(ref)
    official(ref, "emvp")
    stub("prettytable", PrettyTable=PrettyTable)
    models = ref / REPOSITORIES["emvp"] / "models"
    backbone = repaired(
        "models.backbones.dinov2",
        models / "backbones/dinov2.py",
        [
            ("from .PSRP import *\nfrom .adapter import Adapter\n", ""),
            ("if self.recalibration.startswith('gpn'):", "if self.recalibration.startswith('dpn'):"),
        ],
    )
    aggregator = repaired(
        "models.aggregators.centroid_free_probing",
        models / "aggregators/centroid_free_probing.py",
        [("self.post_norm.startswith('gpn')", "self.post_norm.startswith('dpn')")],
    )
    vit, width = ("dinov2_vitl14", 1024) if name.endswith("large") else ("dinov2_vitb14", 768)
    return Composed(
        backbone.DINOv2(vit, num_trainable_blocks=0, num_recalib_blocks=4, norm_layer=True, return_token=True, recalibration="dpn_s1"),
        aggregator.CFProbing(num_channels=width, remove_mean=True, constant_norm="softmax", post_norm="dpn", with_token=True, final_norm=True),
    )


class PrettyTable:
    """Stands for prettytable, which prints the configuration."""

    def __init__(self):
        self.align = {}

    def add_row(self, row):
        pass

    def get_string(self, title):
        return title


class AnyLoc(torch.nn.Module):
    """demo/anyloc_vlad_generate.py with its defaults: layer 31, value facet, hard assignment to a given vocabulary."""

    def __init__(self, utilities, dino="dinov2_vitg14", layer=31, clusters=32, width=1536):
        super().__init__()
        self.utilities = utilities
        extractor = utilities.DinoV2ExtractFeatures(dino, layer, "value")
        self.backbone = extractor.dino_model
        self.extractor = [extractor]
        self.vocabulary = torch.nn.Parameter(torch.rand(clusters, width))

    def forward(self, x):
        vlad = self.utilities.VLAD(self.vocabulary.shape[0], desc_dim=self.vocabulary.shape[1])
        vlad.kmeans = self.utilities.fpk.KMeans(self.vocabulary.shape[0], mode="cosine")
        vlad.c_centers = vlad.kmeans.centroids = self.vocabulary.detach()
        return vlad.generate(self.extractor[0](x).squeeze())[None]


def anyloc(ref, name):
    """Needs einops and fast-pytorch-kmeans."""
    dino_from_hub(ref)
    official(ref, "anyloc")
    for module in ("transformers", "faiss", "faiss.contrib", "faiss.contrib.torch_utils", "sklearn", "matplotlib", "matplotlib.pyplot"):
        stub(module)
    stub("sklearn.decomposition", PCA=None)
    utilities = importlib.import_module("utilities")
    # The same code on a network that any machine can run: four gated blocks of 128 channels, of which the third is read.
    return AnyLoc(utilities, "miniature", 2, 8, 128) if name == "anyloc-miniature" else AnyLoc(utilities)


def sfrs(ref, name):
    """EmbedNetPCA, the form of the hub checkpoint."""
    official(ref, "sfrs")
    for module in ("h5py", "sklearn"):
        stub(module)
    import torchvision

    plain = torchvision.models.vgg16
    torchvision.models.vgg16 = lambda pretrained=False: plain()
    root = ref / REPOSITORIES["sfrs"] / "ibl"
    stub("ibl.utils.serialization", load_checkpoint=None, copy_state_dict=None)
    vgg = repaired("ibl.models.vgg", root / "models/vgg.py", [("from ..utils.serialization import load_checkpoint, copy_state_dict\n", "")])
    net = repaired("ibl.models.netvlad", root / "models/netvlad.py", [])
    vgg.VGG._VGG__factory = {16: torchvision.models.vgg16}
    return net.EmbedNetPCA(vgg.vgg16(pretrained=False), net.NetVLAD(dim=512))


def gsv_cities(ref, aggregator):
    official(ref, "gsv")
    for module in ("timm",):
        stub(module)
    ResNet = importlib.import_module("models.backbones.resnet").ResNet
    return Composed(ResNet("resnet50", pretrained=False, layers_to_freeze=0, layers_to_crop=[]), aggregator())


def convap(ref, name):
    return gsv_cities(ref, lambda: importlib.import_module("models.aggregators.convap").ConvAP(2048, 1024, 2, 2))


def gem(ref, name):
    return gsv_cities(ref, lambda: importlib.import_module("models.aggregators.gem").GeMPool())


def patch_netvlad(ref, name):
    """The global descriptor of Patch-NetVLAD: NetVLAD behind PCA whitening, as feature_extract.py runs it."""
    official(ref, "patchnetvlad")
    for module in ("sklearn", "faiss"):
        stub(module)
    stub("sklearn.neighbors", NearestNeighbors=None)
    generic = importlib.import_module("patchnetvlad.models.models_generic")
    import torchvision

    class Config(dict):
        def getboolean(self, key):
            return self[key]

    encoder = torch.nn.Sequential(*list(torchvision.models.vgg16().features.children())[:-2])
    config = Config(pooling="netvlad", num_clusters=64, vladv2=False, num_pcs=128)
    model = generic.get_model(encoder, 512, config, append_pca_layer=True)
    model.forward = lambda x: generic.get_pca_encoding(model, model.pool(model.encoder(x)))
    return model


def build(ref, name):
    """The official network of a name such as boq-dinov2 or cosplace-vgg16, weights random."""
    if name == "netvlad-wpca128":
        return patch_netvlad(ref, name)
    family = name.split("-")[0]
    return (cosplace if family == "eigenplaces" else globals()[family])(ref, name)
