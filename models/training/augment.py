"""Seeded, vectorised views of a batch: viewpoint first (one sampling grid an image), then condition."""

import math

import torch
from torch.nn import functional as F


def _uniform(generator, count, low, high):
    return torch.rand(count, generator=generator) * (high - low) + low


def _some(generator, count, probability):
    return torch.rand(count, generator=generator) < probability


def homographies(count, generator, strength):
    """[count, 3, 3]: from view coordinates in [-1, 1] to image coordinates. strength: [count], 0..1, times 1.2 in training.

    Crop of 58..100 % at strength 1 (with the lateral shift it leaves room for), anisotropy, roll, and the perspective of a yaw."""
    zoom = 1 - strength * _uniform(generator, count, 0, 0.42)
    aspect = torch.exp(strength * _uniform(generator, count, -0.18, 0.18))
    room = 1 - zoom
    # A lateral shift may look past the border by a little: the border repeats there.
    shift_x = (room + 0.12 * strength) * _uniform(generator, count, -1, 1)
    shift_y = room * _uniform(generator, count, -0.8, 0.8)
    roll = strength * _uniform(generator, count, -0.09, 0.09)
    matrix = torch.zeros(count, 3, 3)
    matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 0, 2] = zoom * aspect * roll.cos(), -zoom * roll.sin(), shift_x
    matrix[:, 1, 0], matrix[:, 1, 1], matrix[:, 1, 2] = zoom * roll.sin(), zoom / aspect * roll.cos(), shift_y
    matrix[:, 2, 0] = strength * _uniform(generator, count, -0.22, 0.22)
    matrix[:, 2, 1] = strength * _uniform(generator, count, -0.12, 0.12)
    matrix[:, 2, 2] = 1
    return matrix


def grid(matrix, sidestep, height, width):
    """Sampling grid [B, height, width, 2] for `grid_sample` with align_corners=False.

    sidestep: [B], half image widths that the nearest surfaces move when the camera steps to the side. What is far, in the
    middle of a street or a corridor, stays: the shift grows with the distance from the vanishing point, as it does on
    the walls, the floor and the ceiling of a corridor."""
    y = (torch.arange(height) + 0.5) * 2 / height - 1
    x = (torch.arange(width) + 0.5) * 2 / width - 1
    points = torch.stack([x[None].expand(height, width), y[:, None].expand(height, width),
                          torch.ones(height, width)], -1).reshape(1, -1, 3)
    shift = sidestep[:, None] * points[..., :2].abs().amax(-1)
    points = torch.cat([points[..., :1] + shift[..., None], points[..., 1:].expand(len(matrix), -1, -1)], -1)
    mapped = points @ matrix.transpose(1, 2)
    return (mapped[..., :2] / mapped[..., 2:]).reshape(len(matrix), height, width, 2)


def warp(images, viewpoint, height, width):
    """viewpoint: (homographies, sidesteps) as `views` returns them."""
    return F.grid_sample(images, grid(*viewpoint, height, width), padding_mode="border", align_corners=False)


