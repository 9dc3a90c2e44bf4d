"""The student: a small convolutional network with a float branch and a hash branch.

Early downsampling and plain convolutions, because both the training and the robot run on a CPU; multi-scale blocks as
the paper's MultiConv adapter (sec. III-B); GeM pooling over the whole map and over six overlapping windows,
and a coarse grid of a few channels that keeps the layout of the scene. `PlaceNet` is what train.py trains; `ShippedNet`
puts the heads on one or more of them that fit_heads.py fits with the trunks frozen."""

import math

import torch
from torch import nn
from torch.nn import functional as F

LEARNED_SIZE, TAUGHT_SIZE = 512, 512
DESCRIPTOR_SIZE = LEARNED_SIZE + TAUGHT_SIZE
CODE_BITS = 512
TEACHER_CHANNELS = 112
MAP_CHANNELS = 192
STRIDE = 16
# Cells of the layout part: signed means, not GeM, as coarse gradients are what a season leaves unchanged.
LAYOUT_HEIGHT, LAYOUT_WIDTH = 4, 5
ORIENTATIONS, GRADIENT_CELLS = 6, 8
GRADIENTS_SIZE = ORIENTATIONS * GRADIENT_CELLS ** 2


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


def generalized_mean(cubes):
    """GeM pooling with p = 3: (mean x^3)^(1/3). cubes: x^3 > 0, [B, C, H, W] -> [B, C]."""
    return cubes.mean((2, 3)).pow(1 / 3)


def windows(cubes):
    """Six windows of half the height and half the width: two rows, three columns of which the middle one overlaps."""
    height, width = cubes.shape[2] // 2, cubes.shape[3] // 2
    middle = (cubes.shape[3] - width) // 2
    return [cubes[:, :, top:top + height, left:left + width]
            for top in (0, cubes.shape[2] - height) for left in (0, middle, cubes.shape[3] - width)]


