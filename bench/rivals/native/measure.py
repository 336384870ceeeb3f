"""One native contender and one data set, in a process of its own: python measure.py CONTENDER FOLDER

Prints the measurement as JSON: what bench/rivals/measure.mjs measures, by the same rules. All of it runs on one thread.
Queries go in together, as these libraries take them, so that Python is not measured.
"""

import json
import os
import platform
import resource
import shutil
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

EFS = [10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]
ENOUGH, RISE = 0.999, 0.001
PASSES, TIMED_S, LONG_S = 3, 0.2, 1.5
PROBE_EVERY, PROBE_EF = 100, 512
COMPARED, COMPARED_EF = 50, 64
M, EF_CONSTRUCTION = 16, 200


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Hnswlib:
    package = "hnswlib"

    def __init__(self, data):
        import hnswlib

        self.make = lambda: hnswlib.Index(space="l2" if data.metric == "l2" else "cosine", dim=data.dimensions)
        self.index = self.make()
        self.index.init_index(max_elements=len(data.rows), M=M, ef_construction=EF_CONSTRUCTION)
        self.parameters = {"index": "HNSW", "element": "f32", "m": M, "efConstruction": EF_CONSTRUCTION, "metric": data.named}

    def build(self, rows):
        self.index.add_items(rows, num_threads=1)

    def count(self):
        return self.index.element_count

    def search(self, queries, k, ef):
        self.index.set_ef(max(k, ef))
        return self.index.knn_query(queries, k=k, num_threads=1)[0]

    def save(self, file):
        self.index.save_index(file)

    def load(self, file):
        self.index = self.make()
        self.index.load_index(file)


class Faiss:
    package = "faiss-cpu"
    l2_only = True
    element = "f32"

    def __init__(self, data):
        import faiss

        self.faiss = faiss
        faiss.omp_set_num_threads(1)
        self.index = self.make(data.dimensions)
        self.index.hnsw.efConstruction = EF_CONSTRUCTION
        self.parameters = {"index": "HNSW", "element": self.element, "m": M, "efConstruction": EF_CONSTRUCTION, "metric": data.named}

    def make(self, dimensions):
        return self.faiss.IndexHNSWFlat(dimensions, M)

    def build(self, rows):
        if not self.index.is_trained:
            self.index.train(rows)
        self.index.add(rows)

    def count(self):
        return self.index.ntotal

    def search(self, queries, k, ef):
        self.index.hnsw.efSearch = ef
        return self.index.search(queries, k)[1]

    def save(self, file):
        self.faiss.write_index(self.index, file)

    def load(self, file):
        self.index = self.faiss.read_index(file)


class FaissSq8(Faiss):
    element = "8 bit"

    def make(self, dimensions):
        return self.faiss.IndexHNSWSQ(dimensions, self.faiss.ScalarQuantizer.QT_8bit, M)


class Usearch:
    package = "usearch"

    def __init__(self, data):
        from usearch.index import Index

        metric = "l2sq" if data.metric == "l2" else "cos"
        self.make = lambda: Index(ndim=data.dimensions, metric=metric, dtype="f32", connectivity=M, expansion_add=EF_CONSTRUCTION)
        self.index = self.make()
        self.parameters = {"index": "HNSW", "element": "f32", "m": M, "efConstruction": EF_CONSTRUCTION, "metric": data.named}

    def build(self, rows):
        self.index.add(np.arange(len(rows)), rows, threads=1)

    def count(self):
        return len(self.index)

    def search(self, queries, k, ef):
        self.index.expansion_search = ef
        return self.index.search(queries, k, threads=1).keys.reshape(len(queries), -1)

    def save(self, file):
        self.index.save(file)

    def load(self, file):
        self.index = self.make()
        self.index.load(file)


class Numpy:
    """A matrix product and a partial sort: what needs no library."""

    package = "numpy"
    efs = (None,)

    def __init__(self, data):
        self.cosine = data.metric == "cosine"
        self.parameters = {"index": "none, a scan", "element": "f32", "metric": data.named}

    def build(self, rows):
        self.rows = unit(rows) if self.cosine else rows.copy()
        self.squares = np.einsum("ij,ij->i", self.rows, self.rows)

    def count(self):
        return len(self.rows)

    def search(self, queries, k, _):
        # For one query the length of the query changes no order.
        far = self.squares - 2 * (queries @ self.rows.T)
        if self.cosine:
            far = -(queries @ self.rows.T)
        near = np.argpartition(far, k - 1, axis=1)[:, :k]
        return np.take_along_axis(near, np.argsort(np.take_along_axis(far, near, 1), axis=1), 1)

    def save(self, file):
        with open(file, "wb") as out:
            np.save(out, self.rows)

    def load(self, file):
        self.rows = np.load(file)
        self.squares = np.einsum("ij,ij->i", self.rows, self.rows)


