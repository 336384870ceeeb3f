#!/usr/bin/env python3
"""Cuts the demo's data: 10,000 WordNet glosses with their embeddings and a 2-D map of them.

    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements.txt
    .venv/bin/python scripts/cut_sample.py SOURCE data/wordnet-10k

SOURCE is a folder with `base.npy` (float16, rows x dimensions, unit length) and
`texts.jsonl.gz` (one {"id", "lemma", "pos", "lexname", "text"} a row, in the same order).

Writes, all little-endian, layout in data/wordnet-10k/README.md:
  vectors.i8      one byte a component, each row times 127 / (its largest magnitude)
  scales.f32      one float32 a row: component = byte * scale
  map.u16         x, y of every row on the map, 0..65535
  neighbours.u16  exact nearest rows of some rows, to measure recall against
  texts.json.gz   lemma, part of speech, lexicographer file and text of every row
  meta.json       counts, seed and measured statistics; what the page reads first

The same source, seed and library versions give the same rows, vectors, texts and neighbours.
The map comes from an iterative floating-point optimiser, so it may differ in detail between
machines; nothing but the drawing depends on it.
"""

import argparse
import collections
import gzip
import json
import re
from pathlib import Path

import numpy as np

ROWS = 10_000
SEED = 7
# Rows whose exact neighbours are stored: recall over 500 x 10 neighbours has a standard error
# under 0.4 % at 95 %, which is finer than the page shows.
QUERIES = 500
NEIGHBOURS = 10
# A word is looked up at most this often within one category, so that words with dozens of senses
# ("take", "break") do not crowd out the others.
SENSES_PER_LEMMA = 2
# A noun category counts this many times its size: nouns form the clusters one recognises on a map.
NOUN_WEIGHT = 2
# A little exaggeration pulls clusters apart, which reads better on a small canvas; 1 is plain t-SNE.
EXAGGERATION = 1.2


