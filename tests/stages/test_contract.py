"""What every class under stages/ must keep, whatever it does."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.definition import classes_in, settings_of
from pipeline.stage import Resource, Source, Stage
from tools.settings_table import TARGET, settings_table

STAGES = classes_in(("stages",), Stage)
RESOURCES = classes_in(("stages",), Resource)


def _name(cls: type[Any]) -> str:
    return cls.__qualname__


@pytest.mark.parametrize("cls", STAGES + RESOURCES, ids=_name)
def test_the_class_is_named_after_its_file_and_documented(cls: type[Any]) -> None:
    stem = Path(inspect.getfile(cls)).stem
    assert cls.__name__ == "".join(part.capitalize() for part in stem.split("_"))
    assert len((inspect.getdoc(cls) or "").split()) >= 4


@pytest.mark.parametrize("cls", STAGES, ids=_name)
def test_settings_have_units_in_their_names_or_none(cls: type[Any]) -> None:
    for name, setting in settings_of(cls).items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
        assert not re.search(r"_(sec|secs|seconds|ms|msec|hertz|degrees|deg_s|db_fs|meters|metres|kb|mb)$", name), name
        if not setting.required and setting.resource is None:
            assert setting.checked(setting.default)[1] == "", f"{name}: its own default is refused"


@pytest.mark.parametrize("cls", STAGES, ids=_name)
def test_a_stage_has_ports_and_a_declared_delay(cls: type[Stage]) -> None:
    assert bool(cls.inputs) != issubclass(cls, Source)
    assert cls.outputs or cls.lossless
    assert cls.max_batch >= 1
    if cls.max_batch > 1:
        assert any(hasattr(cls, f"batch_{name}") for name in cls.inputs)


def _without_resources(cls: type[Any]) -> bool:
    return not any(setting.required for setting in settings_of(cls).values())


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("cls", [cls for cls in STAGES if _without_resources(cls) and not issubclass(cls, Source)], ids=_name)
def test_start_and_stop_may_be_called_twice_and_an_empty_stream_gives_nothing(cls: type[Stage]) -> None:
    stage = cls()
    stage.start()
    stage.start()
    assert list(stage.flush()) == []
    assert stage.promise(10**12) <= 10**12
    assert stage.delay_ns <= 30 * 10**9, "the delay of a stage is bounded"
    stage.stop()
    stage.stop()


def test_the_table_of_settings_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == settings_table(), "run `python -m tools.settings_table`"
