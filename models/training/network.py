"""The student: a small convolutional network with a float branch and a hash branch.

Early downsampling and plain convolutions, because both the training and the robot run on a CPU; multi-scale blocks as
the paper's MultiConv adapter (sec. III-B); GeM pooling over the whole map and over six overlapping windows,
and a coarse grid of a few channels that keeps the layout of the scene."""

import math

import torch
from torch import nn
from torch.nn import functional as F

DESCRIPTOR_SIZE = 512
CODE_BITS = 512
MAP_CHANNELS = 128
STRIDE = 8
# Cells of the layout part: signed means, not GeM, as coarse gradients are what a season leaves unchanged.
LAYOUT_HEIGHT, LAYOUT_WIDTH = 4, 6
ORIENTATIONS, GRADIENT_CELLS = 6, 8


def conv(inputs, outputs, kernel=3, stride=1, dilation=1, relu=True):
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, dilation * (kernel // 2), dilation, bias=False),
              nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if relu else nn.Sequential(*layers)


class Bottleneck(nn.Module):
    def __init__(self, channels, inner):
        super().__init__()
        self.body = nn.Sequential(conv(channels, inner, 1), conv(inner, inner, 3), conv(inner, channels, 1, relu=False))

    def forward(self, x):
        return F.relu(x + self.body(x))


class MultiScale(nn.Module):
    """Three receptive fields side by side; the widest is a dilated 3x3 (the paper's is a 5x5: same reach, a third of the cost)."""

    def __init__(self, channels):
        super().__init__()
        half, narrow, wide = channels // 2, channels // 8, 3 * channels // 8
        self.reduce = conv(channels, half, 1)
        self.branch1 = conv(half, channels // 4, 1)
        self.branch2 = nn.Sequential(conv(half, narrow, 1), conv(narrow, wide, 3))
        self.branch3 = nn.Sequential(conv(half, narrow, 1), conv(narrow, wide, 3, dilation=2))
        self.expand = conv(channels, channels, 1, relu=False)

    def forward(self, x):
        h = self.reduce(x)
        return F.relu(x + self.expand(torch.cat([self.branch1(h), self.branch2(h), self.branch3(h)], 1)))


def generalized_mean(cubes, window=None, stride=None):
    """GeM pooling with p = 3 over the whole map or over windows: (mean x^3)^(1/3). cubes: x^3 > 0, [B, C, H, W]."""
    mean = F.avg_pool2d(cubes, window, stride) if window else cubes.mean((2, 3), keepdim=True)
    return mean.pow(1 / 3).flatten(1)


class Gradients(nn.Module):
    """Fixed oriented gradients on an 8x8 grid, normalised over 3x3 cells: what HOG is made of. [B, 3, H, W] -> [B, 384].

    No parameters: a short training does not find features that hold over the seasons as these do; what it learns is how
    much to trust each cell and direction."""

    def __init__(self):
        super().__init__()
        angles = torch.arange(ORIENTATIONS) * (math.pi / ORIENTATIONS)
        difference = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
        along = [a.cos() * difference + a.sin() * difference.T for a in angles]
        # [out, in, kH, kW]: one kernel a direction over the mean of the three colours.
        self.register_buffer("kernels", torch.stack(along)[:, None].expand(-1, 3, -1, -1).clone() / 3)
        self.norm = nn.BatchNorm1d(ORIENTATIONS * GRADIENT_CELLS ** 2, affine=False)

    def forward(self, image):
        steps = F.conv2d(image, self.kernels, padding=1).abs()
        # The largest response stands for the magnitude; a direction counts as far as it is above 0.7 of that.
        cells = F.adaptive_avg_pool2d(F.relu(steps - 0.7 * steps.amax(1, keepdim=True)), GRADIENT_CELLS)
        energy = F.avg_pool2d((cells * cells).sum(1, keepdim=True), 3, 1, 1, count_include_pad=False)
        return self.norm((cells / (energy + 1e-6).sqrt()).flatten(1))


class PlaceNet(nn.Module):
    """image [B, 3, H, W] normalised, H a multiple of 16 and W of 32 -> descriptor [B, 512] and hash logits [B, 512], both L2."""

    def __init__(self, whole=192, windowed=80, layout=24):
        super().__init__()
        self.trunk = nn.Sequential(
            conv(3, 16, 3, 2), conv(16, 48, 3, 2), Bottleneck(48, 32),
            conv(48, MAP_CHANNELS, 3, 2), Bottleneck(MAP_CHANNELS, 48), MultiScale(MAP_CHANNELS),
            Bottleneck(MAP_CHANNELS, 48), MultiScale(MAP_CHANNELS))
        self.pooled_map = conv(MAP_CHANNELS, whole, 1, relu=False)
        self.windowed = windowed
        self.layout_map = conv(MAP_CHANNELS, layout, 1, relu=False)
        pooled = whole + 6 * windowed + LAYOUT_HEIGHT * LAYOUT_WIDTH * layout + ORIENTATIONS * GRADIENT_CELLS ** 2
        self.gradients = Gradients()
        # Without affine: the mean goes (as in the centred baselines), and each bit splits the training images in half.
        self.descriptor = nn.Sequential(nn.Linear(pooled, DESCRIPTOR_SIZE, bias=False),
                                        nn.BatchNorm1d(DESCRIPTOR_SIZE, affine=False))
        self.hash = nn.Sequential(nn.Linear(pooled, CODE_BITS, bias=False), nn.BatchNorm1d(CODE_BITS, affine=False))

    def features(self, image):
        return self.trunk(image)

    def heads(self, features, image):
        height, width = features.shape[2] // 2, features.shape[3] // 2
        x = self.pooled_map(features).clamp(min=1e-3)
        cubes = x * x * x
        # Windows of half the height and half the width: two rows, three columns that overlap by half.
        pooled = torch.cat([generalized_mean(cubes),
                            generalized_mean(cubes[:, :self.windowed], (height, width), (height, width // 2)),
                            F.adaptive_avg_pool2d(self.layout_map(features), (LAYOUT_HEIGHT, LAYOUT_WIDTH)).flatten(1),
                            self.gradients(image)], 1)
        return F.normalize(self.descriptor(pooled)), F.normalize(self.hash(pooled))

    def forward(self, image):
        return self.heads(self.features(image), image)
