"""How long a turn takes, always beside something else that takes the same turns in the same moments.

A shared machine's pace changes from second to second, so contenders take turns: each is asked about ten turns before
any is asked about the next ten. Not about one: a worker that is busy does nothing else in between, and who comes after
a contender of four times the weights finds none of its own near the processor.

What is told of them is a ratio of totals, each turn counted by the median of its passes, in processor time of the one
thread that they all run on: what other programs take meanwhile is nobody's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter, thread_time

import numpy as np

from models.serving import Utterance
from models.training.answers import Said, Stages
from models.training.measures import Vector
from schemas.conversation import Speaker

Contender = Callable[[Said], object]
"""Answers one turn."""
LENGTHS = (8, 16, 32, 64, 128)
"""Tokens, [CLS] and [SEP] included, that latency is told for."""
_IN_A_ROW = 10
_STRIDE = 17
"""Tokens between the beginnings of two turns of a length, so that no two are alike."""


def alternately(contenders: Mapping[str, Contender], turns: Sequence[Said], passes: int = 5) -> dict[str, Vector]:
    """Processor seconds of each contender for each turn, (turns,): the median of ``passes``, after one to warm up."""
    taken = {name: np.empty((passes + 1, len(turns))) for name in contenders}
    for index in range(passes + 1):
        for start in range(0, len(turns), _IN_A_ROW):
            for name, contender in contenders.items():
                for column, turn in enumerate(turns[start : start + _IN_A_ROW], start):
                    started_s = thread_time()
                    contender(turn)
                    taken[name][index, column] = thread_time() - started_s
    return {name: np.median(seconds[1:], axis=0) for name, seconds in taken.items()}


def times_faster(taken: Mapping[str, Vector], fast: str, slow: str) -> float:
    """How many times as many turns a second ``fast`` answers, over the same turns."""
    return float(taken[slow].sum() / taken[fast].sum())


def encoder_alone(stages: Stages) -> Contender:
    """Tokenizer and encoder."""
    model = stages.model
    return lambda turn: model.encoder.run(model.token_ids(turn[1]))


def as_served(stages: Stages) -> Contender:
    """All that serving does: tokenizer, first stage, the encoder where that is not sure, and the scores of it."""
    return lambda turn: stages.model.score([Utterance(Speaker(turn[0]), turn[1])])


def without_cascade(stages: Stages) -> Contender:
    """As `as_served`, the encoder answering every turn."""
    model = stages.model.without_cascade()
    return lambda turn: model.score([Utterance(Speaker(turn[0]), turn[1])])


@dataclass(frozen=True, slots=True)
class Latency:
    """How long one stage took for turns of one length, in seconds, (rounds,)."""

    waited: Vector
    """As the clock on the wall has it, whatever else the machine did meanwhile."""
    worked: Vector
    """Processor time."""


def latency_by_length(stages: Stages, texts: Sequence[str], rounds: int = 200) -> dict[int, dict[str, Latency]]:
    """What ``rounds`` turns of each of LENGTHS that the model takes cost each stage (``first_stage``, ``encoder``).

    The turns are cut out of ``texts`` told as one story. A turn that the first stage is not sure of takes the sum.
    """
    model = stages.model
    story = [token for text in texts for token in model.token_ids(text)[1:-1]]
    cls, sep = model.token_ids("")
    graphs = ({"first_stage": model.first_stage} if model.first_stage else {}) | {"encoder": model.encoder}
    lengths = [length for length in LENGTHS if length <= stages.manifest.max_tokens]
    found = {length: {name: Latency(np.empty(rounds), np.empty(rounds)) for name in graphs} for length in lengths}
    for index in range(rounds):
        for length in lengths:
            begin = index * _STRIDE % max(1, len(story) - length)
            ids = [cls, *story[begin : begin + length - 2], sep]
            for name, graph in graphs.items():
                started_s, worked_s = perf_counter(), thread_time()
                graph.run(ids)
                found[length][name].worked[index] = thread_time() - worked_s
                found[length][name].waited[index] = perf_counter() - started_s
    return found
