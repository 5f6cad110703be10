"""The contract of a stage: typed ports as class attributes, settings as `__init__` keywords, `on_<input>` as the work.

A stage knows no neighbours, threads or files of the graph, so a test is `list(stage.on_audio(block))`.
"""

from __future__ import annotations

import inspect
import typing
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, overload

from pipeline.packets import Gap, Packet

END_NS = 2**63 - 1

PacketT = TypeVar("PacketT", bound=Packet)
PacketT_co = TypeVar("PacketT_co", bound=Packet, covariant=True)


class DefinitionError(TypeError):
    """A Stage class breaks the contract; raised when the class is defined."""


@dataclass(frozen=True)
class Emit(Generic[PacketT_co]):
    """A packet on its way out of a port, made by calling the port: `yield self.speech(packet)`."""

    port: str
    packet: PacketT_co


class In(Generic[PacketT]):
    """An input port, fed by one output of another stage."""

    def __init__(self, packet: type[PacketT]) -> None:
        self.packet = packet
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name


class Out(Generic[PacketT]):
    """An output port; any number of inputs may read it."""

    def __init__(self, packet: type[PacketT]) -> None:
        self.packet = packet
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __call__(self, packet: PacketT) -> Emit[PacketT]: ...

    @overload
    def __call__(self, packet: Gap) -> Emit[Gap]: ...

    def __call__(self, packet: PacketT | Gap) -> Emit[Any]:
        """Wrap a packet, or the gap where packets are missing, for this port."""
        return Emit(self.name, packet)


class Resource(ABC):  # noqa: B024 - its kinds (an encoder, a recall) have abstract methods
    """Something that several stages share (a memory, an encoder), built once per graph and passed by name.

    A stage asks for it with an `__init__` keyword whose hint is a Resource class. `start` and `stop` may be called twice.
    """

    def start(self) -> None:  # noqa: B027 - many have nothing to open
        """Open files and load weights. Called before any stage starts."""

    def stop(self) -> None:  # noqa: B027 - nor to close
        """Close what `start` opened. Called after every stage has stopped."""

    def memory_bytes(self) -> int:
        """How much memory of its device this needs; checked before anything starts."""
        return 0


def _check(cls: type[Stage]) -> None:
    faults: list[str] = []
    for name, port in cls.inputs.items():
        single, batch = getattr(cls, f"on_{name}", None), getattr(cls, f"batch_{name}", None)
        if (single is None) == (batch is None):
            faults.append(f"input {name!r} needs exactly one of on_{name} and batch_{name}")
            continue
        handler = single or batch
        assert handler is not None
        _check_hint(faults, handler, port, is_batch=batch is not None)
    for parameter in list(inspect.signature(cls.__init__).parameters.values())[1:]:
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            if cls.__init__ is not object.__init__:
                faults.append(f"__init__ may not take *{parameter.name}: settings are named keywords")
        elif parameter.annotation is parameter.empty:
            faults.append(f"setting {parameter.name!r} of __init__ needs a type")
        if parameter.name in {"use", "in"}:
            faults.append(f"setting {parameter.name!r} of __init__ is a reserved word in the YAML")
    if faults:
        raise DefinitionError(f"{cls.__module__}.{cls.__qualname__}: " + "; ".join(faults))


def _check_hint(faults: list[str], handler: Any, port: In[Any], *, is_batch: bool) -> None:
    names = list(inspect.signature(handler).parameters)
    if len(names) != 2:
        faults.append(f"{handler.__name__} must take exactly one packet{' list' if is_batch else ''}")
        return
    try:
        hint = typing.get_type_hints(handler).get(names[1])
    except NameError:
        # A class defined inside a function can have hints that only mypy can see.
        return
    if is_batch:
        arguments = typing.get_args(hint)
        hint = arguments[0] if arguments else None
    if hint is not port.packet:
        found = getattr(hint, "__name__", hint)
        faults.append(f"{handler.__name__} takes {found}, but input {port.name!r} carries {port.packet.__name__}")


class Stage:
    """One step of the graph. Subclasses declare ports and define `on_<input>` (or `batch_<input>`) for each input.

    `delay_ns` says how long after its inputs have passed a moment the stage may still emit packets that end before it.
    The inputs of a `lossless` stage may only block: a graph in which one drops is refused.
    """

    inputs: ClassVar[dict[str, In[Any]]] = {}
    outputs: ClassVar[dict[str, Out[Any]]] = {}
    max_batch: int = 1
    lossless: ClassVar[bool] = False
    delay_ns: int = 0

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.inputs = {**cls.inputs, **{n: p for n, p in vars(cls).items() if isinstance(p, In)}}
        cls.outputs = {**cls.outputs, **{n: p for n, p in vars(cls).items() if isinstance(p, Out)}}
        _check(cls)

    def start(self) -> None:
        """Load weights and open what the work needs. Called once before the first packet."""

    def flush(self) -> Iterable[Emit[Any]]:
        """What is still held when the inputs have ended."""
        return ()

    def stop(self) -> None:
        """Let go of what `start` took. Called in every case, also after a failure."""

    def on_gap(self, gap: Gap) -> Iterable[Emit[Any]]:  # noqa: ARG002 - the default for every stage
        """What a lost stretch means for this stage. The runner hands the gap on to all outputs once they have passed it."""
        return ()

    def on_passed(self, pts_ns: int) -> Iterable[Emit[Any]]:  # noqa: ARG002 - the default for every stage
        """Told whenever the inputs move on: nothing that ends before `pts_ns` will come any more.

        How often it is called depends on the threads, so what it emits may depend on what has passed, never on when it was
        told. At the end of the stream `pts_ns` is `END_NS`.
        """
        return ()

    def promise(self, pts_ns: int) -> int:
        """The time before which no packet of this stage will end any more, given that its inputs have passed `pts_ns`.

        A stage that holds something open says so by answering with an earlier time.
        """
        return pts_ns - self.delay_ns

    def memory_bytes(self) -> int:
        """How much memory of its device this needs; checked before anything starts."""
        return 0


class Source(Stage, ABC):
    """A stage without inputs: `packets` makes the stream."""

    @abstractmethod
    def packets(self) -> Iterator[Emit[Any]]:
        """The stream, until it ends or `interrupt` is called."""

    def interrupt(self) -> None:
        """Make `packets` end soon, after what has been captured. Called from another thread."""
