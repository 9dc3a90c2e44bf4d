"""Weights by a formula: any machine makes the same checkpoint without a download. The TypeScript twin is
src/onnx/layers/RandomWeights.ts; both must agree bit for bit.

seed = FNV-1a 32 of the key; u_i = i-th mulberry32 value / 2^32; the range depends on the last word of the key and the shape.
"""
import numpy as np


def fnv1a(text):
    h = 0x811C9DC5
    for byte in text.encode():
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


def mulberry32(seed, count):
    with np.errstate(over="ignore"):
        state = (np.uint32(seed) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)).astype(np.uint32)
        t = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
        t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
        return t ^ (t >> np.uint32(14))


def value_range(key, shape):
    """(low, width) of the uniform distribution of one tensor."""
    last = key.split(".")[-1]
    if last == "running_var":
        return 0.5, 1.0
    if last == "running_mean":
        return -0.2, 0.4
    if last == "gamma":
        return 0.1, 0.4
    if last == "p":
        return 2.5, 1.0
    if last in ("cls_token", "pos_embed", "mask_token", "queries", "centroids", "dust_bin", "vocabulary"):
        return -0.5, 1.0
    if last in ("weight", "in_proj_weight"):
        if len(shape) == 1:
            return 0.6, 0.8
        fan_in = 1
        for size in shape[1:]:
            fan_in *= size
        bound = float(np.sqrt(3.0 / fan_in))
        return -bound, 2 * bound
    return -0.1, 0.2


def formula_tensor(key, shape):
    count = int(np.prod(shape)) if len(shape) else 1
    low, width = value_range(key, shape)
    u = mulberry32(fnv1a(key), count).astype(np.float64) / 4294967296.0
    return (low + width * u).astype(np.float32).reshape(shape)


def fill(module):
    """Fills a torch module's state dict in place; returns its keys and shapes."""
    import torch

    listing = {}
    state = module.state_dict()
    for key, tensor in state.items():
        if tensor.dtype == torch.float32:
            tensor.copy_(torch.from_numpy(formula_tensor(key, tuple(tensor.shape))))
        listing[key] = [str(tensor.dtype).replace("torch.", ""), list(tensor.shape)]
    module.load_state_dict(state)
    return listing
