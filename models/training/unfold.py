"""What a further phase of training starts from where the checkpoints of the earlier ones are gone: the model that ships.

`python unfold.py --model ../default --pool POOL --cache runs/cache.npy --teacher runs/teacher.npy --out runs/shipped [--rendered FOLDER]`
Writes checkpoint-0.pt and so on, one of each trunk, for `train.py --warm-start`, provenance-0.json and so on, which export.py hands on, and
heads.pt and heads.json, the whole network as fit_heads.py writes it. What the export folded together comes apart again: every
convolution gets a normalisation that changes nothing, its statistics those of views of training images, as the network would have
kept them. A trunk's own descriptor starts as its part of the shipped one. Weights are what the file has: in steps of 8 bits."""

import argparse
import json
import os

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper

from augment import views
from data import BatchSampler, load_cache, load_items, split_pool
from network import GRADIENTS_SIZE, ShippedNet
from teacher import teacher_statistics
from validate import MEAN, STD

BATCHES, BATCH_PLACES, SEED = 30, 48, 1


def stored_weights(path):
    """{name: fp32 array} of the initializers that export.py's `store_small` made small."""
    tensors = {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    out = {}
    for name, values in tensors.items():
        if name.endswith(".int8"):
            out[name[:-5]] = values.astype(np.float32) * tensors[name[:-5] + ".scale"]
        elif not name.endswith(".scale"):
            out[name.removesuffix(".half")] = values.astype(np.float32)
    return out


def load_shipped(path):
    """The network of a model file, its normalisations doing nothing but add: a ShippedNet in evaluation mode."""
    graph, weights = onnx.load(path).graph, stored_weights(path)
    convolutions = [node.input for node in graph.node if node.op_type == "Conv" and len(node.input) == 3]
    folded = [(weights[inputs[1]], weights[inputs[2]]) for inputs in convolutions if not inputs[1].startswith("teacher_maps")]
    trunks = sum(name.startswith("teacher_maps") and name.endswith("weight") for name in weights)
    net = ShippedNet(trunks).eval()
    named = {name: torch.from_numpy(values.copy()) for name, values in weights.items() if name in net.state_dict()}
    net.load_state_dict(named, strict=False)
    net.nets[0].gradients.norm.num_batches_tracked.fill_(1)
    for other in net.nets[1:]:
        other.gradients.load_state_dict(net.nets[0].gradients.state_dict())
    # In the order of the graph: all trunks, then what is pooled of each.
    layers = [*(pair for each in net.nets for pair in normalised(each.trunk)),
              *(pair for each in net.nets for part in (each.pooled_map, each.layout_map) for pair in normalised(part))]
    assert len(layers) == len(folded), f"expected {len(layers)} convolutions, got {len(folded)}"
    for (convolution, norm), (weight, bias) in zip(layers, folded):
        convolution.weight.data.copy_(torch.from_numpy(weight.copy()))
        norm.running_var.fill_(1 - norm.eps)
        norm.bias.data.copy_(torch.from_numpy(bias.copy()))
    return net


def normalised(module):
    """Its convolutions with the normalisation that follows each, in the order of execution."""
    layers = [m for m in module.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.BatchNorm2d))]
    return list(zip(layers[0::2], layers[1::2]))


@torch.no_grad()
def keep_statistics(net, batches):
    """Gives every normalisation the statistics of what it is fed and the scale and offset that undo them: the same function, in the shape
    in which it is trained on. batches: lists of images [B, 3, H, W] normalised."""
    layers = [layer for module in (net.trunk, net.pooled_map, net.layout_map) for layer in normalised(module)]
    sums = [[0, 0, 0] for _ in layers]

    def note(total):
        def hook(_, __, out):
            total[0] += out.numel() / out.shape[1]
            total[1] = total[1] + out.double().sum((0, 2, 3))
            total[2] = total[2] + out.double().square().sum((0, 2, 3))
        return hook

    hooks = [convolution.register_forward_hook(note(total)) for (convolution, _), total in zip(layers, sums)]
    for images in batches:
        net.seen(net.features(images))
    for hook in hooks:
        hook.remove()
    for (_, norm), (count, first, second) in zip(layers, sums):
        mean = first / count
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(second / count - mean * mean)
        norm.weight.data.copy_((norm.running_var + norm.eps).sqrt())
        norm.bias.data.add_(norm.running_mean)


def checkpoint(shipped, number, batches, mean, std):
    """What train.py's --warm-start reads, of one trunk. mean, std: the teacher's, [1, 112, 1, 1]."""
    net = shipped.nets[number]
    keep_statistics(net, batches)
    seen, weight = net.seen_size, shipped.learned.weight.data
    mine = torch.cat([weight[:, number * seen:(number + 1) * seen], weight[:, -GRADIENTS_SIZE:]], 1)
    # Its length is the normalisation's affair; that of a fresh layer suits the rate.
    net.descriptor[0].weight.data.copy_(mine / mine.norm(dim=1, keepdim=True) * 3 ** -0.5)
    foretell = shipped.teacher_maps[number]
    project = {"weight": foretell.weight.data / std.view(-1, 1, 1, 1), "bias": (foretell.bias.data - mean.flatten()) / std.flatten()}
    return {"average": net.state_dict(), "project": project}


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("--model", "--pool", "--cache", "--teacher", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--rendered")
    options = parser.parse_args()
    items = load_items(options.pool, options.rendered)
    cache, pool = load_cache(options.pool, items, options.cache), split_pool(items)
    with open(os.path.join(options.model, "model.json")) as file:
        trunks = json.load(file)["provenance"]["trunks"]
    path = os.path.join(options.model, "model.onnx")
    size = [d.dim_value for d in onnx.load(path).graph.input[0].type.tensor_type.shape.dim[2:]]
    net = load_shipped(path)
    probe = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(SEED))
    expected = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(["descriptor"], {"image": probe.numpy()})[0]
    os.makedirs(options.out, exist_ok=True)

    def write(name, content):
        with open(os.path.join(options.out, name), "w") as file:
            json.dump(content, file)

    write("heads.json", {"size": size, "runs": [f"checkpoint-{number}.pt" for number in range(len(trunks))]})
    torch.save(net.state_dict(), os.path.join(options.out, "heads.pt"))
    sampler, batches = BatchSampler(pool, BATCH_PLACES, SEED), []
    for step in range(BATCHES):
        rows, geometry = sampler.batch(step)[:2]
        seen = views(torch.from_numpy(cache[rows]), torch.Generator().manual_seed(step), *size, geometry=torch.from_numpy(geometry))[0]
        batches.append((seen - MEAN) / STD)
    statistics = tuple(teacher_statistics(np.load(options.teacher, mmap_mode="r"), pool))
    for number, trunk in enumerate(trunks):
        write(f"provenance-{number}.json", trunk)
        torch.save(checkpoint(net, number, batches, *statistics), os.path.join(options.out, f"checkpoint-{number}.pt"))
    print(f"largest difference between the file and the network taken apart: {np.abs(net(probe)[0].numpy() - expected).max():.1e}")


if __name__ == "__main__":
    main()
