"""Models in a form that this machine made of published weights: written once and safely, loaded where whole, else made anew."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from models.sealing import is_intact, seal
from models.text_model import TextModelError

_LONGEST_S = 3600.0

Model = TypeVar("Model")


def written_once(folder: Path, write: Callable[[Path], None]) -> Path:
    """A folder of what `write` writes to the folder it is given: whole and sealed, or not there at all.

    It is left alone where it is there already. What other conversions to it left that were killed an hour or more ago is removed.

    Raises:
        OSError: the folder cannot be written. Whatever `write` raises passes through.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        remove_others(made, f"{folder.name}.*")
        # Other users of this machine may read it, as they may read the weights.
        made.chmod(0o755)
        write(made)
        seal(made)
        made.replace(folder)
    except OSError:
        if not folder.is_dir():  # another process may have been quicker
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def loaded(
    folder: Path, load: Callable[[Path], Model], make: Callable[[Path], Path], can_load: Callable[[Path], bool] = lambda _: False
) -> Model:
    """A model from a folder, which is made first where it is not there, damaged, or not to be loaded.

    Args:
        folder: where the model is kept. Where this user can only read, it is made for each start in a folder that goes again.
        load: loads a folder; all that it needs of it is in memory when it returns. Raises TextModelError where it cannot.
        make: writes a folder, as `written_once` does, and gives it back.
        can_load: whether an intact folder that `load` refused is good all the same (what fails is then the device, say).

    Raises:
        TextModelError: what was just made cannot be loaded, or `can_load` says that making it anew would not help.
    """
    found = _kept(folder, load, can_load)
    if found is not None:
        return found
    with _locked(folder), tempfile.TemporaryDirectory() as temporary:
        # Another process may have been quicker.
        found = _kept(folder, load, can_load)
        if found is not None:
            return found
        shutil.rmtree(folder, ignore_errors=True)
        elsewhere = Path(temporary) / folder.name
        try:
            # What is damaged and still there could not be removed.
            kept = make(elsewhere if folder.is_dir() else folder)
        except OSError:
            kept = make(elsewhere)
        return load(kept)


def _kept(folder: Path, load: Callable[[Path], Model], can_load: Callable[[Path], bool]) -> Model | None:
    """The model of a folder that is intact; None where it is not, or has to be made anew."""
    if not is_intact(folder):
        return None
    try:
        return load(folder)
    except TextModelError:
        if can_load(folder):
            raise
    return None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time makes a folder; where this user can only read, each makes its own."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = (folder.parent / f".{folder.name}.lock").open("w")
    except OSError:
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove_others(folder: Path, pattern: str) -> None:
    """Remove the folders beside one whose names match a pattern.

    Those that are being written (their names have a dot) stay for an hour: no conversion takes so long.
    """
    newest = folder.stat().st_mtime
    for other in folder.parent.glob(pattern):
        if other != folder and ("." not in other.name or other.stat().st_mtime < newest - _LONGEST_S):
            shutil.rmtree(other, ignore_errors=True)
