"""Trains the default model. `python train.py --pool ../../../shared/data/train-pool --work runs/1 --seconds 5400`

Kill it at any moment and start it again with the same arguments: it goes on from the last checkpoint, with the same
batches and views an uninterrupted run would have drawn. Curves go to curves.csv and validation.csv in the work folder."""

import argparse
import copy
import csv
import json
import os
import time

import numpy as np
import torch

from augment import grid, views
from data import BatchSampler, load_cache, load_items, split_pool
from losses import map_distillation, multi_similarity, region_distillation, similarity_constraint, straight_through_sign
from network import LEARNED_SIZE, MAP_CHANNELS, STRIDE, TEACHER_CHANNELS, PlaceNet, teacher_regions
from teacher import teacher_statistics
from validate import MEAN, STD, Validation

QUEUE = 2048
CHECKPOINT_SECONDS = 45
EMA_DECAY = 0.998


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", required=True)
    parser.add_argument("--work", required=True, help="folder of checkpoints and curves")
    parser.add_argument("--cache", required=True, help="decoded pool, written at the first run")
    parser.add_argument("--rendered", help="drives through sample towns, written by render.sh; none = real images only")
    parser.add_argument("--crops", help="folder that crops.py wrote; none = whole images only")
    parser.add_argument("--warm-start", help="checkpoint of an earlier run: its running mean starts the layers that fit")
    parser.add_argument("--freeze", type=int, default=0, help="first layers of the trunk that stay as the warm start left them: a third of the time of 3")
    parser.add_argument("--teacher", help="maps written by teacher.py; none = no distillation")
    parser.add_argument("--seconds", type=float, help="length of the schedule in seconds of training")
    parser.add_argument("--steps", type=int, help="length of the schedule in steps (reproducible, unlike --seconds)")
    parser.add_argument("--places", type=int, default=48, help="places a batch, two views each")
    parser.add_argument("--rate", type=float, default=2.5e-3)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sizes", nargs="+", default=["0:64x80", "0.4:96x128"],
                        help="progress:HEIGHTxWIDTH of the views from there on; the last is the network's input size")
    parser.add_argument("--kinds", nargs="*", help="train on these kinds of places only (ablation)")
    parser.add_argument("--distil-weight", type=float, nargs=2, default=(6.0, 6.0), help="weight of the distillation, first and last")
    parser.add_argument("--region-weight", type=float, default=4.0, help="weight of the distillation of pooled regions")
    parser.add_argument("--validate-every", type=float, default=600, help="seconds")
    return parser.parse_args()


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    os.makedirs(options.work, exist_ok=True)
    with open(os.path.join(options.work, "arguments.json"), "w") as file:
        json.dump(vars(options), file, indent=1)
    items = load_items(options.pool, options.rendered, options.crops)
    cache = load_cache(options.pool, items, options.cache)
    pool = split_pool(items)
    sampler = BatchSampler(pool, options.places, options.seed, options.kinds)
    teacher = np.load(options.teacher, mmap_mode="r") if options.teacher else None
    if teacher is not None:
        teacher_mean, teacher_std = teacher_statistics(teacher, pool)
        sample = torch.from_numpy(teacher[pool.training_rows[::8]].astype(np.float32))
        region_mean = teacher_regions(sample).mean(0)
    sizes = [(float(start), tuple(map(int, size.split("x")))) for start, size in (text.split(":") for text in options.sizes)]
    validation = Validation(pool.validation, cache, *sizes[-1][1])

    net = PlaceNet().to(memory_format=torch.channels_last)
    project = torch.nn.Conv2d(MAP_CHANNELS, TEACHER_CHANNELS, 1)
    if options.warm_start:
        earlier = torch.load(options.warm_start, weights_only=True)
        for module, values in ((net, earlier["average"]), (project, earlier["project"])):
            module.load_state_dict({name: values[name] if name in values and values[name].shape == value.shape else value
                                    for name, value in module.state_dict().items()})
    net.trunk[:options.freeze].requires_grad_(False)
    average = copy.deepcopy(net)
    parameters = list(net.named_parameters()) + list(project.named_parameters())
    parameters = [(name, parameter) for name, parameter in parameters if parameter.requires_grad]
    optimizer = torch.optim.AdamW([
        {"params": [p for n, p in parameters if p.ndim > 1], "weight_decay": 0.02},
        {"params": [p for n, p in parameters if p.ndim <= 1], "weight_decay": 0.0}], lr=options.rate)
    state = {"step": 0, "elapsed": 0.0, "validated": 0.0}
    queue = torch.zeros(0, LEARNED_SIZE)
    queue_places = torch.zeros(0, dtype=torch.long)

    path = os.path.join(options.work, "checkpoint.pt")
    if os.path.exists(path):
        saved = torch.load(path, weights_only=True)
        net.load_state_dict(saved["net"])
        average.load_state_dict(saved["average"])
        project.load_state_dict(saved["project"])
        optimizer.load_state_dict(saved["optimizer"])
        queue, queue_places, state = saved["queue"], saved["queue_places"], saved["state"]
        print(f"resumed at step {state['step']}, {state['elapsed']:.0f} s", flush=True)

    def save():
        torch.save({"net": net.state_dict(), "average": average.state_dict(), "project": project.state_dict(),
                    "optimizer": optimizer.state_dict(), "queue": queue, "queue_places": queue_places,
                    "state": state}, path + ".part")
        os.replace(path + ".part", path)

    def log(name, row):
        with open(os.path.join(options.work, name), "a", newline="") as file:
            csv.writer(file).writerow(row)

    def validate():
        result = validation.measure(average)
        for name, values in result.items():
            log("validation.csv", [state["step"], round(state["elapsed"]), name] + [f"{v:.4f}" for v in values])
        print("validation", state["step"], round(state["elapsed"]),
              {k: tuple(round(float(x), 3) for x in v) for k, v in result.items()}, flush=True)

    saved_at = time.monotonic()
    sums, counted = np.zeros(5), 0
    while True:
        progress = state["step"] / options.steps if options.steps else state["elapsed"] / options.seconds
        if progress >= 1:
            break
        begin = time.monotonic()
        step = state["step"]
        rate = float(options.rate * min(1, (step + 1) / 100) * (0.5 * (1 + np.cos(np.pi * progress)) * 0.99 + 0.01))
        for group in optimizer.param_groups:
            group["lr"] = rate
        height, width = [size for start, size in sizes if start <= progress][-1]

        rows, geometry, positive, negative = sampler.batch(step)
        generator = torch.Generator().manual_seed(options.seed * 1_000_003 + step)
        images, viewpoint = views(torch.from_numpy(cache[rows]), generator, height, width,
                               geometry=torch.from_numpy(geometry))
        images = images.sub_(MEAN).div_(STD).contiguous(memory_format=torch.channels_last)
        positive, negative = torch.from_numpy(positive), torch.from_numpy(negative)
        places = torch.from_numpy(pool.place[rows])

        net.train()
        net.trunk[:options.freeze].eval()
        with torch.no_grad():
            lowest = net.trunk[:options.freeze](images)
        features = net.trunk[options.freeze:](lowest)
        descriptor, logits = net.heads(features, images)
        # Cross-batch memory: older descriptors of surely different places are further negatives.
        similarity = descriptor @ torch.cat([descriptor, queue]).T
        older = places[:, None] != queue_places[None]
        metric = multi_similarity(similarity, torch.cat([positive, torch.zeros_like(older)], 1),
                                  torch.cat([negative, older], 1))
        codes = straight_through_sign(logits)
        # Eq. (15): the metric loss on the straight-through codes, plus the similarity constraint.
        hashing = multi_similarity(codes @ codes.T, positive, negative)
        constraint = similarity_constraint(logits)
        loss = metric + hashing + 10 * constraint
        distil = regions = torch.zeros(())
        weight = np.interp(progress, (0, 1), options.distil_weight)
        if teacher is not None and weight > 0:
            target = torch.from_numpy(teacher[rows].astype(np.float32)).sub_(teacher_mean).div_(teacher_std)
            # The student's view of the teacher's map: the same homography, so that only the condition differs.
            target = torch.nn.functional.grid_sample(target, grid(*viewpoint, height // STRIDE, width // STRIDE),
                                                     padding_mode="border", align_corners=False)
            foretold = project(features)
            distil = map_distillation(foretold, target)
            regions = region_distillation(teacher_regions(foretold * teacher_std + teacher_mean),
                                          teacher_regions(target * teacher_std + teacher_mean), region_mean)
            loss = loss + weight * distil + options.region_weight * regions
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for _, p in parameters], 5.0)
        optimizer.step()

        with torch.no_grad():
            decay = min(EMA_DECAY, (step + 1) / (step + 10))
            for (name, a), b in zip(average.state_dict().items(), net.state_dict().values()):
                if a.dtype.is_floating_point:
                    a.lerp_(b, 1 - decay)
                else:
                    a.copy_(b)
            if progress > 0.05:
                queue = torch.cat([descriptor.detach(), queue])[:QUEUE]
                queue_places = torch.cat([places, queue_places])[:QUEUE]
        state["step"] += 1
        state["elapsed"] += time.monotonic() - begin
        sums += [metric.item(), hashing.item(), constraint.item(), distil.item(), regions.item()]
        counted += 1
        if state["step"] % 25 == 0:
            log("curves.csv", [state["step"], round(state["elapsed"], 1), f"{rate:.6f}"] + [f"{v:.4f}" for v in sums / counted])
            print(state["step"], round(state["elapsed"]), (sums / counted).round(4), flush=True)
            sums, counted = np.zeros(5), 0
        if time.monotonic() - saved_at > CHECKPOINT_SECONDS:
            save()
            saved_at = time.monotonic()
        if state["elapsed"] - state["validated"] > options.validate_every:
            state["validated"] = state["elapsed"]
            validate()
    save()
    validate()
    print("finished", flush=True)


if __name__ == "__main__":
    main()
