"""The index for large memories: lists of like vectors, in one byte a number (SQ8) or a byte for eight numbers (PQ)."""

from __future__ import annotations

import json
import logging
import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.memory.vectors.index_log import Block, IndexLog
from stages.memory.vectors.row_comparison import between, numbers_fit, parts_fit
from stages.memory.vectors.vector_index import Batch, Rows, VectorIndex, VectorIndexError, checked_query, faiss_module, in_order, mask_of

_log = logging.getLogger(__name__)

Codes = npt.NDArray[np.uint8]
Lists = npt.NDArray[np.int32]

FIRST_TRAINING = 8192
_GROWTH = 2
_LISTS_PER_ROOT = 4.2
_LEAST_PROBES = 64
_PROBED_SHARE = 40
_PQ_PART = 8
_POINTS_PER_LIST = 20
_N_ITERATIONS = 6
_SQ_MARGIN = 0.1
_SQ_FACTOR, _SQ_MOST = 2, 50
_PQ_LEAST, _PQ_FACTOR, _PQ_MOST = 200, 4, 1000
_AT_ONCE = 32768
_LOADED_AT_ONCE = 65536
_UNSAVED_MOST = 4096
_GONE_SHARE = 8
_N_SAMPLES = 8
_META, _TRAINED, _ROWS = 1, 2, 3


