"""The float network inside a quantised ONNX file: quantising nodes taken out, inner results made outputs.

A file in the QDQ form (ONNX operators QuantizeLinear and DequantizeLinear) holds float weights and rounds everything on the way. Without
those nodes it is the network as it was trained. The file is read and written as what it is, a protocol buffer
(https://protobuf.dev/programming-guides/encoding), by the field numbers of onnx.proto; the onnx package is not needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

_VARINT, _LENGTH = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_VALUE_INFO = 1, 5, 11, 12, 13
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR = 1, 2, 4
_TENSOR_NAME, _TENSOR_RAW, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 8, 9, 13, 14
_VALUE_NAME, _VALUE_TYPE = 1, 2
_ROUNDING = (b"QuantizeLinear", b"DequantizeLinear")
_FLOAT = 1

Field = tuple[int, int, int | bytes]
"""A field of a message: its number, its wire type, and its value."""


class OnnxFileError(ValueError):
    """A file that is no ONNX graph, or not one with what is asked of it."""


def float_network(model: bytes, weights: bytes, outputs: Mapping[str, Sequence[int]]) -> bytes:
    """The float network inside a quantised one, as an ONNX file without other files beside it.

    Args:
        model: an ONNX file in the QDQ form.
        weights: the file in which it keeps its tensors ("external data").
        outputs: what the network shall give, by the names in the quantised graph, with its shape.

    Raises:
        OnnxFileError: the file cannot be read, its tensors lie outside `weights`, or it has no result of such a name.
    """
    try:
        fields = list(_fields(model))
        (graph,) = [value for number, _, value in fields if number == _MODEL_GRAPH and isinstance(value, bytes)]
        rebuilt = _packed(list(_graph(list(_fields(graph)), weights, outputs)))
    except (IndexError, ValueError) as error:
        if isinstance(error, OnnxFileError):
            raise
        raise OnnxFileError(f"not an ONNX file, or cut short: {error}") from error
    return _packed([(number, wire, rebuilt if number == _MODEL_GRAPH else value) for number, wire, value in fields])


def _graph(fields: list[Field], weights: bytes, outputs: Mapping[str, Sequence[int]]) -> Iterator[Field]:
    nodes = [list(_fields(_bytes(value))) for number, _, value in fields if number == _GRAPH_NODE]
    instead = {_first(node, _NODE_OUTPUT): _first(node, _NODE_INPUT) for node in nodes if _first(node, _NODE_OPERATOR) in _ROUNDING}
    kept = [[_renamed(field, instead) for field in node] for node in nodes if _first(node, _NODE_OPERATOR) not in _ROUNDING]
    for node in kept:
        yield _GRAPH_NODE, _LENGTH, _packed(node)
    used = {_bytes(value) for node in kept for number, _, value in node if number == _NODE_INPUT}
    made = {_bytes(value) for node in kept for number, _, value in node if number == _NODE_OUTPUT}
    for number, wire, value in fields:
        if number == _GRAPH_INITIALIZER:
            tensor = list(_fields(_bytes(value)))
            if _first(tensor, _TENSOR_NAME) in used:
                yield number, wire, _packed(list(_inlined(tensor, weights)))
        elif number == _GRAPH_INPUT:
            name = _first(list(_fields(_bytes(value))), _VALUE_NAME)
            shape = _first(list(_fields(_first(list(_fields(_first(list(_fields(_bytes(value))), _VALUE_TYPE))), 1))), 2)
            yield number, wire, _value_info(name, shape)
        elif number not in (_GRAPH_NODE, _GRAPH_OUTPUT, _GRAPH_VALUE_INFO):
            yield number, wire, value
    for asked, sizes in outputs.items():
        name = _source(asked.encode(), instead)
        if name not in made:
            known = ", ".join(sorted(result.decode() for result in made)[-3:])
            raise OnnxFileError(f"the network has no result {asked!r}; some that it has are {known}")
        yield _GRAPH_OUTPUT, _LENGTH, _value_info(name, _packed([(1, _LENGTH, _packed([(1, _VARINT, size)])) for size in sizes]))


def _source(name: bytes, instead: Mapping[bytes, bytes]) -> bytes:
    while name in instead:
        name = instead[name]
    return name


def _renamed(field: Field, instead: Mapping[bytes, bytes]) -> Field:
    number, wire, value = field
    return (number, wire, _source(_bytes(value), instead)) if number == _NODE_INPUT else field


def _inlined(tensor: list[Field], weights: bytes) -> Iterator[Field]:
    """A tensor with its numbers in it, wherever they were."""
    where = {_first(entry, 1): _first(entry, 2) for entry in (list(_fields(_bytes(v))) for n, _, v in tensor if n == _TENSOR_EXTERNAL)}
    yield from (field for field in tensor if field[0] not in (_TENSOR_EXTERNAL, _TENSOR_LOCATION))
    if where:
        first, length = int(where.get(b"offset", b"0")), int(where.get(b"length", b"0"))
        if first + length > len(weights):
            name = _first(tensor, _TENSOR_NAME).decode()
            raise OnnxFileError(f"tensor {name} ends at byte {first + length} of its file, which has {len(weights)}")
        yield _TENSOR_RAW, _LENGTH, weights[first : first + length]


def _value_info(name: bytes, shape: bytes) -> bytes:
    tensor = _packed([(1, _VARINT, _FLOAT), (2, _LENGTH, shape)])
    return _packed([(_VALUE_NAME, _LENGTH, name), (_VALUE_TYPE, _LENGTH, _packed([(1, _LENGTH, tensor)]))])


def _first(fields: list[Field], number: int) -> bytes:
    return next((_bytes(value) for found, _, value in fields if found == number), b"")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise OnnxFileError(f"found the number {value} where a message was expected")
    return value


def _fields(message: bytes) -> Iterator[Field]:
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, wire, value
            continue
        if wire == _LENGTH:
            length, at = _varint(message, at)
        elif wire in _FIXED_BYTES:
            length = _FIXED_BYTES[wire]
        else:
            raise OnnxFileError(f"byte {at}: there is no wire type {wire}")
        if at + length > len(message):
            raise OnnxFileError(f"byte {at}: a field of {length} bytes in a message that ends at {len(message)}")
        yield number, wire, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def _packed(fields: Sequence[Field]) -> bytes:
    out = bytearray()
    for number, wire, value in fields:
        out += _as_varint(number << 3 | wire)
        if isinstance(value, int):
            out += _as_varint(value)
        else:
            out += (_as_varint(len(value)) if wire == _LENGTH else b"") + value
    return bytes(out)


def _as_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
