"""The network of the reader while it learns: MPNet with a low-rank adapter (LoRA, Hu et al. 2021, arXiv 2106.09685) and a small head.

What it becomes is run by `models/mpnet_reader.py`. It learns in bfloat16, which on a CPU with AMX takes half of the time of float32; what
is learnt, and the gradients' moments, are float32.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.mpnet import DIMENSION, FIRST_PLACE, LAYER_NORM_EPSILON, N_HEADS
from models.mpnet_reader import LINE, QUESTION
from models.reader_adapter import HEAD_WIDTH, LAYER_NORMS, LINEAR_SHAPES, N_FEATURES, N_LAYERS, N_TYPES

_RANK = 24
_SCALE = 2.0
_DROPOUT = 0.1
_NEAR, _FARTHEST = 8, 128
_UNIT, _UNIT_PRODUCT = 27.0, 200.0
"""What brings vectors of unit length, and the product of two, to the size of a state, so that one rate fits all weights of the head."""
_BATCH = 32
_SORTED_TOGETHER = 16
_RIGHT_WEIGHS = 2.0
_EASY_STEPS = 120
_EASY_TO_HARD = 3
_WARM_UP_STEPS = 60
_LEAST_RATE = 0.03
_MAX_GRADIENT = 1.0
_SCORED_AT_ONCE = 64

Pair = tuple[Sequence[int], Sequence[int]]
"""The tokens of a question with a line, and the type of each, as `models/mpnet_reader.py` makes them."""

Net = TypeVar("Net", bound=nn.Module)

Lesson = tuple[Sequence[Pair], Sequence[bool]]
"""Pairs, and which of them are right."""


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
    """MPNet's first layers as a cross-encoder. `tensors` are its published ones, by their names."""

    def __init__(self, tensors: Mapping[str, Any]) -> None:
        super().__init__()
        torch.manual_seed(0)

        def table(name: str) -> nn.Parameter:
            return nn.Parameter(torch.tensor(np.array(tensors[name])), requires_grad=False)

        self.words = table("embeddings.word_embeddings.weight")
        self.places = table("embeddings.position_embeddings.weight")
        self.distances = table("encoder.relative_attention_bias.weight")
        self.types = nn.Parameter(torch.zeros(N_TYPES, DIMENSION))
        self.norm = _norm(tensors, "embeddings.LayerNorm")
        names = [f"encoder.layer.{number}." for number in range(N_LAYERS)]
        self.linear = nn.ModuleList([nn.ModuleList([_Adapted(tensors, name + part) for part in LINEAR_SHAPES]) for name in names])
        self.norms = nn.ModuleList([nn.ModuleList([_norm(tensors, name + part) for part in LAYER_NORMS]) for name in names])
        self.head = nn.ModuleList([nn.Linear(N_FEATURES, HEAD_WIDTH), nn.Linear(HEAD_WIDTH, 1)])

    def forward(self, tokens: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """Logits, shape (pairs,), of tokens and their types, int64, and which of them are there, float, all of shape (pairs, tokens)."""
        n_tokens = tokens.shape[1]
        states = self.words[tokens] + self.places[FIRST_PLACE : FIRST_PLACE + n_tokens] + self.types[types]
        states = self._dropped(self.norm(states)).to(torch.bfloat16)
        hidden = (1.0 - mask[:, None, None]) * -1e4
        beside = (hidden + self.distances[_buckets(n_tokens)].permute(2, 0, 1)[None]).to(torch.bfloat16)
        for linear, norms in zip(self._layers(), self._layers_norms(), strict=True):
            query, key, value = (
                layer(states).view(*states.shape[:2], N_HEADS, DIMENSION // N_HEADS).transpose(1, 2) for layer in linear[:3]
            )
            # The library's fused attention takes six times as long to go back through in bfloat16 on a CPU.
            alike = query @ key.transpose(-1, -2) / math.sqrt(DIMENSION // N_HEADS) + beside
            attended = (torch.softmax(alike, -1) @ value).transpose(1, 2).reshape(states.shape)
            states = _normed(norms[0], states + linear[3](attended))
            states = _normed(norms[1], states + linear[5](functional.gelu(linear[4](states))))
        read = functional.gelu(self.head[0](_features(states.float(), types, mask)))
        logits: Tensor = self.head[1](self._dropped(read))[:, 0]
        return logits

    def adapter(self) -> dict[str, npt.NDArray[np.float16]]:
        """What was learnt, by the names that `models/reader_adapter.py` takes."""
        scaled = {name: _SCALE * tensor if name.endswith(".up") else tensor for name, tensor in self._named()}
        scaled["head.0.weight"] = scaled["head.0.weight"] * _sizes()
        return {name: tensor.detach().numpy().astype(np.float16) for name, tensor in scaled.items()}

    def _named(self) -> Iterator[tuple[str, Tensor]]:
        """All that learns, by the names that an adapter has for it."""
        yield "embeddings.types.weight", self.types
        for number, (linear, norms) in enumerate(zip(self._layers(), self._layers_norms(), strict=True)):
            for part, layer in zip(LINEAR_SHAPES, linear, strict=True):
                yield f"encoder.layer.{number}.{part}.down", layer.down
                yield f"encoder.layer.{number}.{part}.up", layer.up
            for part, norm in zip(LAYER_NORMS, norms, strict=True):
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


def learnt(net: Net, lesson: Callable[[int], Lesson], easy: Callable[[int], Lesson] | None, *, rounds: int, rate: float) -> Net:
    """The net after some rounds of lessons, by AdamW with a rate that falls to nearly nothing. The same for the same lessons.

    A new adapter learns nothing from lessons that are hard, so of the first 120 steps three of four are easy.

    Args:
        net: what learns, a `ReaderNet`.
        lesson: the lesson of a round, from 0; every round has about as many pairs.
        easy: an easy lesson of one step, by its number, from 0; None for a net that has learnt before.
        rounds: how many.
        rate: the highest, after 60 steps.
    """
    torch.manual_seed(0)
    learning = [parameter for parameter in net.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=rate, weight_decay=0.01)
    first = lesson(0)
    n_hard = math.ceil(len(first[0]) / _BATCH) * rounds
    n_easy = 0 if easy is None else min(n_hard * _EASY_TO_HARD, _EASY_STEPS * _EASY_TO_HARD // (_EASY_TO_HARD + 1))
    n_steps = n_hard + n_easy
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / _WARM_UP_STEPS) * max(_LEAST_RATE, 1.0 - step / n_steps)
    )
    weighs = torch.tensor(_RIGHT_WEIGHS)
    hard = _hard_steps(first, lesson, rounds)
    net.train()
    for pairs, right in hard if easy is None else _with_easy(hard, easy):
        logits = net(*_padded(pairs))
        truth = torch.tensor([float(is_right) for is_right in right])
        loss = functional.binary_cross_entropy_with_logits(logits, truth, pos_weight=weighs)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch gives it no types
        nn.utils.clip_grad_norm_(learning, _MAX_GRADIENT)
        optimiser.step()
        schedule.step()
    return net.eval()


@torch.no_grad()
def averaged(net: Net, before: Mapping[str, Tensor], share: float) -> Net:
    """The net itself, with what it learnt brought back towards what it knew `before` (by parameter, as `known` has it).

    What it learnt later it keeps in part (`share`), and loses less of what it could do (Wortsman et al. 2022, arXiv 2109.01903).
    """
    for name, parameter in net.named_parameters():
        if name in before:
            parameter.lerp_(before[name], 1.0 - share)
    return net


def known(net: nn.Module) -> dict[str, Tensor]:
    """A copy of all that a net has learnt, by parameter."""
    return {name: parameter.detach().clone() for name, parameter in net.named_parameters() if parameter.requires_grad}


@torch.no_grad()
def logits_of(net: ReaderNet, pairs: Sequence[Pair]) -> npt.NDArray[np.float64]:
    """Float64, shape (len(pairs),)."""
    found = np.zeros(len(pairs))
    order = sorted(range(len(pairs)), key=lambda place: len(pairs[place][0]))
    for first in range(0, len(order), _SCORED_AT_ONCE):
        batch = order[first : first + _SCORED_AT_ONCE]
        found[batch] = net(*_padded([pairs[place] for place in batch])).numpy()
    return found


def _hard_steps(first: Lesson, lesson: Callable[[int], Lesson], rounds: int) -> Iterator[Lesson]:
    """The lessons of all rounds in steps; `first` is the lesson of round 0."""
    draw = random.Random(0)
    for number in range(rounds):
        pairs, right = lesson(number) if number else first
        for batch in _batches(pairs, draw):
            yield [pairs[place] for place in batch], [right[place] for place in batch]


def _with_easy(hard: Iterator[Lesson], easy: Callable[[int], Lesson]) -> Iterator[Lesson]:
    """The hard steps, the first ones with three easy ones after each."""
    n_easy = 0
    for number, step in enumerate(hard):
        yield step
        if number * (_EASY_TO_HARD + 1) < _EASY_STEPS:
            for _ in range(_EASY_TO_HARD):
                yield easy(n_easy)
                n_easy += 1


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


def _buckets(n_tokens: int) -> Tensor:
    """T5's bucket of every distance between two tokens, int64, shape (tokens, tokens): a row of the table of biases."""
    apart = torch.arange(n_tokens)[None, :] - torch.arange(n_tokens)[:, None]
    n = apart.abs()
    far = _NEAR + (torch.log(n.clamp(min=1) / _NEAR) / math.log(_FARTHEST / _NEAR) * _NEAR).long().clamp(max=_NEAR - 1)
    return torch.where(n < _NEAR, n, far) + 2 * _NEAR * (apart > 0)


def _features(states: Tensor, types: Tensor, mask: Tensor) -> Tensor:
    """What the head goes by, float32, shape (pairs, 3072), as `models/mpnet_reader.py` has it, but each part about as large as a state."""

    def mean(kind: int) -> Tensor:
        own = mask * (types == kind)
        return functional.normalize((states * own[..., None]).sum(1) / own.sum(1, keepdim=True), dim=1)

    question, line = mean(QUESTION), mean(LINE)
    return torch.cat([states[:, 0], question, line, question * line], 1) * _sizes()


def _sizes() -> Tensor:
    """What the features are multiplied with, float32, shape (3072,)."""
    return torch.tensor([1.0, _UNIT, _UNIT, _UNIT_PRODUCT]).repeat_interleave(DIMENSION)


def _normed(norm: nn.LayerNorm, states: Tensor) -> Tensor:
    """The norm in the precision of the states, whose own numbers are float32 as they learn."""
    weight, bias = norm.weight.to(states.dtype), norm.bias.to(states.dtype)
    return functional.layer_norm(states, (DIMENSION,), weight, bias, norm.eps)


def _norm(tensors: Mapping[str, Any], name: str) -> nn.LayerNorm:
    norm = nn.LayerNorm(DIMENSION, eps=LAYER_NORM_EPSILON)
    norm.weight.data = torch.tensor(np.array(tensors[f"{name}.weight"]))
    norm.bias.data = torch.tensor(np.array(tensors[f"{name}.bias"]))
    return norm
