"""FAISS and NumPy on the same arrays: what `vpr bench search` is measured against.

make   writes seeded arrays: codes.npy [N,64] u8, queries.npy [Q,64] u8 and, with D > 0, descriptors.npy [N,D] f32 and
       query_descriptors.npy [Q,D] f32, L2-normalised
serve  times single queries when asked, as searchProcess.mjs does: requests {"what", "seconds", "runs"}, answers {"medianMs", "p99Ms"},
       one line of JSON each
check  compares ids.npy, distances.npy (and reranked_ids.npy) of `vpr bench search --out` with FAISS and NumPy
maps   writes ragged maps and FAISS's distances for them, for differential.mjs
"""

import argparse
import json
import os
import sys
import time

import faiss
import numpy as np

K = 100
BITS = 512


def load(folder, name):
    return np.load(f"{folder}/{name}.npy", mmap_mode="r" if name == "descriptors" else None)


def make(folder, n, queries, dimension, seed):
    rng = np.random.default_rng(seed)
    np.save(f"{folder}/codes.npy", rng.integers(0, 256, (n, BITS // 8), dtype=np.uint8))
    np.save(f"{folder}/queries.npy", rng.integers(0, 256, (queries, BITS // 8), dtype=np.uint8))
    if dimension:
        for name, rows in (("descriptors", n), ("query_descriptors", queries)):
            values = rng.standard_normal((rows, dimension), dtype=np.float32)
            values /= np.linalg.norm(values, axis=1, keepdims=True)
            np.save(f"{folder}/{name}.npy", values)


def timed(run, seconds, runs):
    """Times of single calls, for at least so long and so often."""
    elapsed = []
    begin = time.perf_counter()
    while len(elapsed) < runs or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        run(len(elapsed))
        elapsed.append((time.perf_counter() - start) * 1e3)
    return {"medianMs": float(np.median(elapsed)), "p99Ms": float(np.percentile(elapsed, 99)), "minMs": min(elapsed)}


def rerank(descriptors, query, shortlist):
    """As the official evaluation: rows of the shortlist, their inner products, sorted."""
    similarity = descriptors[shortlist] @ query
    return shortlist[np.argsort(-similarity, kind="stable")]


def serve(folder, threads):
    faiss.omp_set_num_threads(threads)
    codes, queries = load(folder, "codes"), load(folder, "queries")
    index = faiss.IndexBinaryFlat(BITS)
    index.add(codes)
    k, count = min(K, len(codes)), len(queries)
    ways = {"prefilter": lambda i: index.search(queries[i % count : i % count + 1], k)}
    if os.path.exists(f"{folder}/descriptors.npy"):
        descriptors, query_descriptors = np.array(load(folder, "descriptors")), load(folder, "query_descriptors")
        exact = faiss.IndexFlatIP(descriptors.shape[1])
        exact.add(descriptors)

        def two_stage(i):
            query = i % count
            _, shortlist = index.search(queries[query : query + 1], k)
            return rerank(descriptors, query_descriptors[query], shortlist[0])

        ways["twoStage"] = two_stage
        ways["exact"] = lambda i: exact.search(query_descriptors[i % count : i % count + 1], k)
    about = {"faiss": faiss.__version__, "numpy": np.__version__, "faissOptions": faiss.get_compile_options().strip()}
    print(json.dumps(about), flush=True)
    warm = set()
    for line in sys.stdin:
        request = json.loads(line)
        run = ways[request["what"]]
        if request["what"] not in warm:
            warm.add(request["what"])
            timed(run, 0, 20 if request["what"] == "exact" else 200)
        print(json.dumps(timed(run, request["seconds"], request["runs"])), flush=True)


def stream(folder):
    """Bandwidth of one thread reading the codes, GB/s: the roof of any scan of them."""
    words = load(folder, "codes").view(np.uint64).ravel()
    best = min(timed(lambda _: words.max(), 0.5, 3)["minMs"] for _ in range(3))
    return {"GBs": words.nbytes / best / 1e6}


def check(folder, out):
    codes, queries = load(folder, "codes"), load(folder, "queries")
    index = faiss.IndexBinaryFlat(BITS)
    index.add(codes)
    wanted, _ = index.search(queries, min(K, len(codes)))
    ids, distances = load(out, "ids"), load(out, "distances")
    assert ids.dtype == distances.dtype == np.int32 and ids.shape == distances.shape == wanted.shape, ids.shape
    assert np.array_equal(distances, wanted), "distances differ from FAISS"
    # The tie rule needs all distances, in NumPy: for large maps of some queries only.
    for q in range(min(len(queries), max(5, 5_000_000 // len(codes)))):
        all_distances = np.bitwise_count(codes ^ queries[q]).sum(axis=1)
        lowest_first = np.argsort(all_distances, kind="stable")[: len(ids[q])]
        assert np.array_equal(ids[q], lowest_first), f"ids of query {q}"
    try:
        reranked = load(out, "reranked_ids")
    except FileNotFoundError:
        return {"queries": len(queries), "exact": True}
    descriptors, query_descriptors = load(folder, "descriptors"), load(folder, "query_descriptors")
    agree = []
    for q in range(len(queries)):
        rows = np.sort(ids[q])
        wanted_rows = rerank(np.array(descriptors[rows]), query_descriptors[q], np.arange(len(rows)))
        similarity = descriptors[rows] @ query_descriptors[q]
        got = np.searchsorted(rows, reranked[q])
        # f32 sums round differently: neighbours may swap where their similarities are that close.
        agree.append(np.mean(got == wanted_rows))
        assert np.abs(similarity[got] - similarity[wanted_rows]).max() < 1e-6, f"re-rank of query {q}"
    return {"queries": len(queries), "exact": True, "rerankSameRank": float(np.mean(agree))}


def maps(folder, count, seed):
    rng = np.random.default_rng(seed)
    sizes, codes, queries, distances = [], [], [], []
    for number in range(count):
        n = int(rng.integers(1, 800))
        if number % 2 == 0:
            rows = rng.integers(0, 256, (n, BITS // 8), dtype=np.uint8)
        else:
            centres = rng.integers(0, 256, (int(rng.integers(1, 6)), BITS // 8), dtype=np.uint8)
            rows = centres[rng.integers(0, len(centres), n)]
            flips = np.packbits(rng.random((n, BITS)) < 0.01, axis=1)
            rows = rows ^ flips
        query = rows[:1] if number % 3 == 0 else rng.integers(0, 256, (1, BITS // 8), dtype=np.uint8)
        index = faiss.IndexBinaryFlat(BITS)
        index.add(rows)
        found, _ = index.search(query, min(K, n))
        sizes.append(n)
        codes.append(rows)
        queries.append(query)
        distances.append(np.pad(found[0], (0, K - found.shape[1]), constant_values=-1))
    np.save(f"{folder}/sizes.npy", np.array(sizes, dtype=np.int32))
    np.save(f"{folder}/codes.npy", np.concatenate(codes))
    np.save(f"{folder}/queries.npy", np.concatenate(queries))
    np.save(f"{folder}/distances.npy", np.array(distances, dtype=np.int32))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["make", "serve", "stream", "check", "maps"])
    parser.add_argument("folder")
    parser.add_argument("--out", help="folder of ids.npy and distances.npy")
    parser.add_argument("--n", type=int, default=10000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--dimension", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    if args.action == "make":
        result = make(args.folder, args.n, args.queries, args.dimension, args.seed)
    elif args.action == "serve":
        result = serve(args.folder, args.threads)
    elif args.action == "stream":
        result = stream(args.folder)
    elif args.action == "check":
        result = check(args.folder, args.out)
    else:
        result = maps(args.folder, args.n, args.seed)
    if result is not None:
        print(json.dumps(result))


main()
