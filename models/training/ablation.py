"""A short schedule from scratch, by what it is trained on and by its seed: held-out recall@1 to ablation.json.

`python ablation.py --pool POOL --work runs/ablation --cache runs/cache.npy --teacher runs/teacher.npy [--rendered FOLDER]`
Each variant is one run of train.py; one that was stopped goes on where it was."""

import argparse
import csv
import json
import os
import subprocess
import sys

VARIANTS = {"all groups": ([], 1000), "all groups, other seed": ([], 2000), "Nordland alone": (["nordland-64x32"], 1000),
            "ie-tower alone": (["ie-tower"], 1000)}
SCHEDULE = ["--steps", "120", "--places", "24", "--sizes", "0:64x80", "--validate-every", "1e9"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--pool", "--work", "--cache", "--teacher"):
        parser.add_argument(name, required=True)
    parser.add_argument("--rendered")
    parser.add_argument("--out", default=os.path.join(os.path.dirname(__file__), "ablation.json"))
    options = parser.parse_args()
    data = ["--pool", options.pool, "--cache", options.cache, "--teacher", options.teacher]
    if options.rendered:
        data += ["--rendered", options.rendered]
    table = []
    for name, (kinds, seed) in VARIANTS.items():
        work = os.path.join(options.work, name.replace(" ", "-").replace(",", ""))
        validated = os.path.join(work, "validation.csv")
        if not os.path.exists(validated):
            script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "train.py")
            subprocess.run([sys.executable, script, *data, "--work", work, "--seed", str(seed), *SCHEDULE,
                            *(["--kinds", *kinds] if kinds else [])], check=True)
        with open(validated) as file:
            held_out = {row[2]: float(row[5]) for row in csv.reader(file)}
        table.append({"name": name, "seed": seed, "schedule": " ".join(SCHEDULE[:-2]), "heldOut": held_out})
        with open(options.out, "w") as file:
            json.dump(table, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
