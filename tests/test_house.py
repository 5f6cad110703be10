"""The house's own rules, read from the source: who may import whom, who may look at a clock, how files are named and how long they are."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pipeline", "stages", "models", "configs")
MAX_LINES = 500
CLOCKS = {
    "time": {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "process_time_ns"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}
MAY_LOOK_AT_A_CLOCK = ("pipeline/clock.py", "pipeline/metrics.py", "pipeline/app/", "stages/capture/")


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every module that a file imports, wherever in the file, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import; write the whole path"
            yield node.lineno, node.module or ""
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def may_import(importer: str, imported: str) -> bool:
    """Whether a file may import a module of ours, by the arrows of the design."""
    package = imported.split(".")[0]
    if importer.startswith("pipeline/app/"):
        return True
    if importer.startswith("pipeline/"):
        return package == "pipeline" and not imported.startswith("pipeline.app")
    if importer.startswith("models/"):
        return package == "models"
    if importer.startswith("stages/"):
        return package in ("stages", "models") or (package == "pipeline" and not imported.startswith("pipeline.app"))
    return False


def arrows_broken(importer: str, tree: ast.Module) -> list[str]:
    ours = ((line, module) for line, module in imports_of(tree) if module.split(".")[0] in (*PACKAGES, "tools", "tests"))
    return [f"{importer}:{line} imports {module}" for line, module in ours if not may_import(importer, module)]


def clock_calls(tree: ast.Module) -> list[int]:
    """The lines on which a clock is named: `time.monotonic`, `datetime.now`, or either imported by name."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id if isinstance(node.value, ast.Name) else ""
            if node.attr in CLOCKS.get(owner, ()):
                lines.append(node.lineno)
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            lines += [node.lineno for alias in node.names if alias.name in CLOCKS["time"]]
    return lines


def test_imports_follow_the_arrows() -> None:
    broken = [line for path in sources(*PACKAGES) for line in arrows_broken(name_of(path), parse(path))]
    assert broken == []


@pytest.mark.parametrize(
    ("importer", "text", "n_broken"),
    [
        ("pipeline/edge.py", "import pipeline.packets", 0),
        ("pipeline/edge.py", "def f():\n    from stages.audio import mvdr", 2),
        ("pipeline/edge.py", "from pipeline.app.cli import main", 2),
        ("models/stft.py", "from pipeline import packets", 2),
        ("models/stft.py", "import numpy", 0),
        ("stages/audio/mvdr.py", "from models.stft import x\nfrom pipeline.stage import Stage", 0),
        ("stages/audio/mvdr.py", "from pipeline import app", 1),
        ("stages/audio/mvdr.py", "import tools.lock", 1),
        ("pipeline/app/cli.py", "import stages.audio, models.weights", 0),
    ],
)
def test_the_check_of_the_arrows_sees_what_it_should(importer: str, text: str, n_broken: int) -> None:
    assert len(arrows_broken(importer, ast.parse(text))) == n_broken


def test_only_the_clocks_own_files_look_at_a_clock() -> None:
    found = [
        f"{name_of(path)}:{line}"
        for path in sources(*PACKAGES)
        if not name_of(path).startswith(MAY_LOOK_AT_A_CLOCK)
        for line in clock_calls(parse(path))
    ]
    assert found == []


def test_the_check_of_clocks_sees_what_it_should() -> None:
    code = [
        "import time",
        "from time import monotonic",
        "time.sleep(1)",
        "time.time()",
        "datetime.datetime.now()",
        "date.today()",
        "self.now()",
    ]
    code.append("clock = time.monotonic_ns")
    assert sorted(clock_calls(ast.parse("\n".join(code)))) == [2, 4, 5, 6, 8]


def test_no_file_holds_more_than_one_idea() -> None:
    files = sources(*PACKAGES, "tests", "tools")
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: n_lines for name, n_lines in lengths.items() if n_lines > MAX_LINES} == {}
    assert not [name for name in lengths if Path(name).stem in ("utils", "util", "helpers", "helper", "common", "manager", "base")]


def test_tests_are_no_packages() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def stage_classes(tree: ast.Module) -> list[ast.ClassDef]:
    """Concrete stages and resources by their bases' names; what is abstract declares `ABC` or an abstract method."""

    def is_abstract(node: ast.ClassDef) -> bool:
        decorators = [ast.unparse(d) for item in node.body if isinstance(item, ast.FunctionDef) for d in item.decorator_list]
        return any("abstractmethod" in decorator for decorator in decorators)

    found = (node for node in tree.body if isinstance(node, ast.ClassDef))
    return [node for node in found if {"Stage", "Source"} & {ast.unparse(base) for base in node.bases} and not is_abstract(node)]


def test_a_stage_has_a_file_of_its_own_and_its_name() -> None:
    found = 0
    for path in sources("stages"):
        classes = [node.name for node in stage_classes(parse(path))]
        camel_case = "".join(word.capitalize() for word in path.stem.split("_"))
        assert classes in ([], [camel_case]), f"{name_of(path)}: a file under stages/ holds one stage, {camel_case}; found {classes}"
        found += len(classes)
    assert found > 0


def test_all_four_packages_come_from_this_checkout_and_from_no_other_distribution() -> None:
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin == str(ROOT / package / "__init__.py")
    owners = importlib.metadata.packages_distributions()
    assert {package: owners[package] for package in PACKAGES if owners.get(package, ["echoic"]) != ["echoic"]} == {}


def test_the_wheel_holds_the_four_packages_with_their_data_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    assert {"models/catalog.yaml", "configs/replay.yaml", "pipeline/py.typed"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