def conditions(x, generator, strength):
    """Exposure, gamma, contrast, colour, night, grey, low resolution, blur, rain and occluders, noise.

    x: [B, 3, H, W] in 0..1, changed in place where that is cheap; strength: [B] in 0..1."""
    count, _, height, width = x.shape

    def scalar(values):
        return values.view(-1, 1, 1, 1)

    # Low resolution first: a small sensor sees the scene before anything else is done to it.
    for number, (low_width, low_height) in enumerate(((64, 32), (48, 32), (64, 48))):
        chosen = _some(generator, count, 0.09) & (strength > 0.3)
        if chosen.any():
            small = F.interpolate(x[chosen], (low_height, low_width), mode="area" if number == 2 else "bilinear",
                                  antialias=number != 2, align_corners=None if number == 2 else False)
            x[chosen] = F.interpolate(small, (height, width), mode="bilinear", align_corners=False)
    grey = _some(generator, count, 0.22)
    x[grey] = (x[grey] * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    # A light that differs over the image: a linear ramp (sun from one side, headlights below).
    ramp = _some(generator, count, 0.3)
    if ramp.any():
        number = int(ramp.sum())
        ys, xs = torch.linspace(-1, 1, height).view(1, 1, -1, 1), torch.linspace(-1, 1, width).view(1, 1, 1, -1)
        x[ramp] *= (1 + scalar(_uniform(generator, number, -0.5, 0.5)) * xs + scalar(_uniform(generator, number, -0.5, 0.5)) * ys)
    colour = 1 + strength.view(-1, 1) * (torch.rand(count, 3, generator=generator) - 0.5) * 0.4
    gain = torch.exp(strength * _uniform(generator, count, -0.6, 0.5))
    x *= scalar(gain) * colour.view(count, 3, 1, 1)
    gamma = torch.exp(strength * _uniform(generator, count, -0.55, 0.55))
    night = _some(generator, count, 0.12) & (strength > 0.3)
    gamma[night] = gamma[night] * _uniform(generator, int(night.sum()), 1.3, 2.4)
    x.clamp_(1e-4, 1).pow_(scalar(gamma))
    x[night] *= scalar(_uniform(generator, int(night.sum()), 0.25, 0.8))
    contrast = torch.exp(strength * _uniform(generator, count, -0.5, 0.4))
    mean = x.mean((1, 2, 3), keepdim=True)
    x.sub_(mean).mul_(scalar(contrast)).add_(mean + scalar(strength * _uniform(generator, count, -0.08, 0.08)))
    # Snow and fog: towards white, more so in a horizontal band.
    fog = _some(generator, count, 0.1)
    if fog.any():
        number = int(fog.sum())
        amount = scalar(_uniform(generator, number, 0.1, 0.5))
        slope = torch.linspace(-1, 1, height).view(1, 1, -1, 1) * scalar(_uniform(generator, number, -0.6, 0.6))
        amount = (amount * (1 + slope)).clamp(0, 0.8)
        x[fog] = x[fog] * (1 - amount) + amount * scalar(_uniform(generator, number, 0.6, 1))
    blur = _some(generator, count, 0.15)
    if blur.any():
        angle, length = _uniform(generator, 1, 0, math.pi).item(), _uniform(generator, 1, 0.5, 2.2).item()
        ys, xs = torch.meshgrid(torch.arange(-3.0, 4), torch.arange(-3.0, 4), indexing="ij")
        along, across = xs * math.cos(angle) + ys * math.sin(angle), ys * math.cos(angle) - xs * math.sin(angle)
        kernel = torch.exp(-along ** 2 / (2 * length ** 2) - across ** 2 / (2 * min(length, 0.8) ** 2))
        kernel = (kernel / kernel.sum()).expand(3, 1, 7, 7)
        x[blur] = F.conv2d(F.pad(x[blur], (3, 3, 3, 3), mode="replicate"), kernel, groups=3)
    # Occluders: one rectangle of flat colour; rain: thin bright lines.
    for index in _some(generator, count, 0.25).nonzero().flatten().tolist():
        r = torch.rand(6, generator=generator).tolist()
        h, w = int(height * (0.1 + 0.3 * r[0])), int(width * (0.1 + 0.25 * r[1]))
        top, left = int(r[2] * (height - h)), int(r[3] * (width - w))
        x[index, :, top:top + h, left:left + w] = r[4] * 0.8
    for index in _some(generator, count, 0.05).nonzero().flatten().tolist():
        columns = torch.randint(0, width, (12,), generator=generator)
        x[index, :, :, columns] = x[index, :, :, columns] * 0.6 + 0.3
    noisy = _some(generator, count, 0.3)
    if noisy.any():
        number = int(noisy.sum())
        x[noisy] += scalar(_uniform(generator, number, 0.01, 0.07)) * torch.randn(number, 1, height, width, generator=generator)
    return x.clamp_(0, 1)


def views(images, generator, height, width, strength_low=0.0, geometry=None):
    """images: [B, 3, h, w] u8 -> ([B, 3, height, width] in 0..1, (homographies [B, 3, 3], sidesteps [B])).

    geometry: [B] factors of the viewpoint change, or none. Every image draws its own strength, so that some views stay almost
    clean, as references in a map are."""
    strength = _uniform(generator, len(images), strength_low, 1)
    moved = strength if geometry is None else strength * geometry
    viewpoint = homographies(len(images), generator, moved), moved * _uniform(generator, len(images), -0.3, 0.3)
    x = warp(images.float().div_(255), viewpoint, height, width)
    return conditions(x, generator, strength), viewpoint
