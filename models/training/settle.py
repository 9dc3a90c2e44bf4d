"""Measures the running mean's normalisation statistics anew at the size it will run at.

The running mean of weights is no network that ever saw a batch, and its last steps are few; statistics over clean
training images at the input size fit it better than averaged ones do."""

import numpy as np
import torch
from torch.nn import functional as F

from augment import views
from data import BatchSampler
from validate import MEAN, STD


@torch.no_grad()
def settle(net, cache, pool, size, seed, batches=24, augmented=False):
    """Changes `net` in place; leaves it in evaluation mode."""
    norms = [m for m in net.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # plain average over the batches
    net.train()
    sampler = BatchSampler(pool, 64, seed)
    for step in range(batches):
        rows = sampler.batch(step)[0]
        images = torch.from_numpy(cache[rows])
        if augmented:
            x = views(images, torch.Generator().manual_seed(seed + step), *size)[0]
        else:
            x = F.interpolate(images.float() / 255, size, mode="bilinear", antialias=True, align_corners=False)
        net((x - MEAN) / STD)
    net.eval()
