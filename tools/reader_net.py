"""The network of the reader while it learns: MiniLM with a low-rank adapter (LoRA, Hu et al. 2021, arXiv 2106.09685) and a small head.

What it becomes is run by `models/minilm_reader.py`. It learns in bfloat16, which on a CPU with AMX takes half of the time of float32; what
is learnt, and the gradients' moments, are float32.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.minilm import DIMENSION, LAYER_NORM_EPSILON, N_HEADS, N_LAYERS

_RANK = 16
_SCALE = 2.0
_HEAD = 128
_DROPOUT = 0.1
_LINEAR = (
    "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "intermediate.dense", "output.dense",
)  # fmt: skip
_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")
_BATCH = 32
_SORTED_TOGETHER = 16
_RIGHT_WEIGHS = 2.0
_WARM_UP = 0.06
_MAX_GRADIENT = 1.0
_SCORED_AT_ONCE = 64

Pair = tuple[Sequence[int], Sequence[int]]
"""The tokens of a question with a line, and the type of each (0 the question's, 1 the rest)."""


class _Adapted(nn.Module):
    """A published linear layer, which stays, and two small ones beside it, which learn."""

    def __init__(self, tensors: Mapping[str, Any], name: str) -> None:
        super().__init__()
        weight = torch.tensor(np.array(tensors[f"{name}.weight"]))
        self.weight = nn.Parameter(weight.to(torch.bfloat16), requires_grad=False)
        self.bias = nn.Parameter(torch.tensor(np.array(tensors[f"{name}.bias"])).to(torch.bfloat16), requires_grad=False)
        self.down = nn.Parameter(torch.randn(_RANK, weight.shape[1]) / math.sqrt(weight.shape[1]))
        self.up = nn.Parameter(torch.zeros(weight.shape[0], _RANK))

    def forward(self, states: Tensor) -> Tensor:
        # Put into the weight first it would take less time, but what is learnt in the first rounds is less than a bfloat16 weight resolves.
        beside = functional.linear(functional.linear(states, self.down.to(torch.bfloat16)), self.up.to(torch.bfloat16))
        return functional.linear(states, self.weight, self.bias) + _SCALE * beside


class ReaderNet(nn.Module):
    """MiniLM as a cross-encoder. `tensors` are its published ones, by their names."""

    def __init__(self, tensors: Mapping[str, Any]) -> None:
        super().__init__()
        torch.manual_seed(0)

        def table(name: str, *, learns: bool) -> nn.Parameter:
            return nn.Parameter(torch.tensor(np.array(tensors[f"embeddings.{name}_embeddings.weight"])), requires_grad=learns)

        self.words, self.places = table("word", learns=False), table("position", learns=False)
        self.types = table("token_type", learns=True)
        self.norm = _norm(tensors, "embeddings.LayerNorm")
        names = [f"encoder.layer.{number}." for number in range(N_LAYERS)]
        self.linear = nn.ModuleList([nn.ModuleList([_Adapted(tensors, name + part) for part in _LINEAR]) for name in names])
        self.norms = nn.ModuleList([nn.ModuleList([_norm(tensors, name + part) for part in _NORMS]) for name in names])
        self.head = nn.ModuleList([nn.Linear(2 * DIMENSION, _HEAD), nn.Linear(_HEAD, 1)])

    def forward(self, tokens: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """Logits, shape (pairs,), of tokens and their types, int64, and which of them are there, float, all of shape (pairs, tokens)."""
        states = self.words[tokens] + self.places[: tokens.shape[1]] + self.types[types]
        states = self._dropped(self.norm(states)).to(torch.bfloat16)
        hidden = ((1.0 - mask[:, None, None]) * -1e4).to(torch.bfloat16)
        for linear, norms in zip(self._layers(), self._layers_norms(), strict=True):
            query, key, value = (
                layer(states).view(*states.shape[:2], N_HEADS, DIMENSION // N_HEADS).transpose(1, 2) for layer in linear[:3]
            )
            # The library's fused attention takes six times as long to go back through in bfloat16 on a CPU.
            alike = query @ key.transpose(-1, -2) / math.sqrt(DIMENSION // N_HEADS) + hidden
            attended = (torch.softmax(alike, -1) @ value).transpose(1, 2).reshape(states.shape)
            states = _normed(norms[0], states + linear[3](attended))
            states = _normed(norms[1], states + linear[5](functional.gelu(linear[4](states))))
        states = states.float()
        mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        read = functional.gelu(self.head[0](torch.cat([states[:, 0], mean], 1)))
        logits: Tensor = self.head[1](self._dropped(read))[:, 0]
        return logits

    def go_on_from(self, adapter: Mapping[str, npt.NDArray[np.float16]]) -> None:
        """Begin with what was learnt before, of the same rank or a lower one, as `adapter` gave it."""

        def learnt_before(name: str) -> Tensor:
            return torch.tensor(adapter[name].astype(np.float32))

        with torch.no_grad():
            for name, parameter in self._named():
                known = learnt_before(name)
                if name.endswith(".up"):
                    parameter[:, : known.shape[1]] = known / _SCALE
                else:
                    parameter[: len(known)] = known

    def adapter(self) -> dict[str, npt.NDArray[np.float16]]:
        """What was learnt, by the names that `models/reader_adapter.py` takes."""
        scaled = {name: _SCALE * tensor if name.endswith(".up") else tensor for name, tensor in self._named()}
        return {name: tensor.detach().numpy().astype(np.float16) for name, tensor in scaled.items()}

    def _named(self) -> Iterator[tuple[str, Tensor]]:
        """All that learns, by the names that an adapter has for it."""
        yield "embeddings.token_type_embeddings.weight", self.types
        for number, (linear, norms) in enumerate(zip(self._layers(), self._layers_norms(), strict=True)):
            for part, layer in zip(_LINEAR, linear, strict=True):
                yield f"encoder.layer.{number}.{part}.down", layer.down
                yield f"encoder.layer.{number}.{part}.up", layer.up
            for part, norm in zip(_NORMS, norms, strict=True):
                yield from ((f"encoder.layer.{number}.{part}.{name}", tensor) for name, tensor in norm.named_parameters())
        yield from ((f"embeddings.LayerNorm.{name}", tensor) for name, tensor in self.norm.named_parameters())
        for place, part_of_head in enumerate(self.head):
            yield from ((f"head.{place}.{name}", tensor) for name, tensor in part_of_head.named_parameters())

    def _layers(self) -> list[list[_Adapted]]:
        return [list(layer) for layer in self.linear]  # type: ignore[call-overload] # lists of layers

    def _layers_norms(self) -> list[list[nn.LayerNorm]]:
        return [list(layer) for layer in self.norms]  # type: ignore[call-overload] # lists of layers

    def _dropped(self, states: Tensor) -> Tensor:
        return functional.dropout(states, _DROPOUT, self.training)


def learnt(net: ReaderNet, lesson: Callable[[int], tuple[Sequence[Pair], Sequence[bool]]], *, rounds: int, rate: float) -> ReaderNet:
    """The net after some rounds of lessons, by AdamW with a rate that falls to nearly nothing. The same for the same lessons.

    `lesson` gives the pairs of a round, from 0, and which of them are right; every round has about as many.
    """
    torch.manual_seed(0)
    draw = random.Random(0)
    learning = [parameter for parameter in net.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=rate, weight_decay=0.01)
    pairs, right = lesson(0)
    n_steps = math.ceil(len(pairs) / _BATCH) * rounds
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, step / (_WARM_UP * n_steps + 1.0)) * max(0.02, 1.0 - step / n_steps)
    )
    weighs = torch.tensor(_RIGHT_WEIGHS)
    net.train()
    for number in range(rounds):
        if number:
            pairs, right = lesson(number)
        for batch in _batches(pairs, draw):
            truth = torch.tensor([float(right[place]) for place in batch])
            logits = net(*_padded([pairs[place] for place in batch]))
            loss = functional.binary_cross_entropy_with_logits(logits, truth, pos_weight=weighs)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # torch gives it no types
            nn.utils.clip_grad_norm_(learning, _MAX_GRADIENT)
            optimiser.step()
            schedule.step()
    return net.eval()


@torch.no_grad()
def logits_of(net: ReaderNet, pairs: Sequence[Pair]) -> npt.NDArray[np.float64]:
    """Float64, shape (len(pairs),)."""
    found = np.zeros(len(pairs))
    order = sorted(range(len(pairs)), key=lambda place: len(pairs[place][0]))
    for first in range(0, len(order), _SCORED_AT_ONCE):
        batch = order[first : first + _SCORED_AT_ONCE]
        found[batch] = net(*_padded([pairs[place] for place in batch])).numpy()
    return found


def _batches(pairs: Sequence[Pair], draw: random.Random) -> list[list[int]]:
    """Every pair once, those of about one length together."""
    order = list(range(len(pairs)))
    draw.shuffle(order)
    together = _BATCH * _SORTED_TOGETHER
    found = []
    for first in range(0, len(order), together):
        part = sorted(order[first : first + together], key=lambda place: len(pairs[place][0]))
        found += [part[place : place + _BATCH] for place in range(0, len(part), _BATCH)]
    draw.shuffle(found)
    return found


def _padded(pairs: Sequence[Pair]) -> tuple[Tensor, Tensor, Tensor]:
    longest = max(len(tokens) for tokens, _ in pairs)
    both = torch.zeros(2, len(pairs), longest, dtype=torch.long)
    mask = torch.zeros(len(pairs), longest)
    for place, (tokens, types) in enumerate(pairs):
        both[0, place, : len(tokens)] = torch.tensor(tokens)
        both[1, place, : len(tokens)] = torch.tensor(types)
        mask[place, : len(tokens)] = 1.0
    return both[0], both[1], mask


def _normed(norm: nn.LayerNorm, states: Tensor) -> Tensor:
    """The norm in the precision of the states, whose own numbers are float32 as they learn."""
    weight, bias = norm.weight.to(states.dtype), norm.bias.to(states.dtype)
    return functional.layer_norm(states, (DIMENSION,), weight, bias, norm.eps)


def _norm(tensors: Mapping[str, Any], name: str) -> nn.LayerNorm:
    norm = nn.LayerNorm(DIMENSION, eps=LAYER_NORM_EPSILON)
    norm.weight.data = torch.tensor(np.array(tensors[f"{name}.weight"]))
    norm.bias.data = torch.tensor(np.array(tensors[f"{name}.bias"]))
    return norm