def teacher_regions(maps):
    """Mean and GeM of the whole map, twice as long, and GeM of three overlapping columns, each L2: [B, 5 C].

    maps: in the teacher's own scale, [B, C, H, W]. Of the teacher's maps of the held-out part, the whole serves look-alike
    floors and changes of viewpoint best, and columns do better than quadrants."""
    x = maps.clamp(min=1e-3)
    cubes = x * x * x
    width = 2 * round(int(maps.shape[3]) / 5)
    columns = [cubes[:, :, :, left:left + width] for left in (0, (maps.shape[3] - width) // 2, maps.shape[3] - width)]
    whole = [2 * F.normalize(x.mean((2, 3))), 2 * F.normalize(generalized_mean(cubes))]
    return torch.cat([*whole, *(F.normalize(generalized_mean(column)) for column in columns)], 1)


def cell_means(x, rows, columns):
    """Adaptive average pooling to [B, C, rows, columns] as two matrix products, which a graph can hold for every size."""
    def matrix(length, cells):
        bounds = [(i * length // cells, -(-(i + 1) * length // cells)) for i in range(cells)]
        return torch.tensor([[float(low <= p < high) / (high - low) for p in range(length)] for low, high in bounds])
    return matrix(x.shape[2], rows) @ x @ matrix(x.shape[3], columns).T


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
        self.norm = nn.BatchNorm1d(GRADIENTS_SIZE, affine=False)

    def forward(self, image):
        # At half size: finer gradients are texture, which seasons change.
        steps = F.conv2d(F.avg_pool2d(image, 2), self.kernels, padding=1).abs()
        # The largest response stands for the magnitude; a direction counts as far as it is above 0.7 of that.
        cells = F.adaptive_avg_pool2d(F.relu(steps - 0.7 * steps.amax(1, keepdim=True)), GRADIENT_CELLS)
        energy = F.avg_pool2d((cells * cells).sum(1, keepdim=True), 3, 1, 1, count_include_pad=False)
        return self.norm((cells / (energy + 1e-6).sqrt()).flatten(1))


class PlaceNet(nn.Module):
    """image [B, 3, H, W] normalised, H and W multiples of 16 -> learned descriptor [B, 512] and hash logits [B, 512], both L2."""

    def __init__(self, whole=256, windowed=64, layout=16):
        super().__init__()
        self.trunk = nn.Sequential(
            conv(3, 16, 3, 2), conv(16, 48, 3, 2), Bottleneck(48, 32),
            conv(48, 128, 3, 2), Bottleneck(128, 48), MultiScale(128),
            conv(128, MAP_CHANNELS, 3, 2), Bottleneck(MAP_CHANNELS, 80), MultiScale(MAP_CHANNELS), Bottleneck(MAP_CHANNELS, 80))
        self.pooled_map = conv(MAP_CHANNELS, whole, 1, relu=False)
        self.windowed = windowed
        self.layout_map = conv(MAP_CHANNELS, layout, 1, relu=False)
        self.seen_size = whole + 6 * windowed + LAYOUT_HEIGHT * LAYOUT_WIDTH * layout
        self.gradients = Gradients()
        # Without affine: the mean goes (as in the centred baselines), and each bit splits the training images in half.
        self.descriptor = nn.Sequential(nn.Linear(self.seen_size + GRADIENTS_SIZE, LEARNED_SIZE, bias=False),
                                        nn.BatchNorm1d(LEARNED_SIZE, affine=False))
        self.hash = nn.Sequential(nn.Linear(LEARNED_SIZE, CODE_BITS, bias=False), nn.BatchNorm1d(CODE_BITS, affine=False))
        nn.init.orthogonal_(self.hash[0].weight)

    def features(self, image):
        return self.trunk(image)

    def seen(self, features):
        """[B, 960]: GeM of the whole map and of the windows, layout."""
        x = self.pooled_map(features).clamp(min=1e-3)
        cubes = x * x * x
        regions = [generalized_mean(cubes)] + [generalized_mean(w) for w in windows(cubes[:, :self.windowed])]
        layout = cell_means(self.layout_map(features), LAYOUT_HEIGHT, LAYOUT_WIDTH).flatten(1)
        return torch.cat([*regions, layout], 1)

    def pooled(self, features, image):
        """[B, 1344]: what the learned descriptor is a linear map of."""
        return torch.cat([self.seen(features), self.gradients(image)], 1)

    def heads(self, features, image):
        descriptor = F.normalize(self.descriptor(self.pooled(features, image)))
        return descriptor, F.normalize(self.hash(descriptor))

    def forward(self, image):
        return self.heads(self.features(image), image)


class ShippedNet(nn.Module):
    """image [B, 3, H, W] normalised -> descriptor [B, 1024] and hash logits [B, 512], both L2.

    The descriptor has two halves: the learned one, and a taught one that pools what the trunk foretells of the teacher's map as
    the teacher itself is best pooled. The metric loss sees few kinds of places; the teacher has seen many kinds of things.
    Trunks of separate runs stand side by side, as they err on different images; the halves keep their size."""

    def __init__(self, trunks=1):
        super().__init__()
        self.nets = nn.ModuleList(PlaceNet() for _ in range(trunks))
        self.teacher_maps = nn.ModuleList(nn.Conv2d(MAP_CHANNELS, TEACHER_CHANNELS, 1) for _ in range(trunks))
        self.learned = nn.Linear(trunks * self.nets[0].seen_size + GRADIENTS_SIZE, LEARNED_SIZE)
        self.taught = nn.Linear(trunks * 5 * TEACHER_CHANNELS, TAUGHT_SIZE)
        self.hash = nn.Linear(DESCRIPTOR_SIZE, CODE_BITS)
        # Length of the taught half where the learned half has length 1.
        self.register_buffer("balance", torch.tensor(1.0))

    def parts(self, image):
        """([B, 960 a trunk + 384], [B, 560 a trunk]): the inputs of the two halves."""
        maps = [net.features(image) for net in self.nets]
        seen = [net.seen(features) for net, features in zip(self.nets, maps)]
        regions = [teacher_regions(foretell(features)) for foretell, features in zip(self.teacher_maps, maps)]
        return torch.cat([*seen, self.nets[0].gradients(image)], 1), torch.cat(regions, 1)

    def describe(self, pooled, regions):
        halves = F.normalize(self.learned(pooled)), self.balance * F.normalize(self.taught(regions))
        return F.normalize(torch.cat(halves, 1))

    def forward(self, image):
        descriptor = self.describe(*self.parts(image))
        return descriptor, F.normalize(self.hash(descriptor))
