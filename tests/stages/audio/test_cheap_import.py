from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_stages_of_hearing_load_without_torch() -> None:
    names = sorted(path.stem for path in (Path(__file__).resolve().parents[3] / "stages" / "audio").glob("[a-z]*.py"))
    assert "mvdr" in names
    code = (
        "import sys\n"
        + "\n".join(f"import stages.audio.{name}" for name in names)
        + "\nprint(sorted({'torch', 'scipy'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "[]"
