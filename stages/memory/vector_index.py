"""The FAISS index of a memory: derived from SQLite, kept as a snapshot, caught up or rebuilt whenever it is behind."""

from __future__ import annotations

import importlib
import json
import logging
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array

_log = logging.getLogger(__name__)

IndexKind = Literal["flat", "hnsw"]
Batch = tuple[npt.NDArray[np.int64], Float32Array]
"""Row numbers, int64, shape (n,), and their vectors, float32, shape (n, dimension)."""

_MAGIC = b"ECHOIC-INDEX-1\n"
_HNSW_LINKS = 32
_HNSW_EF_CONSTRUCTION = 80
_HNSW_EF_SEARCH = 64


class VectorIndex:
    """Rows and their vectors, searched by cosine.

    `folder` is where the snapshot stands (None: in RAM only). The index never knows more than SQLite: `catch_up` adds what came
    since. Building is single-threaded, so that the same rows give the same graph.
    """

    def __init__(self, folder: Path | None, kind: IndexKind, dimension: int) -> None:
        self._path = folder / "vectors.faiss" if folder else None
        self._kind = kind
        self._dimension = dimension
        self._lock = threading.RLock()
        self._index: Any = None
        self._rows: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._saved = 0

    @property
    def last_row(self) -> int:
        """The greatest row number in the index, 0 when it is empty."""
        return int(self._rows[-1]) if len(self._rows) else 0

    @property
    def n_rows(self) -> int:
        """How many rows the index holds."""
        return len(self._rows)

    @property
    def n_unsaved(self) -> int:
        """How many rows the snapshot on the disk does not have."""
        return len(self._rows) - self._saved

    def open(self, vector_of: Callable[[int], bytes | None], count_to: Callable[[int], int]) -> None:
        """Load the snapshot, unless it is missing, damaged, of another kind, or not of this memory; then start empty.

        `vector_of(row)` and `count_to(row)` ask SQLite for one vector and for how many rows there are up to one.
        """
        with self._lock:
            if self._index is not None:
                return
            problem = self._load()
            if problem is None and len(self._rows):
                last = self.last_row
                index: Any = self._index
                mine = index.reconstruct(len(self._rows) - 1).astype("<f4").tobytes()
                if vector_of(last) != mine or count_to(last) != len(self._rows):
                    problem = "it holds other rows than the database"
            if problem is not None:
                _log.info("vector index %s: %s; it is rebuilt from the database", self._path, problem)
                self.reset()

    def reset(self) -> None:
        """Forget everything: `catch_up` then builds it anew."""
        with self._lock:
            self._index = self._fresh()
            self._rows = np.zeros(0, dtype=np.int64)
            self._saved = 0

    def catch_up(self, batches: Iterator[Batch]) -> None:
        """Add rows, in rising order, that came after `last_row`."""
        with self._lock:
            for rows, vectors in batches:
                fresh = rows > self.last_row
                if fresh.any():
                    self._index.add(np.ascontiguousarray(vectors[fresh]))
                    self._rows = np.concatenate([self._rows, rows[fresh]])

    def search(self, vector: Float32Array, k: int, excluded: npt.NDArray[np.int64] | None = None) -> list[tuple[int, float]]:
        """The `k` rows nearest to a vector, float32, shape (dimension,), with their cosines, best first.

        `excluded` are row numbers that may not be found.
        """
        faiss = _faiss()
        with self._lock:
            if not len(self._rows) or k < 1:
                return []
            parameters = None
            if excluded is not None and len(excluded):
                keep = np.ones(len(self._rows), dtype=bool)
                places = np.searchsorted(self._rows, excluded)
                inside = places < len(self._rows)
                places, wanted = places[inside], excluded[inside]
                keep[places[self._rows[places] == wanted]] = False
                bitmap = np.packbits(keep, bitorder="little")
                selector = faiss.IDSelectorBitmap(bitmap)
                if self._kind == "hnsw":
                    parameters = faiss.SearchParametersHNSW(sel=selector, efSearch=max(_HNSW_EF_SEARCH, k))
                else:
                    parameters = faiss.SearchParameters(sel=selector)
            elif self._kind == "hnsw":
                parameters = faiss.SearchParametersHNSW(efSearch=max(_HNSW_EF_SEARCH, k))
            query = np.ascontiguousarray(vector, dtype=np.float32).reshape(1, -1)
            scores, places = self._index.search(query, min(k, len(self._rows)), params=parameters)
            found = [(int(self._rows[place]), float(score)) for place, score in zip(places[0], scores[0], strict=True) if place >= 0]
        # Equal scores in the order in which they came, whatever FAISS does.
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))

    def differences(self, batches: Iterator[Batch]) -> int:
        """How many rows of the index do not stand so in the database (or the other way round)."""
        with self._lock:
            wrong, place = 0, 0
            for rows, vectors in batches:
                count = min(len(rows), len(self._rows) - place)
                wrong += len(rows) - count
                if count:
                    mine = self._index.reconstruct_n(place, count)
                    same = (self._rows[place : place + count] == rows[:count]) & (mine == vectors[:count]).all(axis=1)
                    wrong += int((~same).sum())
                place += count
            return wrong + len(self._rows) - place

    def save(self) -> None:
        """Write the snapshot: whole, with its checksum, or not at all. Raises OSError when the disk does not take it."""
        faiss = _faiss()
        with self._lock:
            if self._path is None or self._index is None or self._saved == len(self._rows):
                return
            body = self._rows.astype("<i8").tobytes() + faiss.serialize_index(self._index).tobytes()
            header = {"kind": self._kind, "dimension": self._dimension, "rows": len(self._rows), "crc32": zlib.crc32(body)}
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part = self._path.with_suffix(".part")
            try:
                with part.open("wb") as file:
                    file.write(_MAGIC + json.dumps(header, sort_keys=True).encode() + b"\n")
                    file.write(body)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(self._path)
            except OSError:
                part.unlink(missing_ok=True)
                raise
            self._saved = len(self._rows)

    def _fresh(self) -> Any:
        faiss = _faiss()
        if self._kind == "flat":
            return faiss.IndexFlatIP(self._dimension)
        index = faiss.IndexHNSWFlat(self._dimension, _HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = _HNSW_EF_CONSTRUCTION
        return index

    def _load(self) -> str | None:
        """What is wrong with the snapshot, or None when it is loaded (or there is none in RAM)."""
        faiss = _faiss()
        if self._path is None:
            self.reset()
            return None
        try:
            data = self._path.read_bytes()
        except OSError as error:
            return f"no snapshot ({error.strerror})"
        if not data.startswith(_MAGIC):
            return "the snapshot is damaged (its beginning)"
        end = data.find(b"\n", len(_MAGIC))
        try:
            header = json.loads(data[len(_MAGIC) : end])
            n_rows = int(header["rows"])
            body = memoryview(data)[end + 1 :]
            if zlib.crc32(body) != header["crc32"]:
                return "the snapshot is damaged (its checksum)"
            if (header["kind"], header["dimension"]) != (self._kind, self._dimension):
                return f"the snapshot is {header['kind']} of {header['dimension']}, wanted {self._kind} of {self._dimension}"
            rows = np.frombuffer(body[: 8 * n_rows], dtype="<i8").astype(np.int64)
            index = faiss.deserialize_index(np.frombuffer(body[8 * n_rows :], dtype=np.uint8))
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            return f"the snapshot is damaged ({error})"
        if index.ntotal != n_rows or index.d != self._dimension:
            return "the snapshot is damaged (its size)"
        self._index, self._rows, self._saved = index, rows, n_rows
        return None


def _faiss() -> Any:
    """The faiss package: its stubs lack what the Python layer adds, and it is too slow to import at the top."""
    faiss = importlib.import_module("faiss")
    # One thread builds the same graph every time, and does not fight with the recogniser for the cores.
    faiss.omp_set_num_threads(1)
    return faiss
