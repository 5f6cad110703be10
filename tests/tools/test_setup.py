"""Set-up as a person meets it: a wrong word, Ctrl-C, missing system packages without root, and a second run that has nothing to do."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534


def copy_of_the_checkout(folder: Path) -> Path:
    """What set-up reads before it installs anything."""
    (folder / "tools").mkdir()
    for name in ("pyproject.toml", "LICENSE", "tools/setup.sh"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "tools/constraints", folder / "tools/constraints")
    return folder


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may write, which `tmp_path` is not."""
    folder = Path(tempfile.mkdtemp(prefix="echoic-setup-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def test_a_wrong_word_is_refused() -> None:
    found = subprocess.run(["tools/setup.sh", "everything"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (2, "tools/setup.sh: found 'everything', allowed are demo and test\n")


def interrupt_while_it_installs(checkout: Path) -> str:
    """Press Ctrl-C once set-up says that it installs packages; returns all that it said."""
    process = subprocess.Popen(
        ["bash", "tools/setup.sh", "demo"],
        cwd=checkout,
        env={**os.environ, "ECHOIC_EXTRA": "cpu"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if "Python packages into .venv" in line:
            os.killpg(process.pid, signal.SIGINT)
    process.stderr.close()
    assert process.wait(60) == 130
    return said


def test_ctrl_c_leaves_a_mark_and_the_next_run_starts_the_environment_anew(tmp_path: Path) -> None:
    checkout = copy_of_the_checkout(tmp_path)
    said = interrupt_while_it_installs(checkout)
    assert said.endswith("set-up interrupted; run it again to go on\n")
    assert "made anew" not in said
    assert not (checkout / ".venv/.echoic-installed").exists()
    half_made = checkout / ".venv/half-made"
    half_made.parent.mkdir(exist_ok=True)
    half_made.touch()
    said = interrupt_while_it_installs(checkout)
    assert "an earlier set-up was interrupted; .venv is made anew (what was downloaded is kept in pip's cache)" in said
    assert not half_made.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user who may install nothing")
def test_missing_system_packages_are_listed_for_those_who_may_not_install_them(open_folder: Path) -> None:
    checkout = copy_of_the_checkout(open_folder)
    tools = open_folder / "bin"
    tools.mkdir()
    (tools / "dpkg-query").write_text('#!/bin/sh\ncase "$3" in gcc|espeak-ng) exit 1;; *) printf installed;; esac\n')
    (tools / "sudo").write_text("#!/bin/sh\nexit 1\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(open_folder)}
    command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "bash", "tools/setup.sh", "demo"]
    found = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert found.stderr.splitlines() == [
        "set-up stopped: these system packages are missing, and installing them needs root. Install them, then run this again:",
        "  sudo apt-get install gcc espeak-ng",
    ]
    assert not (checkout / ".venv").exists()


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    checkout = copy_of_the_checkout(tmp_path)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "dirname", "mkdir", "cat", "sha256sum"):
        (tools / name).symlink_to(shutil.which(name) or name)
    (tools / "python3").write_text('#!/bin/bash\n[[ $1 == --version ]] && echo "Python 3.9.2" || exit 1\n')
    (tools / "python3").chmod(0o755)
    found = subprocess.run(
        ["bash", "tools/setup.sh", "demo"], cwd=checkout, env={"PATH": str(tools)}, capture_output=True, text=True, check=False
    )
    assert found.returncode == 1
    assert found.stderr == (
        "set-up stopped: Python 3.11 or newer is needed; found Python 3.9.2. Install it, or name it: make PYTHON=/path/to/python3.11\n"
    )


def test_a_second_run_does_nothing(weights: Path) -> None:
    inputs = [ROOT / "pyproject.toml", ROOT / "tools/setup.sh", *sorted((ROOT / "tools/constraints").glob("*.txt"))]
    installed = ROOT / ".venv/.echoic-installed"
    now = hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()
    if not installed.exists() or now not in installed.read_text() or not (ROOT / ".venv/.echoic-weights-test").exists():
        pytest.skip("this environment was not made by tools/setup.sh")
    before = installed.stat().st_mtime_ns
    environment = {**os.environ, "ECHOIC_MODELS": str(weights)}
    found = subprocess.run(["tools/setup.sh", "test"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=5)
    assert (found.stdout, found.stderr) == ("", "")
    assert installed.stat().st_mtime_ns == before