def read_texts(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def words(text):
    return re.findall(r"[a-z]+", text.lower())


def familiarity(texts):
    """How often the words of each lemma are used in all definitions: common words come first.

    A phrase counts as its rarest word, and a twentieth of it, so that "dog" comes before
    "hot dog" and "hot dog" before "Helvella acetabulum".
    """
    used_in = collections.Counter()
    for row in texts:
        used_in.update(set(words(row["text"].split(": ", 1)[-1])))
    scores = []
    for row in texts:
        parts = words(row["lemma"])
        rarest = min((used_in[part] for part in parts), default=0)
        scores.append(rarest if len(parts) == 1 else rarest / 20)
    return scores


def quotas(counts, total):
    """Splits `total` in proportion to `counts` (largest remainders), names in a fixed order."""
    everything = sum(counts.values())
    exact = {name: total * count / everything for name, count in sorted(counts.items())}
    shares = {name: int(share) for name, share in exact.items()}
    left = total - sum(shares.values())
    for name in sorted(exact, key=lambda n: shares[n] - exact[n])[:left]:
        shares[name] += 1
    return shares


def choose(texts):
    """Rows of the sample, in source order: every category gets its share of the whole, and
    within a category the most familiar words win (ties by row). The source is in random order,
    so any prefix of the sample is spread over all of it."""
    scores = familiarity(texts)
    counts = collections.Counter(row["lexname"] for row in texts)
    weighted = {name: count * (NOUN_WEIGHT if name.startswith("noun.") else 1) for name, count in counts.items()}
    left = quotas(weighted, ROWS)
    taken = collections.Counter()
    chosen = []
    for row in sorted(range(len(texts)), key=lambda r: (-scores[r], r)):
        category, lemma = texts[row]["lexname"], texts[row]["lemma"].lower()
        if left[category] == 0 or taken[category, lemma] == SENSES_PER_LEMMA:
            continue
        left[category] -= 1
        taken[category, lemma] += 1
        chosen.append(row)
    if len(chosen) != ROWS:
        raise SystemExit(f"the source gives {len(chosen)} rows, {ROWS} are needed")
    return sorted(chosen)


def quantise(vectors):
    """int8 with one float32 scale a row; returns what a reader of the files gets back, too."""
    scales = (np.abs(vectors).max(axis=1) / 127).astype("<f4")
    codes = np.rint(vectors / scales[:, None]).clip(-127, 127).astype(np.int8)
    return codes, scales, codes.astype(np.float32) * scales[:, None]


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def nearest(vectors, queries, k):
    """Exact k nearest rows by cosine, the query itself left out, ties by lower row; float64."""
    rows = unit(vectors.astype(np.float64))
    similarity = rows[queries] @ rows.T
    similarity[np.arange(len(queries)), queries] = -np.inf
    return np.argsort(-similarity, axis=1, kind="stable")[:, :k]


def project(vectors):
    """t-SNE of the cosine distances, scaled to 0..65535 with one factor for both axes."""
    from openTSNE import TSNE, affinity, initialization

    rows = unit(vectors)
    graph = affinity.Multiscale(
        rows, perplexities=[20, 200], metric="cosine", method="exact", random_state=SEED, n_jobs=-1
    )
    start = initialization.pca(rows, random_state=SEED)
    points = TSNE(
        initialization=start, random_state=SEED, n_jobs=-1, n_iter=1000, exaggeration=EXAGGERATION
    ).fit(affinities=graph)
    points = np.asarray(points)
    # A handful of stray points must not shrink the map: clip at the outermost 0.1 %.
    low, high = np.quantile(points, [0.001, 0.999], axis=0)
    middle, half = (low + high) / 2, (high - low).max() / 2
    scaled = ((points - middle) / half).clip(-1, 1)
    return np.rint((scaled + 1) / 2 * 65535).astype("<u2")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder with base.npy and texts.jsonl.gz")
    parser.add_argument("target", type=Path, help="folder to write to")
    parser.add_argument("--keep-map", action="store_true", help="leave map.u16 as it is")
    options = parser.parse_args()

    texts = read_texts(options.source / "texts.jsonl.gz")
    base = np.load(options.source / "base.npy", mmap_mode="r")
    if len(texts) != len(base):
        raise SystemExit(f"{len(texts)} texts for {len(base)} vectors")
    chosen = choose(texts)
    original = unit(base[chosen].astype(np.float32))
    codes, scales, stored = quantise(original)

    rng = np.random.default_rng(SEED)
    queries = np.sort(rng.choice(ROWS, QUERIES, replace=False))
    truth = nearest(stored, queries, NEIGHBOURS)
    before = nearest(original, queries, NEIGHBOURS)
    kept = np.mean([len(np.intersect1d(a, b)) for a, b in zip(truth, before)]) / NEIGHBOURS

    options.target.mkdir(parents=True, exist_ok=True)

    def write(name, array):
        (options.target / name).write_bytes(np.ascontiguousarray(array).tobytes())

    write("vectors.i8", codes)
    write("scales.f32", scales)
    write("neighbours.u16", np.column_stack([queries, truth]).astype("<u2"))
    if not options.keep_map:
        write("map.u16", project(stored))

    columns = {key: [texts[row][key] for row in chosen] for key in ("lemma", "pos", "lexname", "text")}
    plain = json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode()
    # mtime 0 and no name: the same texts give the same bytes.
    (options.target / "texts.json.gz").write_bytes(gzip.compress(plain, 9, mtime=0))

    cosine = (unit(stored.astype(np.float64)) * original).sum(axis=1)
    meta = {
        "rows": ROWS,
        "dimensions": int(stored.shape[1]),
        "queries": QUERIES,
        "neighbours": NEIGHBOURS,
        "seed": SEED,
        "metric": "cosine",
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "statistics": {
            "cosineToOriginalMean": round(float(cosine.mean()), 6),
            "cosineToOriginalMin": round(float(cosine.min()), 6),
            "sameNeighboursAsOriginal": round(float(kept), 4),
        },
    }
    (options.target / "meta.json").write_text(json.dumps(meta, indent=2) + "\n")
    sizes = {path.name: path.stat().st_size for path in sorted(options.target.iterdir())}
    print(json.dumps({"meta": meta, "bytes": sizes, "total": sum(sizes.values())}, indent=2))


if __name__ == "__main__":
    main()
