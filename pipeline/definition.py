"""What a Stage or Resource class asks for: found by its dotted path, its settings read from `__init__`."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import pkgutil
import types
import typing
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from pipeline.stage import Resource


class DefinitionNotFoundError(ValueError):
    """`use:` names nothing that can be built; the message says what was found and what is near."""


@dataclass(frozen=True)
class Setting:
    """One `__init__` keyword. `resource` is its class where the value is the name of a resource."""

    name: str
    hint: Any
    default: Any
    required: bool
    resource: type[Resource] | None
    optional: bool

    @property
    def hint_text(self) -> str:
        """The hint as a person would write it."""
        return self.hint.__name__ if isinstance(self.hint, type) else str(self.hint).replace("typing.", "")

    def checked(self, value: Any) -> tuple[Any, str]:
        """The value as `__init__` wants it, or what is wrong with it in words."""
        try:
            return adapter(self.hint).validate_python(value, strict=type(value) not in {list, int}), ""
        except ValidationError as error:
            problem = error.errors()[0]["msg"]
            return value, f"found {value!r}, but {self.hint_text} is needed: {problem[0].lower() + problem[1:]}"


@dataclass(frozen=True)
class Definition:
    """A class that a YAML can use, with its settings by name."""

    path: str
    cls: type[Any]
    settings: dict[str, Setting]


def adapter(hint: Any) -> TypeAdapter[Any]:
    """The pydantic adapter of a setting's hint."""
    try:
        return TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True, allow_inf_nan=False))
    except PydanticUserError:
        return TypeAdapter(hint)


def find_class(path: str, base: type[Any], roots: tuple[str, ...]) -> Definition:
    """The subclass of `base` at a dotted path under one of the roots. Raises DefinitionNotFoundError."""
    module_name, _, class_name = path.rpartition(".")
    if not module_name or module_name.split(".")[0] not in {root.split(".")[0] for root in roots}:
        raise DefinitionNotFoundError(f"{path!r} is not under {' or '.join(f'{root}.' for root in roots)} (extra_roots: adds packages)")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name == error.name or module_name.startswith(error.name + ".")):
            raise DefinitionNotFoundError(f"{module_name} needs the Python package {error.name!r}, which is not installed") from error
        near = difflib.get_close_matches(path, known_paths(base, roots), n=1, cutoff=0.5)
        raise DefinitionNotFoundError(f"there is no module {module_name!r}" + (f"; did you mean {near[0]!r}?" if near else "")) from error
    cls = getattr(module, class_name, None)
    if not isinstance(cls, type) or not issubclass(cls, base):
        names = [n for n, v in vars(module).items() if isinstance(v, type) and issubclass(v, base) and v.__module__ == module_name]
        what = "is no class there" if cls is None else f"is not a {base.__name__}"
        raise DefinitionNotFoundError(f"{module_name}.{class_name} {what}; {module_name} has {', '.join(names) or f'no {base.__name__}'}")
    if inspect.isabstract(cls):
        raise DefinitionNotFoundError(f"{path} is only a base class: use one of its subclasses")
    return Definition(path, cls, settings_of(cls))


def settings_of(cls: type[Any]) -> dict[str, Setting]:
    """The settings of a class from the keywords of its `__init__`."""
    if cls.__init__ is object.__init__:
        return {}
    hints = typing.get_type_hints(cls.__init__)
    settings: dict[str, Setting] = {}
    for name, parameter in list(inspect.signature(cls.__init__).parameters.items())[1:]:
        hint = hints.get(name, Any)
        resource, optional = _resource(hint)
        required = parameter.default is parameter.empty
        settings[name] = Setting(name, hint, None if required else parameter.default, required, resource, optional)
    return settings


def _resource(hint: Any) -> tuple[type[Resource] | None, bool]:
    choices = typing.get_args(hint) if typing.get_origin(hint) in {typing.Union, types.UnionType} else (hint,)
    for choice in choices:
        if isinstance(choice, type) and issubclass(choice, Resource):
            return choice, type(None) in choices
    return None, False


def classes_in(roots: tuple[str, ...], base: type[Any]) -> list[type[Any]]:
    """Every concrete subclass of `base` defined in modules under the roots, by dotted path."""
    found: dict[str, type[Any]] = {}
    for root in roots:
        package = importlib.import_module(root)
        for info in pkgutil.walk_packages(getattr(package, "__path__", []), prefix=f"{root}."):
            module = importlib.import_module(info.name)
            for value in vars(module).values():
                if isinstance(value, type) and issubclass(value, base) and value.__module__ == info.name and not inspect.isabstract(value):
                    found[f"{info.name}.{value.__qualname__}"] = value
    return [found[path] for path in sorted(found)]


def known_paths(base: type[Any], roots: tuple[str, ...]) -> list[str]:
    """The dotted paths of every class that `use:` may name; none where a module under the roots cannot be imported."""
    try:
        return [f"{cls.__module__}.{cls.__qualname__}" for cls in classes_in(roots, base)]
    except ImportError:
        return []
