"""Pin the packages that set-up installs: writes tools/constraints/cpu.txt and gpu.txt.

Run from the root of the checkout after `tools/setup.sh`, because the extra `live` is built from source:

    .venv/bin/python -m tools.lock [--upgrade | --check]

Without `--upgrade` what is pinned already stays, and only what is new is resolved. `--check` writes nothing: it fails where the pinned
versions do not resolve, or lack something that pyproject.toml names.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "tools" / "constraints"
SHARED_EXTRAS = ("live", "llm", "whisper", "scene", "dev")
WITHOUT_DEPENDENCIES = {"cpu": ("openai-whisper",), "gpu": ("openai-whisper", "faster-whisper")}
CUDA = ("cuda-", "nvidia-", "triton")


class LockError(RuntimeError):
    """The extras cannot be resolved together; the message is pip's."""


def resolve(requirements: Sequence[str], constraints: Path | None, *options: str) -> dict[str, str]:
    """What pip would install from the package registry on a machine that has nothing yet.

    Args:
        requirements: as on pip's command line.
        constraints: a file of pinned versions to keep to.
        options: more of pip's options.

    Returns:
        Names in lower case and their versions, without local version labels such as `+cpu`.

    Raises:
        LockError: pip found no set of versions that fits.
    """
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-", *options]
    command += ["--constraint", str(constraints)] if constraints else []
    # Not what this machine may keep beside the registry, such as a torch that was built without CUDA.
    environment = {**os.environ, "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    found = subprocess.run([*command, *requirements], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise LockError(found.stderr.strip())
    packages = (item["metadata"] for item in json.loads(found.stdout)["install"])
    return {package["name"].lower().replace("_", "-"): package["version"].split("+")[0] for package in packages}


def requirements_of(accelerator: str) -> list[str]:
    """The dependencies of Echoic and of the extras that set-up installs for `cpu` or `gpu`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(item for extra in (accelerator, *SHARED_EXTRAS) for item in extras[extra])]


def pins_of(accelerator: str, keep: Path | None) -> str:
    """The text of the constraints for `cpu` or `gpu`, keeping to the versions in a file. Raises LockError."""
    pins = resolve(requirements_of(accelerator), keep) | resolve(WITHOUT_DEPENDENCIES[accelerator], keep, "--no-deps")
    lines = [f"{name}=={version}" for name, version in sorted(pins.items()) if accelerator == "gpu" or not name.startswith(CUDA)]
    return "\n".join([f"# What set-up installs for a {accelerator.upper()}; written by tools/lock.py.", *lines, ""])


def main() -> int:
    """Pin both sets, or check them. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    choice.add_argument("--check", action="store_true", help="write nothing, fail where the pins do not fit")
    options = parser.parse_args()
    for accelerator in ("cpu", "gpu"):
        path = CONSTRAINTS / f"{accelerator}.txt"
        try:
            text = pins_of(accelerator, path if path.exists() and not options.upgrade else None)
        except LockError as error:
            sys.stderr.write(f"The extras for {accelerator} do not resolve together: {error}\n")
            return 1
        if not options.check:
            path.write_text(text, encoding="utf-8")
        elif text != path.read_text(encoding="utf-8"):
            sys.stderr.write(
                f"{path.relative_to(ROOT)} is not what pyproject.toml needs. Write it anew with: .venv/bin/python -m tools.lock\n"
            )
            return 1
        print(f"{path.relative_to(ROOT)}: {len(text.splitlines()) - 1} packages resolve together")
    return 0


if __name__ == "__main__":
    sys.exit(main())
