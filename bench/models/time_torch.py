"""Milliseconds of the official modules in PyTorch on the CPU, one image, weights by formula.

    python time_torch.py --ref FOLDER [--threads 1,2] [--runs 5] [--write] NAME ...

FOLDER of --ref holds clones as test/data/onnx/official_networks.py says. Prints one JSON row for each network and number of
threads: median, least and most of the runs after one that is not timed. --write also puts them into torch.json.
"""
import argparse
import json
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "test/data/onnx"))
import torch  # noqa: E402
from formula_weights import fill  # noqa: E402
from official_networks import build, side_of  # noqa: E402


def measure(model, side, runs):
    x = torch.randn(1, 3, side, side)
    times = []
    with torch.inference_mode():
        for _ in range(runs + 1):
            start = time.perf_counter()
            model(x)
            times.append((time.perf_counter() - start) * 1000)
    return times[1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ref", type=Path, required=True)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("names", nargs="+")
    args = parser.parse_args()
    results = HERE / "torch.json"
    for name in args.names:
        model = build(args.ref, name)
        fill(model)
        model.eval()
        for threads in map(int, args.threads.split(",")):
            torch.set_num_threads(threads)
            times = measure(model, side_of(name), args.runs)
            row = {
                "network": name,
                "threads": threads,
                "runs": args.runs,
                "medianMs": statistics.median(times),
                "minMs": min(times),
                "maxMs": max(times),
            }
            print(json.dumps(row), flush=True)
            if args.write:
                rows = json.loads(results.read_text()) if results.exists() else []
                rows = [r for r in rows if (r["network"], r["threads"]) != (name, threads)] + [row]
                rows.sort(key=lambda r: (r["network"], r["threads"]))
                results.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
