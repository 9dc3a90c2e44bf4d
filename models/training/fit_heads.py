"""Fits the heads of the shipped network on the frozen trunks: both halves, the length of the taught one, the code.

`python fit_heads.py --runs runs/2 runs/3 --work runs/heads --pool POOL --cache runs/cache.npy --teacher runs/teacher.npy [--rendered FOLDER]`
The network runs once over the training images and views of them (features.pt, minutes); the fits themselves take
minutes on any machine. Where there is a choice the held-out part makes it; heads.json says what was tried, and chosen."""

import argparse
import copy
import json
import os

import numpy as np
import torch
from torch.nn import functional as F

from augment import views
from data import BatchSampler, load_cache, load_items, relations, split_pool
from losses import multi_similarity, similarity_constraint, straight_through_sign
from network import CODE_BITS, DESCRIPTOR_SIZE, GRADIENTS_SIZE, LEARNED_SIZE, TAUGHT_SIZE, ShippedNet
from settle import settle
from teacher import teacher_statistics
from validate import MEAN, STD, Validation, recalls, resized

BALANCES = (0.0, 0.5, 0.7, 1.0, 1.4, 2.0)
# Added to the covariance of views of one place, as a multiple of its mean variance.
SHRINKAGES = (0.03, 0.1, 0.3, 1.0)
# How much of what tells the domain the code forgets; domains of fewer images do not count, of more count as DOMAIN_CAP.
DOMAIN_STRENGTH, DOMAIN_LEAST, DOMAIN_CAP = 0.1, 8, 100
VIEW_BATCHES, PLACES = 100, 48
ROTATIONS = 30
CODE_STEPS, CODE_RATE, CODE_PAIRS, CODE_LEAST = 150, 1e-4, 64, 16


def trained_descriptors(nets):
    """The trained descriptors of all trunks as one Linear on `ShippedNet.parts`: normalisation folded in, and the gradients, the same
    for all, read once."""
    seen = nets[0].seen_size
    joined = torch.nn.Linear(len(nets) * seen + GRADIENTS_SIZE, len(nets) * LEARNED_SIZE)
    joined.weight.data.zero_()
    for number, net in enumerate(nets):
        linear, norm = net.descriptor
        scale = (norm.running_var + norm.eps).rsqrt()
        weight = linear.weight.data * scale[:, None]  # [out, in]
        out = slice(number * LEARNED_SIZE, (number + 1) * LEARNED_SIZE)
        joined.weight.data[out, number * seen:(number + 1) * seen] = weight[:, :seen]
        joined.weight.data[out, len(nets) * seen:] = weight[:, seen:]
        joined.bias.data[out] = -norm.running_mean * scale
    return joined


def principal_axes(rows, count):
    """(axes [count, D], mean [D]) of the largest variance of rows [N, D]."""
    mean = rows.mean(0)
    return torch.linalg.svd(rows - mean, full_matrices=False)[2][:count], mean


def discriminant_axes(differences, rows, count, shrinkage):
    """(weight [count, D], mean [D]) of a linear map in which views of one place differ alike in all directions, and of those the
    ones in which images differ most: whitening learned from pairs (Mikolajczyk and Matas, ICCV 2007).

    differences: [P, D] between two views of one place; rows: [N, D] of images."""
    within = differences.T @ differences / (2 * len(differences))
    within += shrinkage * within.diagonal().mean() * torch.eye(len(within))
    values, vectors = torch.linalg.eigh(within)
    whitening = (vectors / values.sqrt()).T
    axes, _ = principal_axes(rows @ whitening.T, count)
    return axes @ whitening, rows.mean(0)


def install(linear, weight, mean):
    linear.weight.data.copy_(weight)
    linear.bias.data.copy_(-weight @ mean)


