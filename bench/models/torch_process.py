"""An official module in PyTorch on the CPU, weights by formula, that runs one image for each line of its stdin.

    python torch_process.py --ref FOLDER --threads N NAME

FOLDER of --ref holds clones as test/data/onnx/official_networks.py says. compareGraphs.ts starts it. Answers: one line of JSON
each, {"wallMs", "cpuMs"}; before them an empty object when it is ready.
"""
import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "test/data/onnx"))
import torch  # noqa: E402
from formula_weights import fill  # noqa: E402
from official_networks import build, side_of  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ref", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("name")
    args = parser.parse_args()
    # What the official code prints while it is built is not an answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    torch.set_num_threads(args.threads)
    model = build(args.ref, args.name)
    fill(model)
    model.eval()
    side = side_of(args.name)
    x = torch.randn(1, 3, side, side)
    print("{}", file=answers, flush=True)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        with torch.inference_mode():
            model(x)
        row = {"wallMs": (time.perf_counter() - wall) * 1000, "cpuMs": (time.process_time() - cpu) * 1000}
        print(json.dumps(row), file=answers, flush=True)


if __name__ == "__main__":
    main()