class IvfIndex(VectorIndex):
    """Inverted lists (Jegou et al. 2011, PAMI 33(1)), exact until the first training, then in SQ8 or PQ codes.

    Vectors are coded as they are, not as residuals, so a code stays when its list changes. The lists are trained anew, from the
    codes, each time the index has doubled: about 4.2 * sqrt(n) lists (3 * sqrt(n) by the time of the next
    training), of which a search looks into 64 or a 40th. On the disk the
    index is a log of blocks: what is new is added at its end, and it is written anew after a training, and when an eighth of it has been
    removed (or at once, with `purge`). A damaged block and what follows it are added again from the database.
    """

    def __init__(
        self, folder: Path | None, kind: Literal["ivf_sq8", "ivf_pq"], dimension: int, first_training: int = FIRST_TRAINING
    ) -> None:
        if kind == "ivf_pq" and dimension % _PQ_PART:
            raise VectorIndexError(f"index ivf_pq needs vectors whose length is a multiple of {_PQ_PART}, found {dimension}; take ivf_sq8")
        self._file = IndexLog(folder / "vectors.ivf") if folder else None
        self._kind = kind
        self._dimension = dimension
        self._first_training = first_training
        self._lock = threading.RLock()
        self._index: Any = None
        self._trained_rows = 0
        self._last_row = 0
        self._unsaved: list[tuple[Rows, Lists, Codes]] = []
        self._whole = True
        self._n_removals = 0
        self._n_gone = 0

    @property
    def last_row(self) -> int:
        """The greatest row number that was ever added, 0 when there was none."""
        return self._last_row

    @property
    def n_rows(self) -> int:
        """How many rows the index holds."""
        return 0 if self._index is None else int(self._index.ntotal)

    @property
    def ram_bytes(self) -> int:
        """About how many bytes of RAM the rows take: codes, row numbers, and the centres of the lists."""
        if self._index is None:
            return 0
        return self.n_rows * (int(self._index.code_size) + 8) + int(self._index.nlist) * 4 * self._dimension

    @property
    def n_unsaved(self) -> int:
        """How many rows the file does not have; all of them where it has to be written anew."""
        return self.n_rows if self._whole else sum(len(rows) for rows, _, _ in self._unsaved)

    @property
    def wants_save(self) -> bool:
        """Whether 4,096 rows wait."""
        return self.n_unsaved >= _UNSAVED_MOST

    def open(self, stored: Callable[[int], Batch | None]) -> None:
        """Read the log up to its last whole block; a handful of rows is compared with SQLite."""
        with self._lock:
            if self._index is not None:
                return
            problem = None if self._file is None else self._load(self._file, stored)
            if self._file is None or problem is not None:
                self.reset()
            if problem is not None:
                _log.info("vector index: %s; it is rebuilt from the database", problem)

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            faiss = faiss_module()
            quantiser = faiss.IndexFlatIP(self._dimension)
            quantiser.add(np.zeros((1, self._dimension), dtype=np.float32))
            self._index = _owning(faiss.IndexIVFFlat(quantiser, self._dimension, 1, faiss.METRIC_INNER_PRODUCT), quantiser)
            self._index.is_trained = True
            self._trained_rows = self._last_row = self.removed_to = self._n_gone = 0
            self._unsaved, self._whole = [], True

    def catch_up(self, batches: Iterator[Batch]) -> None:
        """Add rows, in rising order, that came after `last_row`."""
        with self._lock:
            for rows, vectors, *_ in batches:
                fresh = rows > self._last_row
                if not fresh.any():
                    continue
                added, exact = np.ascontiguousarray(rows[fresh]), np.ascontiguousarray(vectors[fresh], dtype=np.float32)
                lists, codes = _lists(self._index, exact), self._codes(self._index, exact)
                _add(self._index, added, lists, codes)
                self._last_row = int(added[-1])
                if not self._whole:
                    self._unsaved.append((added, lists, codes))

    def tend(self) -> None:
        """Train where it is due: seconds of work at a million rows, once in a doubling. Searches go on meanwhile."""
        with self._lock:
            if self._index is None or self.n_rows < max(self._first_training, _GROWTH * self._trained_rows):
                return
            old, n_removals, last = self._index, self._n_removals, self._last_row
            rows, _, codes = self._everything()
        fresh = self._trained(old, rows, codes)
        with self._lock:
            if self._index is not old or self._n_removals != n_removals:
                return
            for _, later, part in list(_lists_of(old)):
                came = later > last
                if came.any():
                    vectors = self._decoded(old, part[came])
                    _add(fresh, later[came], _lists(fresh, vectors), self._codes(fresh, vectors))
            self._index, self._trained_rows = fresh, len(rows)
            self._unsaved, self._whole = [], True

    def remove(self, rows: Rows) -> int:
        """Take rows out. The file is one from before they were removed, until it is written anew."""
        with self._lock:
            removed = int(self._index.remove_ids(np.ascontiguousarray(rows, dtype=np.int64))) if len(rows) else 0
            if removed:
                self._n_removals += 1
                self._n_gone += removed
                if _GONE_SHARE * self._n_gone >= self.n_rows:
                    self.purge()
            return removed

    def purge(self) -> None:
        """Let the next `save` write everything anew."""
        with self._lock:
            if self._n_gone:
                self._unsaved, self._whole = [], True

    def search(self, vector: Float32Array, k: int, excluded: Rows | None = None, allowed: Rows | None = None) -> list[tuple[int, float]]:
        """The nearest rows in the likeliest lists; in all lists where only some rows are allowed."""
        query = checked_query(vector, self._dimension)
        faiss = faiss_module()
        with self._lock:
            if not self.n_rows or k < 1:
                return []
            n_lists = int(self._index.nlist)
            probes = min(n_lists, max(_LEAST_PROBES, n_lists // _PROBED_SHARE))
            selector = None
            if allowed is not None or (excluded is not None and len(excluded)):
                keep = np.ones(self._last_row + 1, dtype=bool) if allowed is None else mask_of(allowed, True, self._last_row)
                if excluded is not None:
                    keep &= mask_of(excluded, False, self._last_row)
                bits = np.packbits(keep, bitorder="little")
                selector = faiss.IDSelectorBitmap(bits)
                # Few allowed rows may lie in any list.
                probes = n_lists if allowed is not None else probes
            parameters = faiss.SearchParametersIVF(sel=selector, nprobe=probes)
            scores, rows = self._index.search(query, min(k, self.n_rows), params=parameters)
        return in_order(rows[0], scores[0])

    def n_to_compare(self, k: int, near_ties: bool) -> int | None:
        """In PQ the best are among four times as many, near ties in SQ8 among twice as many.

        Those who ask for more than 50 rank them anew anyway. Before the first training the index holds the vectors themselves.
        """
        if self._index is None or self._index.code_size == 4 * self._dimension:
            return None
        if self._kind == "ivf_pq":
            return max(k, min(max(_PQ_FACTOR * k, _PQ_LEAST), _PQ_MOST))
        return _SQ_FACTOR * k if near_ties and k <= _SQ_MOST else None

    def differences(self, batches: Iterator[Batch]) -> int:
        """How many rows differ from what the database's vectors would be coded as."""
        with self._lock:
            rows, _, codes = self._everything()
            order = np.argsort(rows, kind="stable")
            rows, codes = rows[order], codes[order]
            wrong, seen = 0, 0
            for batch in batches:
                places = np.searchsorted(rows, batch.rows)
                there = places < len(rows)
                there[there] = rows[places[there]] == batch.rows[there]
                same = self._fits(codes[places[there]], batch.some(there))
                wrong += int((~there).sum()) + int((~same).sum())
                seen += int(there.sum())
            return wrong + len(rows) - seen

    def save(self) -> None:
        """Add what is new to the log, or write it anew."""
        with self._lock:
            if self._file is None or self._index is None or (not self._whole and not self._unsaved):
                return
            if self._whole or not self._file.can_grow:
                self._file.rewrite(self._blocks())
                self._n_gone = 0
            else:
                parts = list(zip(*self._unsaved, strict=True))
                rows, lists, codes = (np.concatenate(part) for part in parts)
                self._file.append([(_ROWS, _packed(rows, lists, codes))])
            self._unsaved, self._whole = [], False

    # -- inside

    def _fits(self, mine: Codes, batch: Batch) -> npt.NDArray[np.bool_]:
        """Which rows of the index (codes, uint8, shape (n, code size)) are what they should be, given those of the database."""
        if self._index.code_size == 4 * self._dimension:
            return numbers_fit(self._decoded(self._index, mine), batch)
        vectors = np.ascontiguousarray(batch.vectors, dtype=np.float32)
        if self._kind == "ivf_sq8":
            by = np.float32(0.0) if batch.each is None else batch.each[:, None]
            return between(mine, self._codes(self._index, vectors - by), self._codes(self._index, vectors + by))
        pq = self._index.pq
        centres = faiss_module().vector_to_array(pq.centroids).reshape(int(pq.M), int(pq.ksub), int(pq.dsub))
        return parts_fit(mine, self._codes(self._index, vectors), batch, centres)

    def _quantiser(self, index: Any) -> Any:
        return index.sq if self._kind == "ivf_sq8" else index.pq

    def _codes(self, index: Any, vectors: Float32Array) -> Codes:
        """Uint8, shape (n, code size); float32 as it is where the index holds that."""
        if index.code_size == 4 * self._dimension or not len(vectors):
            return vectors.astype("<f4").view(np.uint8).reshape(len(vectors), -1)
        codes: Codes = self._quantiser(index).compute_codes(vectors)
        return codes

    def _decoded(self, index: Any, codes: Codes) -> Float32Array:
        """Float32, shape (n, dimension)."""
        codes = np.ascontiguousarray(codes)
        if index.code_size == 4 * self._dimension:
            return codes.view("<f4").astype(np.float32, copy=False)
        vectors: Float32Array = self._quantiser(index).decode(codes)
        return vectors

    def _everything(self) -> tuple[Rows, Lists, Codes]:
        """All rows, list by list."""
        parts = list(_lists_of(self._index))
        rows = np.concatenate([part[1] for part in parts]) if parts else np.zeros(0, dtype=np.int64)
        lists = np.concatenate([np.full(len(part[1]), part[0], dtype=np.int32) for part in parts]) if parts else np.zeros(0, dtype=np.int32)
        codes = np.concatenate([part[2] for part in parts]) if parts else np.zeros((0, int(self._index.code_size)), dtype=np.uint8)
        return rows, lists, codes

    def _trained(self, old: Any, rows: Rows, codes: Codes) -> Any:
        """An index with new lists for these rows; the first time, also with ranges (or a codebook) for the codes."""
        faiss = faiss_module()
        n_lists = max(4, 2 ** round(math.log2(_LISTS_PER_ROOT * math.sqrt(len(rows)))))
        in_time = np.argsort(rows, kind="stable")
        sample = in_time[np.linspace(0, len(rows) - 1, min(len(rows), _POINTS_PER_LIST * n_lists)).astype(np.int64)]
        points = self._decoded(old, codes[sample])
        quantiser = faiss.IndexFlatIP(self._dimension)
        settings = faiss.ClusteringParameters()
        settings.niter, settings.seed, settings.spherical, settings.min_points_per_centroid = _N_ITERATIONS, 1234, True, 1
        clustering = faiss.Clustering(self._dimension, n_lists, settings)
        clustering.train(points, quantiser)
        quantiser.reset()
        quantiser.add(faiss.vector_to_array(clustering.centroids).reshape(n_lists, self._dimension))
        fresh = self._empty(quantiser, n_lists)
        if old.code_size != 4 * self._dimension:
            self._share_codes(old, fresh)
        elif self._kind == "ivf_sq8":
            # Later vectors may reach a little farther than those of the training.
            fresh.sq.rangestat_arg = _SQ_MARGIN
            fresh.sq.train(points)
        else:
            fresh.pq.cp.min_points_per_centroid = 1
            fresh.pq.train(points)
        fresh.is_trained = True
        for start in range(0, len(rows), _AT_ONCE):
            vectors = self._decoded(old, codes[start : start + _AT_ONCE])
            _add(fresh, rows[start : start + _AT_ONCE], _lists(fresh, vectors), self._codes(fresh, vectors))
        return fresh

    def _share_codes(self, old: Any, fresh: Any) -> None:
        if self._kind == "ivf_sq8":
            fresh.sq = old.sq
        else:
            fresh.pq = old.pq

    def _empty(self, quantiser: Any, n_lists: int) -> Any:
        faiss = faiss_module()
        if self._kind == "ivf_sq8":
            index = faiss.IndexIVFScalarQuantizer(
                quantiser, self._dimension, n_lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT, False
            )
        else:
            n_parts = self._dimension // _PQ_PART
            index = faiss.IndexIVFPQ(quantiser, self._dimension, n_lists, n_parts, 8, faiss.METRIC_INNER_PRODUCT)
            index.by_residual = False
        return _owning(index, quantiser)

    def _blocks(self) -> Iterator[Block]:
        faiss = faiss_module()
        meta = {"kind": self._kind, "dimension": self._dimension, "trained": self._trained_rows, "removed_to": self.removed_to}
        yield _META, json.dumps(meta, sort_keys=True).encode()
        if self._trained_rows:
            bare = faiss.clone_index(self._index.quantizer)
            shell = self._empty(bare, int(self._index.nlist))
            self._share_codes(self._index, shell)
            shell.is_trained = True
            yield _TRAINED, faiss.serialize_index(shell).tobytes()
        waiting: list[tuple[Rows, Lists, Codes]] = []
        count = 0
        for number, rows, codes in _lists_of(self._index):
            for start in range(0, len(rows), _AT_ONCE):
                part = rows[start : start + _AT_ONCE]
                waiting.append((part, np.full(len(part), number, dtype=np.int32), codes[start : start + _AT_ONCE]))
                count += len(part)
                if count >= _AT_ONCE:
                    yield _ROWS, _packed(*(np.concatenate(column) for column in zip(*waiting, strict=True)))
                    waiting, count = [], 0
        if waiting:
            yield _ROWS, _packed(*(np.concatenate(column) for column in zip(*waiting, strict=True)))

    def _load(self, log: IndexLog, stored: Callable[[int], Batch | None]) -> str | None:
        """What is wrong with the log, or None when it is loaded."""
        faiss = faiss_module()
        self.reset()
        meta: dict[str, Any] = {}
        waiting: list[tuple[Rows, Lists, Codes]] = []
        seen: list[tuple[int, Codes]] = []
        try:
            for kind, body in log.read():
                if kind == _META:
                    meta = json.loads(bytes(body))
                    if (meta["kind"], meta["dimension"]) != (self._kind, self._dimension):
                        return f"the snapshot is {meta['kind']} of {meta['dimension']}, wanted {self._kind} of {self._dimension}"
                elif kind == _TRAINED:
                    self._index = faiss.deserialize_index(np.frombuffer(body, dtype=np.uint8))
                    self._trained_rows = int(meta["trained"])
                elif kind == _ROWS:
                    waiting.append(_unpacked(body, int(self._index.code_size)))
                    if sum(len(rows) for rows, _, _ in waiting) >= _LOADED_AT_ONCE:
                        seen += self._taken_in(waiting)
                        waiting = []
            seen += self._taken_in(waiting)
            if not meta or (meta["trained"] and not self._trained_rows):
                return "the snapshot is damaged (its beginning)"
            self.removed_to = int(meta["removed_to"])
        except OSError as error:
            return f"no snapshot ({error.strerror})"
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            return f"the snapshot is damaged ({error})"
        if self._is_foreign(seen, stored):
            return "it holds other rows than the database"
        self._whole = False
        return None

    def _taken_in(self, parts: list[tuple[Rows, Lists, Codes]]) -> list[tuple[int, Codes]]:
        """Add rows of the log: what was added in small parts goes to each list at once. A few rows and their codes, the last among them."""
        if not parts:
            return []
        rows, lists, codes = parts[0] if len(parts) == 1 else (np.concatenate(column) for column in zip(*parts, strict=True))
        _add(self._index, rows, lists, codes)
        self._last_row = max(self._last_row, int(rows.max()))
        picked = {int(rows.argmax()), *np.linspace(0, len(rows) - 1, _N_SAMPLES).astype(int).tolist()}
        return [(int(rows[place]), codes[place].copy()) for place in picked]

    def _is_foreign(self, seen: list[tuple[int, Codes]], stored: Callable[[int], Batch | None]) -> bool:
        """Whether a handful of rows, the last one among them, stand otherwise in the database; one that was removed says nothing."""
        in_order_of_rows = sorted(seen, key=lambda entry: entry[0])
        for place in np.unique(np.linspace(0, len(seen) - 1, _N_SAMPLES).astype(np.int64)).tolist() if seen else ():
            row, mine = in_order_of_rows[place]
            found = stored(row)
            if found is None or (len(found.rows) and not self._fits(mine[None, :], found).all()):
                return True
        return False


def _owning(index: Any, quantiser: Any) -> Any:
    # FAISS holds only a pointer to the quantiser: without this it would be freed with its Python object.
    quantiser.this.disown()
    index.own_fields = True
    return index


def _lists(index: Any, vectors: Float32Array) -> Lists:
    """The list of each vector, int32."""
    nearest: Lists = index.quantizer.search(vectors, 1)[1][:, 0].astype(np.int32)
    return nearest


def _add(index: Any, rows: Rows, lists: Lists, codes: Codes) -> None:
    faiss = faiss_module()
    if not len(rows):
        return
    if (np.diff(lists) < 0).any():
        order = np.argsort(lists, kind="stable")
        rows, lists, codes = rows[order], lists[order], codes[order]
    rows, codes = np.ascontiguousarray(rows), np.ascontiguousarray(codes)
    starts = np.flatnonzero(np.diff(lists, prepend=-1)).tolist()
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        index.invlists.add_entries(int(lists[start]), end - start, faiss.swig_ptr(rows[start:end]), faiss.swig_ptr(codes[start:end]))
    index.ntotal += len(rows)


def _lists_of(index: Any) -> Iterator[tuple[int, Rows, Codes]]:
    """Each list that is not empty: its number, rows and codes. They are views, good until the index changes."""
    faiss = faiss_module()
    size = int(index.code_size)
    for number in range(int(index.nlist)):
        count = int(index.invlists.list_size(number))
        if count:
            rows = faiss.rev_swig_ptr(index.invlists.get_ids(number), count)
            yield number, rows, faiss.rev_swig_ptr(index.invlists.get_codes(number), count * size).reshape(count, size)


def _packed(rows: Rows, lists: Lists, codes: Codes) -> bytes:
    return len(rows).to_bytes(8, "little") + rows.astype("<i8").tobytes() + lists.astype("<i4").tobytes() + codes.tobytes()


def _unpacked(body: bytes | memoryview, size: int) -> tuple[Rows, Lists, Codes]:
    count = int.from_bytes(body[:8], "little")
    rows = np.frombuffer(body, dtype="<i8", count=count, offset=8)
    lists = np.frombuffer(body, dtype="<i4", count=count, offset=8 + 8 * count)
    codes = np.frombuffer(body, dtype=np.uint8, count=count * size, offset=8 + 12 * count).reshape(count, size)
    return rows, lists, codes