@torch.no_grad()
def features(net, cache, pool, validation, size, seed):
    """Inputs of both halves, (pooled, regions) each: of training images, of batches of views with their pairs, of the held-out part."""
    def parts(images):
        out = [net.parts((part.float() - MEAN) / STD) for part in images.split(128)]
        return tuple(torch.cat(o) for o in zip(*out))

    rows = pool.training_rows[::3]
    clean = [parts(resized(cache, part, *size)) for part in np.array_split(rows, len(rows) // 256 + 1)]
    sampler, batches = BatchSampler(pool, PLACES, seed), []
    for step in range(VIEW_BATCHES):
        rows, geometry, positive, negative = sampler.batch(step)
        images = views(torch.from_numpy(cache[rows]), torch.Generator().manual_seed(step), *size,
                       geometry=torch.from_numpy(geometry))[0]
        batches.append((*parts(images), torch.from_numpy(positive), torch.from_numpy(negative)))
    return {"clean": tuple(torch.cat(o) for o in zip(*clean)), "batches": batches, "plain": parts(validation.plain),
            "augmented": {name: parts(images) for name, images in validation.augmented.items()}}


def held_out(net, known, validation, logits_of=None):
    """{set: (float, code, two-stage) recall@1} of the heads as they are, and the mean over the sets."""
    with torch.no_grad():
        plain = net.describe(*known["plain"])
        augmented = {name: net.describe(*parts) for name, parts in known["augmented"].items()}
        logits_of = logits_of or net.hash
        result = {}
        for s in validation.sets:
            reference = plain[[validation.index[row] for row in s.references]]
            query = augmented[s.name] if s.augmented else plain[[validation.index[row] for row in s.queries]]
            result[s.name] = tuple(map(float, recalls(query, logits_of(query), reference, logits_of(reference), s.positives)))
    result["mean"] = tuple(map(float, np.mean(list(result.values()), 0)))
    return result


def domain_axes(rows, domains, count):
    """(axes [count, D], mean [D], rows about the mean of their domain [M, D]): the directions in which images of one domain differ
    most, once the best linear guess of their domain's mean is taken from them.

    A robot tells places of one domain apart, and its domain is none of the training's: a bit that tells domains apart is
    the same for all places there. Descriptors are domain mean + rest, of covariances between + within, so that
    within (within + between)^-1 leaves of a descriptor the expected rest (Wiener filter); `between` counts DOMAIN_STRENGTH."""
    mean, centred, weights, means = rows.mean(0), [], [], []
    for name in np.unique(domains):
        members = rows[domains == name]
        if len(members) >= DOMAIN_LEAST:
            means.append(members.mean(0))
            centred.append(members - means[-1])
            weights.append(torch.full((len(members), 1), min(1.0, DOMAIN_CAP / len(members))))
    centred, weights, means = torch.cat(centred), torch.cat(weights), torch.stack(means) - mean
    within = (centred * weights).T @ centred / weights.sum()
    between = means.T @ means / len(means)
    forget = within @ torch.linalg.inv(within + DOMAIN_STRENGTH * between)
    vectors = torch.linalg.eigh(forget @ within @ forget.T)[1]
    return vectors.flip(1)[:, :count].T @ forget, mean, centred


def iterative_quantization(descriptors, axes, mean, seed):
    """The rotation of Gong and Lazebnik (CVPR 2011) that brings descriptors on `axes` closest to its signs: weight
    [CODE_BITS, D], mean."""
    axes = axes / ((descriptors - mean) @ axes.T).std()
    projected = (descriptors - mean) @ axes.T
    rotation = torch.linalg.qr(torch.randn(CODE_BITS, CODE_BITS, generator=torch.Generator().manual_seed(seed)))[0]
    for _ in range(ROTATIONS):
        u, _, vt = torch.linalg.svd(torch.where(projected @ rotation >= 0, 1.0, -1.0).T @ projected)
        rotation = (u @ vt).T
    return (axes.T @ rotation).T.contiguous(), mean


def pair_differences(batches):
    """[P, D] of the pairs of views of one place; batches: ([B, D], positive [B, B])."""
    pairs = ((rows, positive.triu(1).nonzero(as_tuple=True)) for rows, positive in batches)
    return torch.cat([rows[first] - rows[second] for rows, (first, second) in pairs])


@torch.no_grad()
def fit_halves(net, known, validation):
    """Sets both linear maps and the balance of `net`; returns what was tried: [{shrinkage, balance, heldOut}]."""
    trained = trained_descriptors(net.nets)

    def halves(pooled, regions):
        return trained(pooled), regions

    clean = halves(*known["clean"])
    batches = [(halves(pooled, regions), positive) for pooled, regions, positive, _ in known["batches"]]
    differences = [pair_differences((parts[half], positive) for parts, positive in batches) for half in (0, 1)]
    tried, maps = [], {}
    for shrinkage in SHRINKAGES:
        (learned, centre), taught = (discriminant_axes(d, rows, size, shrinkage)
                                     for d, rows, size in zip(differences, clean, (LEARNED_SIZE, TAUGHT_SIZE)))
        net.learned.weight.copy_(learned @ trained.weight)
        net.learned.bias.copy_(learned @ (trained.bias - centre))
        install(net.taught, *taught)
        maps[shrinkage] = copy.deepcopy((net.learned.state_dict(), net.taught.state_dict()))
        for balance in BALANCES:
            net.balance.fill_(balance)
            tried.append({"shrinkage": shrinkage, "balance": balance, "heldOut": held_out(net, known, validation)})
            print(shrinkage, balance, {k: round(v[0], 3) for k, v in tried[-1]["heldOut"].items()}, flush=True)
    best = max(tried, key=lambda row: row["heldOut"]["mean"][0])
    net.balance.fill_(best["balance"])
    net.learned.load_state_dict(maps[best["shrinkage"]][0])
    net.taught.load_state_dict(maps[best["shrinkage"]][1])
    return tried


def one_domain_batches(rows, descriptors, pool, seed):
    """CODE_STEPS batches (descriptors, positive, negative) of pairs of views, each of a single domain. rows [V] and descriptors [V, D]:
    two of each place in turn."""
    rng, pairs = np.random.default_rng(seed), {}
    for number, name in enumerate(pool.domain[rows[::2]]):
        pairs.setdefault(name, []).append(number)
    pairs = [members for _, members in sorted(pairs.items()) if len(members) >= CODE_LEAST]
    shares = np.sqrt([min(len(members), 2 * DOMAIN_CAP) for members in pairs])
    for _ in range(CODE_STEPS):
        members = pairs[rng.choice(len(pairs), p=shares / shares.sum())]
        chosen = rng.choice(members, min(CODE_PAIRS, len(members)), replace=False)
        batch = np.stack([2 * chosen, 2 * chosen + 1], 1).flatten()
        yield descriptors[batch], *map(torch.from_numpy, relations(pool, rows[batch], batch // 2))


def similarity_constrained(weight, mean, batches):
    """SC hashing (eq. 15 and 11 of the paper, straight-through signs) from `weight` on."""
    weight = (weight / weight.square().sum(1).mean().sqrt()).requires_grad_()
    optimizer = torch.optim.Adam([weight], lr=CODE_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, CODE_STEPS)
    for descriptor, positive, negative in batches:
        logits = F.normalize((descriptor - mean) @ weight.T)
        codes = straight_through_sign(logits)
        loss = multi_similarity(codes @ codes.T, positive, negative) + 10 * similarity_constraint(logits)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return weight.detach(), mean


def code_heads(images, domains, rows, augmented, pool, seed):
    """{name: (weight [512, 1024], mean [1024])}; bit i = weight[i] . (descriptor - mean) >= 0. Descriptors of images [N, D] with the
    names of their domains, and of augmented views [V, D] of rows, two of each place in turn."""
    rotated = iterative_quantization(images, *principal_axes(images, CODE_BITS), seed)
    axes, mean, centred = domain_axes(images, domains, CODE_BITS)
    within = iterative_quantization(centred, axes, 0, seed)[0], mean
    random = torch.randn(CODE_BITS, DESCRIPTOR_SIZE, generator=torch.Generator().manual_seed(seed)), rotated[1]
    heads = {"signs of a random projection": random, "PCA + ITQ": rotated, "within domains + ITQ": within}
    for start, name in ((random, "the random projection"), (rotated, "PCA + ITQ"), (within, "within domains + ITQ")):
        heads[f"SC hashing from {name}"] = similarity_constrained(*start, one_domain_batches(rows, augmented, pool, seed))
    return heads


def fit_code(net, known, pool, validation, seed):
    """Sets the code of `net`; returns (name of the head, what was tried: {name: held-out recall})."""
    sampler = BatchSampler(pool, PLACES, seed)
    rows = np.concatenate([sampler.batch(step)[0] for step in range(VIEW_BATCHES)])
    with torch.no_grad():
        images = net.describe(*known["clean"])
        augmented = torch.cat([net.describe(pooled, regions) for pooled, regions, *_ in known["batches"]])
    heads, tried = code_heads(images, pool.domain[pool.training_rows[::3]], rows, augmented, pool, seed), {}
    for name, (weight, centre) in heads.items():
        tried[name] = held_out(net, known, validation, lambda d, w=weight, m=centre: (d - m) @ w.T)
        print(name, {k: (round(v[1], 3), round(v[2], 3)) for k, v in tried[name].items()}, flush=True)
    chosen = max((name for name in heads if name.startswith("SC")), key=lambda name: tried[name]["mean"][1])
    install(net.hash, *heads[chosen])
    return chosen, tried


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", nargs="+", required=True, help="folders of the runs whose trunks stand side by side")
    parser.add_argument("--work", required=True, help="folder for what is fitted")
    for name in ("--pool", "--cache", "--teacher"):
        parser.add_argument(name, required=True)
    parser.add_argument("--rendered")
    parser.add_argument("--size", type=int, nargs=2, help="input height and width; default: the last training size of the first run")
    parser.add_argument("--code-only", metavar="WORK", help="take both halves from the heads of this earlier run, fit the code alone")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    with open(os.path.join(options.runs[0], "arguments.json")) as file:
        training = json.load(file)
    size = options.size or tuple(map(int, training["sizes"][-1].split(":")[1].split("x")))
    seed = training["seed"]
    cache = load_cache(options.pool, load_items(options.pool, options.rendered), options.cache)
    pool = split_pool(load_items(options.pool, options.rendered))
    validation = Validation(pool.validation, cache, *size)

    net = ShippedNet(len(options.runs)).eval()
    tried = {}
    if options.code_only:
        net.load_state_dict(torch.load(os.path.join(options.code_only, "heads.pt"), weights_only=True))
        with open(os.path.join(options.code_only, "heads.json")) as file:
            tried["halves"] = json.load(file)["tried"]["halves"]
    else:
        mean, std = teacher_statistics(np.load(options.teacher, mmap_mode="r"), pool)
        for run, trunk, foretell in zip(options.runs, net.nets, net.teacher_maps):
            saved = torch.load(os.path.join(run, "checkpoint.pt"), weights_only=True)
            trunk.load_state_dict(saved["average"])
            # Foretold in standard deviations, pooled in the teacher's own scale.
            foretell.weight.data = saved["project"]["weight"] * std.view(-1, 1, 1, 1)
            foretell.bias.data = saved["project"]["bias"] * std.flatten() + mean.flatten()
            # One seed for all: the statistics of the gradients, which are those of the images, come out the same.
            settle(trunk, cache, pool, size, seed)
    path = os.path.join(options.work, "features.pt")
    if not os.path.exists(path):
        torch.save(features(net, cache, pool, validation, size, seed), path)
    known = torch.load(path, weights_only=True)
    if not options.code_only:
        tried["halves"] = fit_halves(net, known, validation)
    chosen, tried["code"] = fit_code(net, known, pool, validation, seed)
    torch.save(net.state_dict(), os.path.join(options.work, "heads.pt"))
    with open(os.path.join(options.work, "heads.json"), "w") as file:
        json.dump({"size": size, "runs": options.runs, "seed": seed, "balance": float(net.balance), "codeHead": chosen,
                   "tried": tried}, file, indent=1)


if __name__ == "__main__":
    main()