CONTENDERS = {"hnswlib": Hnswlib, "faiss": Faiss, "faiss-sq8": FaissSq8, "usearch": Usearch, "numpy": Numpy}
NAMES = {"faiss": "faiss HNSW", "faiss-sq8": "faiss HNSW SQ8", "numpy": "numpy, a scan"}


class Data:
    """The data set; what knows squared L2 only gets vectors on which that has the order of cosine."""

    def __init__(self, folder, l2_only):
        meta = json.loads((folder / "meta.json").read_text())
        self.dimensions, self.metric, self.top = meta["dimensions"], meta["metric"], meta["top"]
        read = lambda file, kind, width: np.fromfile(folder / file, dtype=kind).reshape(-1, width)
        self.rows = read("rows.f32", "<f4", self.dimensions)
        self.queries = read("queries.f32", "<f4", self.dimensions)
        self.truth = read("truth.u32", "<u4", self.top)
        self.named = "cosine" if self.metric == "cosine" else "squared L2"
        if l2_only and self.metric == "cosine":
            self.rows, self.queries, self.named = unit(self.rows), unit(self.queries), "squared L2 of unit vectors"


def timed(work):
    cpu, wall = time.process_time(), time.perf_counter()
    outcome = work()
    return outcome, time.process_time() - cpu, time.perf_counter() - wall


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def sweep(index, data, efs):
    points = []
    for ef in efs:
        answers, cpu, wall = timed(lambda: index.search(data.queries, data.top, ef))
        hits = sum(len(set(map(int, found)) & set(map(int, wanted))) for found, wanted in zip(answers, data.truth))
        recall = hits / data.truth.size
        if wall < LONG_S:
            # That was to warm up.
            passes = []
            while len(passes) < PASSES or sum(wall for _, wall in passes) < TIMED_S:
                passes.append(timed(lambda: index.search(data.queries, data.top, ef))[1:])
            cpu, wall = min(passes)
        each = 1e6 / len(data.queries)
        points.append({"ef": ef, "recall": recall, "cpuUs": cpu * each, "wallUs": wall * each})
        if recall >= ENOUGH or (len(points) > 2 and recall - points[-3]["recall"] < RISE):
            break
    return points


def probe(index, data, ef):
    asked = range(0, len(data.rows), PROBE_EVERY)
    hits = index.search(data.rows[list(asked)], 1, ef)[:, 0]
    found = sum(int(hit) < len(data.rows) and bool((data.rows[int(hit)] == data.rows[row]).all()) for row, hit in zip(asked, hits))
    return {"asked": len(asked), "found": found}


def saved(index, data, ef):
    queries = data.queries[:COMPARED]
    before = index.search(queries, data.top, ef)
    folder = tempfile.mkdtemp(prefix="edgevec-rivals-")
    outcome = {}
    try:
        file = os.path.join(folder, "saved")
        index.save(file)
        outcome["bytes"] = os.path.getsize(file)
        index.load(file)
        after = index.search(queries, data.top, ef)
        outcome["asked"], outcome["same"] = len(queries), int(sum((a == b).all() for a, b in zip(before, after)))
    except Exception as error:
        outcome["error"] = str(error).split("\n")[0][:160]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def main():
    name, folder = sys.argv[1], Path(sys.argv[2])
    kind = CONTENDERS[name]
    data = Data(folder, getattr(kind, "l2_only", False))
    # Whatever the library needs for its work is loaded before memory is looked at.
    index = kind(data)
    efs = getattr(index, "efs", EFS)
    before = resident()
    _, cpu, wall = timed(lambda: index.build(data.rows))
    result = {
        "facts": {"name": NAMES.get(name, name), "version": version(kind.package), "runs": "native", "engine": f"Python {platform.python_version()}"},
        "parameters": index.parameters,
        "cpuMs": cpu * 1e3,
        "wallMs": wall * 1e3,
        "holdMs": wall * 1e3,
        "rssBytes": resident() - before,
        "stored": index.count(),
    }
    result["points"] = sweep(index, data, efs)
    result["probe"] = probe(index, data, None if efs[0] is None else PROBE_EF)
    result["saved"] = saved(index, data, None if efs[0] is None else COMPARED_EF)
    print(json.dumps(result))


main()
