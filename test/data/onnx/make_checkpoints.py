"""Small checkpoints as PyTorch and safetensors themselves write them: training files, as the authors of networks publish them.

    python make_checkpoints.py

Writes checkpoints/: training.pth (torch.save today), training-legacy.pth (as before PyTorch 1.6), lightning.ckpt (the layout of PyTorch Lightning), bare.pth
(a state dict alone), weights.safetensors, words.pt (a tensor alone, as vocabularies are published); expected.json: every tensor of the state dict, [type, shape, values].
"""
import argparse
import collections
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

OUT = Path(__file__).parent / "checkpoints"


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.norm = torch.nn.BatchNorm2d(4)
        self.pool = torch.nn.Linear(4, 2)

    def forward(self, x):
        return self.pool(self.norm(self.conv(x)).mean((2, 3)))


def trained():
    """A network after two steps of AdamW, with the optimizer's and the schedule's state."""
    torch.manual_seed(1)
    network = Network()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    for _ in range(2):
        network(torch.randn(2, 3, 6, 6)).square().sum().backward()
        optimizer.step()
        schedule.step()
    return network, optimizer, schedule


def main():
    OUT.mkdir(exist_ok=True)
    network, optimizer, schedule = trained()
    state = collections.OrderedDict(network.state_dict())
    storage = torch.arange(12, dtype=torch.float32)
    state["views.transposed"] = storage.view(3, 4).t()
    state["views.part"] = storage[5:9].view(2, 2)
    state["views.same"] = storage
    state["half"] = torch.tensor([1.5, -2.25, 65504.0, 2.0**-24], dtype=torch.float16)
    state["brain"] = torch.tensor([1.5, -2.25, 3.0e38], dtype=torch.bfloat16)
    state["double"] = torch.tensor([[1.1], [-1e-300]], dtype=torch.float64)
    expected = {
        key: [str(value.dtype).removeprefix("torch."), list(value.shape), value.to(torch.float32).flatten().tolist()]
        for key, value in state.items()
    }
    (OUT / "expected.json").write_text(json.dumps(expected, separators=(",", ":")).replace(']],"', ']],\n"') + "\n")

    parallel = collections.OrderedDict((f"module.{key}", value) for key, value in state.items())
    training = {
        "epoch_num": 7,
        "model_state_dict": parallel,
        "optimizer_state_dict": optimizer.state_dict(),
        "scheduler": schedule.state_dict(),
        "recalls": np.array([93.3, 97.1]),
        "best_r5": np.float64(97.1),
        "not_improved_num": 0,
        "args": argparse.Namespace(backbone="small", lr=1e-3, hashing=True, device=torch.device("cpu")),
    }
    torch.save(training, OUT / "training.pth")
    torch.save(training, OUT / "training-legacy.pth", _use_new_zipfile_serialization=False)
    lightning = {
        "epoch": 7,
        "global_step": 700,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": state,
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 8}}}},
        "callbacks": {"ModelCheckpoint{'monitor': 'R1'}": {"best_model_score": torch.tensor(0.93), "kth_best_model_path": ""}},
        "optimizer_states": [optimizer.state_dict()],
        "lr_schedulers": [schedule.state_dict()],
        "hyper_parameters": {"backbone_arch": "small", "pretrained": True, "lr": 1e-3, "milestones": [5, 10], "agg": None},
    }
    torch.save(lightning, OUT / "lightning.ckpt")
    torch.save(state, OUT / "bare.pth")
    torch.save(torch.arange(12, dtype=torch.float32).view(3, 4), OUT / "words.pt")
    save_file({key: value.clone().contiguous() for key, value in state.items()}, OUT / "weights.safetensors", {"format": "pt"})


if __name__ == "__main__":
    main()
