"""The SQLite file of a memory: one writer, any number of readers, and errors that say what to do."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from stages.memory.memory_errors import MemoryDamaged, MemoryError_, MemoryFull, MemoryInUse, MemorySettingsError
from stages.memory.tables import schema
from stages.memory.words import term_counts

_log = logging.getLogger(__name__)
_BUSY_S = 30.0
_CACHE_KIB = 8192
_STOP = "stop it (Ctrl-C where it runs, or `kill` with its number; what it heard is kept)"
_KEPT_BESIDE = ("lines", "index")
_FULL_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class WriterLock:
    """Holds `writer.lock` in a memory directory, so that one process writes and a second one is told who does."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "writer.lock"
        self._file: int | None = None

    def take(self) -> None:
        """Raises MemoryInUse when another writer holds it."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            raise MemoryInUse(
                f"memory {self._path.parent}: process {holder} is writing to it and a memory has one writer; {_STOP} and give the"
                " command again, or give another --memory (asking, listing and export work while it runs)"
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._file = handle

    def release(self) -> None:
        """Let the next writer in. The file stays: removing it would let two writers hold two files."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Database:
    """Connections to one SQLite file, or to a database in RAM where `path` is None.

    Writes go through one connection under a lock; each read takes a connection of its own from a pool, so that asking does not
    wait for the disk. A database in RAM has one connection for everything.
    """

    def __init__(self, path: Path | None, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._lock = threading.RLock()
        self._writer: sqlite3.Connection | None = None
        self._free: list[sqlite3.Connection] = []
        self._pool_lock = threading.Lock()

    @property
    def where(self) -> str:
        """The memory in messages."""
        return str(self.path.parent) if self.path else "in RAM"

    def open(self) -> None:
        """Connect, and bring the tables up to date; a reader takes the writer's place for as long as that lasts.

        Raises MemoryInUse, MemorySettingsError (a newer version; or an older one that cannot be written to), MemoryFull, MemoryDamaged.
        """
        with translated(self.where):
            self._check_file()
            if self.read_only:
                connection = self._connect_reader()
                try:
                    is_older = bool(schema.pending(connection, self.where))
                    if is_older and self.path is not None:
                        connection.close()
                        self._upgrade(self.path)
                        connection = self._connect_reader()
                except BaseException:
                    connection.close()
                    raise
                self._free.append(connection)
                return
            connection = self._connect_writer()
            try:
                if schema.migrate(connection, self.where) and self.path:
                    # What made the tables need not stand in the write-ahead log as well.
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except BaseException:
                connection.close()
                raise
            self._writer = connection

    def close(self) -> None:
        """Close every connection."""
        with self._lock, self._pool_lock:
            for connection in self._free:
                connection.close()
            self._free.clear()
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed and on the disk when the block ends, taken back when it raises."""
        with self._lock, translated(self.where):
            connection = self._writer
            if connection is None:
                found = "it was opened for reading only" if self.read_only else "it is not open"
                raise MemoryError_(f"memory {self.where}: cannot write, {found}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # A full disk makes SQLite roll back by itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def rewrite(self) -> None:
        """Write the file anew, so that nothing of what was removed stays in free places of it, and empty the write-ahead log.

        Takes as much room again as the file has, for as long as it lasts. Raises MemoryInUse where a reader keeps an older state open.
        """
        self.empty_log("VACUUM")

    def empty_log(self, *before: str) -> None:
        """Bring everything from the write-ahead log into the file, and make the log empty. Raises MemoryInUse as `rewrite` does."""
        with self._lock, translated(self.where):
            connection = self._writer
            if connection is None:
                raise MemoryError_(f"memory {self.where}: it is not open for writing")
            for statement in before:
                connection.execute(statement)
            if self.path is not None and connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise MemoryInUse(
                    f"memory {self.where}: a process that reads it keeps what was removed alive; let it end (`echoic ask`, a listing),"
                    " and give the command again"
                )

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading, seeing one state of the memory for as long as the block lasts."""
        if self.path is None:
            with self._lock, translated(self.where):
                if self._writer is None:
                    raise MemoryError_(f"memory {self.where}: it is not open")
                yield self._writer
            return
        with translated(self.where):
            connection = self._taken()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._give_back(connection)

    def _taken(self) -> sqlite3.Connection:
        with self._pool_lock:
            if self._free:
                return self._free.pop()
        if not self.read_only and self._writer is None:
            raise MemoryError_(f"memory {self.where}: it is not open")
        return self._connect_reader()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._pool_lock:
            if self.read_only or self._writer is not None:
                self._free.append(connection)
                return
        connection.close()

    def _upgrade(self, path: Path) -> None:
        """Bring the tables up to date for a reader, as the one writer that a memory may have."""
        lock = WriterLock(path.parent)
        try:
            lock.take()
            connection = self._connect_writer()
            try:
                done = schema.migrate(connection, self.where)
            finally:
                connection.close()
        except MemoryInUse as error:
            raise MemoryInUse(
                f"memory {self.where}: its tables are of an older version and another process is writing to it; {_STOP} and give the"
                " command again, which brings them up to date"
            ) from error
        except (OSError, sqlite3.OperationalError) as error:
            if _is_full(error):
                raise
            raise MemorySettingsError(
                f"memory {self.where}: its tables are of an older version and cannot be brought up to date ({error});"
                f" run `echoic doctor --memory {self.where}` as somebody who may write there, or read a copy of it"
            ) from error
        finally:
            lock.release()
        _log.info("memory %s: its tables were brought up to date (%s)", self.where, ", ".join(done))

    def _check_file(self) -> None:
        """SQLite takes an empty file for a database that was just begun; beside what a memory has kept, it is one that was lost."""
        if self.path is None or (self.path.is_file() and self.path.stat().st_size):
            return
        beside = [name for name in _KEPT_BESIDE if next((self.path.parent / name).glob("*"), None) is not None]
        if beside:
            found = "is empty" if self.path.is_file() else "is gone"
            raise MemoryDamaged(
                f"memory {self.where}: its database {self.path.name} {found}, but there is something in {', '.join(beside)};"
                " restore it from a copy, or replay the recordings under sessions/ into a new memory"
            )

    def _connect_writer(self) -> sqlite3.Connection:
        target = str(self.path) if self.path else ":memory:"
        connection = sqlite3.connect(target, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        wal = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL") if self.path else ()
        return _prepared(connection, *wal, "PRAGMA foreign_keys = ON")

    def _connect_reader(self) -> sqlite3.Connection:
        if self.path is None or not self.path.is_file():
            raise MemoryError_(f"memory {self.where}: there is no memory here yet; make one with `echoic replay`, `run` or `import`")
        # A reader of a WAL file needs the files beside it. Where it may not write, SQLite can only read what nobody writes to.
        may_write = os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)
        beside = self.path.with_name(self.path.name + "-wal").exists()
        mode = "mode=rw" if may_write else "mode=ro" if beside else "mode=ro&immutable=1"
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?{mode}", uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        # A question reads some thousand scattered pages. Mapping the file would be up to a quarter faster, but a file that is cut short
        # or cannot be read would then kill the process, where it now raises MemoryDamaged.
        return _prepared(connection, "PRAGMA query_only = ON")


def _prepared(connection: sqlite3.Connection, *settings: str) -> sqlite3.Connection:
    """A connection with its settings, or none where the file cannot be read."""
    try:
        # Before it is one that only queries.
        term_counts.attach(connection)
        for setting in (*settings, f"PRAGMA cache_size = -{_CACHE_KIB}"):
            connection.execute(setting)
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn what SQLite and the disk say into messages with the way out."""
    try:
        yield
    except sqlite3.Error as error:
        if _is_full(error):
            raise MemoryFull(_full(where, str(error))) from error
        if _code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise MemoryDamaged(
                f"memory {where}: its database is damaged ({error});"
                f" restore it from a copy, or replay the recordings under sessions/ into a new memory"
            ) from error
        raise MemoryError_(f"memory {where}: {error}") from error
    except OSError as error:
        if _is_full(error):
            raise MemoryFull(_full(where, error.strerror or str(error))) from error
        raise MemoryError_(f"memory {where}: {error}") from error


def _code(error: sqlite3.Error) -> int:
    """The primary result code, which is in the low byte (https://sqlite.org/rescode.html)."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _is_full(error: sqlite3.Error | OSError) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL_ERRNOS
    return _code(error) in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


def _full(where: str, found: str) -> str:
    return f"memory {where}: cannot write ({found}); what was being written has been taken back: make room on the disk and start again"
