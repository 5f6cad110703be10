"""The indexes with whole vectors: flat (exact) and HNSW (a graph), each kept as one snapshot."""

from __future__ import annotations

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
from stages.memory.vectors.row_comparison import numbers_fit
from stages.memory.vectors.vector_index import Batch, Rows, VectorIndex, checked_query, faiss_module, in_order, mask_of

_log = logging.getLogger(__name__)

_MAGIC = b"ECHOIC-INDEX-1\n"
_UNSAVED_SHARE = 0.2
_UNSAVED_LEAST = 5000
_GONE_SHARE = 8
_AT_ONCE = 8192
_N_SAMPLES = 8
_HNSW_LINKS = 32
_HNSW_EF_CONSTRUCTION = 80
_HNSW_EF_SEARCH = 64


class WholeIndex(VectorIndex):
    """Every vector as it is: exact, or a graph of 32 links (Malkov and Yashunin, arXiv 1603.09320).

    The snapshot is written whole each time, which suits memories of up to some hundred thousand lines.
    """

    def __init__(self, folder: Path | None, kind: Literal["flat", "hnsw"], dimension: int) -> None:
        self._path = folder / "vectors.faiss" if folder else None
        self._kind = kind
        self._dimension = dimension
        self._lock = threading.RLock()
        self._index: Any = None
        self._rows: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._gone: npt.NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self._n_new = 0
        self._is_stale = True
        self._clean_to = 0

    @property
    def last_row(self) -> int:
        """The greatest row number in the index, 0 when it is empty."""
        return int(self._rows[-1]) if len(self._rows) else 0

    @property
    def n_rows(self) -> int:
        """How many rows the index holds."""
        return len(self._rows) - int(self._gone.sum())

    @property
    def ram_bytes(self) -> int:
        """About how many bytes of RAM the rows take: numbers, row numbers, and the links of a graph (twice as many at its bottom)."""
        links = 2 * _HNSW_LINKS + _HNSW_LINKS // 8 if self._kind == "hnsw" else 0
        return len(self._rows) * (4 * self._dimension + 8 + 4 * links)

    @property
    def n_unsaved(self) -> int:
        """How many rows the snapshot on the disk does not have."""
        return self._n_new

    @property
    def wants_save(self) -> bool:
        """Whether 5,000 rows and a fifth of all wait."""
        return self.n_unsaved > max(_UNSAVED_LEAST, _UNSAVED_SHARE * len(self._rows))

    def open(self, stored: Callable[[int], Batch | None]) -> None:
        """Load the snapshot; a handful of its rows is compared with SQLite."""
        with self._lock:
            if self._index is not None:
                return
            problem = self._load()
            if problem is None and len(self._rows):
                places = np.unique(np.linspace(0, len(self._rows) - 1, _N_SAMPLES).astype(np.int64)).tolist()
                index: Any = self._index
                found = [(stored(int(self._rows[place])), index.reconstruct_n(place, 1)) for place in places]
                if any(theirs is None or (len(theirs.rows) and not numbers_fit(own, theirs).all()) for theirs, own in found):
                    problem = "it holds other rows than the database"
            if problem is not None:
                _log.info("vector index %s: %s; it is rebuilt from the database", self._path, problem)
                self.reset()

    def reset(self) -> None:
        """Forget everything: `catch_up` then builds it anew."""
        with self._lock:
            self._index = self._fresh()
            self._rows, self._gone = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
            self._n_new = self.removed_to = self._clean_to = 0
            self._is_stale = True

    def catch_up(self, batches: Iterator[Batch]) -> None:
        """Add rows, in rising order, that came after `last_row`."""
        with self._lock:
            for rows, vectors, *_ in batches:
                fresh = rows > self.last_row
                if fresh.any():
                    self._index.add(np.ascontiguousarray(vectors[fresh]))
                    self._rows = np.concatenate([self._rows, rows[fresh]])
                    self._gone = np.concatenate([self._gone, np.zeros(int(fresh.sum()), dtype=np.bool_)])
                    self._n_new += int(fresh.sum())

    def remove(self, rows: Rows) -> int:
        """Take rows out. A graph cannot lose nodes: they are passed over, and it is built anew when an eighth of them has gone."""
        with self._lock:
            places = np.flatnonzero(np.isin(self._rows, rows) & ~self._gone)
            if not len(places):
                return 0
            self._is_stale = True
            if self._kind == "hnsw":
                # A file with nodes that are passed over is one from before they were removed.
                self._clean_to = self._clean_to if self._gone.any() else self.removed_to
                self._gone[places] = True
                if _GONE_SHARE * int(self._gone.sum()) >= len(self._rows):
                    self.purge()
            else:
                self._index.remove_ids(places)
                self._rows, self._gone = np.delete(self._rows, places), np.delete(self._gone, places)
            return len(places)

    def purge(self) -> None:
        """Build a graph anew without the nodes that are passed over."""
        with self._lock:
            if self._index is None or not self._gone.any():
                return
            old, kept = self._index, np.flatnonzero(~self._gone)
            self._index, self._rows = self._fresh(), self._rows[kept]
            self._gone = np.zeros(len(kept), dtype=np.bool_)
            for start in range(0, len(kept), _AT_ONCE):
                self._index.add(old.reconstruct_batch(kept[start : start + _AT_ONCE]))

    def search(self, vector: Float32Array, k: int, excluded: Rows | None = None, allowed: Rows | None = None) -> list[tuple[int, float]]:
        """The nearest rows: all of them with flat, nearly all with hnsw."""
        query = checked_query(vector, self._dimension)
        faiss = faiss_module()
        with self._lock:
            if not len(self._rows) or k < 1:
                return []
            selector = None
            keep = ~self._gone
            if allowed is not None:
                keep &= mask_of(allowed, True, self.last_row)[self._rows]
            if excluded is not None and len(excluded):
                keep &= mask_of(excluded, False, self.last_row)[self._rows]
            if not keep.all():
                selector = faiss.IDSelectorBitmap(np.packbits(keep, bitorder="little"))
            n_wanted = min(k, int(keep.sum()))
            if n_wanted == 0:
                return []
            if self._kind == "hnsw" and allowed is not None:
                # A walk through the graph hardly meets the few rows that are allowed: look at each of them.
                places = np.flatnonzero(keep)
                cosines = np.array([float(query[0] @ self._index.reconstruct(int(place))) for place in places], dtype=np.float32)
                order = np.argsort(-cosines, kind="stable")[:n_wanted]
                return in_order(self._rows[places[order]], cosines[order])
            if self._kind == "hnsw":
                parameters = faiss.SearchParametersHNSW(sel=selector, efSearch=max(_HNSW_EF_SEARCH, k))
            else:
                parameters = faiss.SearchParameters(sel=selector)
            scores, places = self._index.search(query, n_wanted, params=parameters)
            there = places[0] >= 0
            return in_order(self._rows[places[0][there]], scores[0][there])

    def n_to_compare(self, k: int, near_ties: bool) -> int | None:  # noqa: ARG002 - it holds the vectors themselves
        """None: scores are those of the vectors themselves."""
        return None

    def differences(self, batches: Iterator[Batch]) -> int:
        """How many rows of the index do not stand so in the database (or the other way round)."""
        with self._lock:
            kept = np.flatnonzero(~self._gone)
            wrong, place = 0, 0
            for batch in batches:
                count = min(len(batch.rows), len(kept) - place)
                wrong += len(batch.rows) - count
                if count:
                    places = kept[place : place + count]
                    mine = self._index.reconstruct_batch(places)
                    theirs = batch.some(slice(count))
                    wrong += int((~((self._rows[places] == theirs.rows) & numbers_fit(mine, theirs))).sum())
                place += count
            return wrong + len(kept) - place

    def save(self) -> None:
        """Write the snapshot: whole, with its checksum, or not at all. Raises OSError when the disk does not take it."""
        faiss = faiss_module()
        with self._lock:
            if self._path is None or self._index is None or not (self._n_new or self._is_stale):
                return
            body = self._rows.astype("<i8").tobytes() + faiss.serialize_index(self._index).tobytes()
            header = {
                "kind": self._kind,
                "dimension": self._dimension,
                "rows": len(self._rows),
                "removed_to": self._clean_to if self._gone.any() else self.removed_to,
                "crc32": zlib.crc32(body),
            }
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
            self._n_new, self._is_stale = 0, False

    def _fresh(self) -> Any:
        faiss = faiss_module()
        if self._kind == "flat":
            return faiss.IndexFlatIP(self._dimension)
        index = faiss.IndexHNSWFlat(self._dimension, _HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = _HNSW_EF_CONSTRUCTION
        return index

    def _load(self) -> str | None:
        """What is wrong with the snapshot, or None when it is loaded (or there is none in RAM)."""
        faiss = faiss_module()
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
        self._index, self._rows, self._gone = index, rows, np.zeros(n_rows, dtype=np.bool_)
        self._n_new, self._is_stale = 0, False
        self.removed_to = int(header.get("removed_to", 0))
        return None
