"""What each stage learns beside the turns that somebody labelled: texts of which only its teacher says something."""

import random
from collections.abc import Sequence

import torch

from models.training.asking import Questions
from models.training.distilling import Lessons, meanings
from models.training.first_stage import EMBEDDING_WIDTH
from models.training.network import IntentNetwork
from models.training.reading import MAX_TOKENS, logits_of, token_ids
from models.training.speech import as_heard
from models.training.targets import targets_of
from models.training.tune import Report
from models.training.turns import LabelledTurn, digest
from models.training.variants import prefix_of, recombined
from models.training.vocabulary import Vocabulary

_ONLY_HEARD_MIXED, _ONLY_HEARD_OTHERS = 9_000, 6_000
_MOST_UNLABELLED = 20_000
_QUESTIONS_A_TURN, _QUESTIONS_OF_A_CLASS = 30, 4
"""At most so many for each turn; the second where a turn means one thing only, and half of another says little."""
_MEANT = 16_000
"""Of all that the first stage learns from, so many teach the similarity embedding."""


def only_heard(turns: Sequence[LabelledTurn], unlabelled: Sequence[str], rng: random.Random) -> list[LabelledTurn]:
    """For the encoder: texts of which nothing is known but what its teacher will say."""
    own = sorted({turn.text for turn in turns})
    mixed = [recombined(own, rng) for _ in range(min(_ONLY_HEARD_MIXED, len(own)))]
    others = sorted(set(unlabelled) - set(own), key=digest)[:_ONLY_HEARD_OTHERS]
    return [
        LabelledTurn(text, "customer", frozenset(), known=frozenset(), source="asked")
        for text in sorted({*mixed, *others} - set(own))
    ]


def first_stage_lessons(
    encoder: IntentNetwork,
    vocabulary: Vocabulary,
    turns: Sequence[LabelledTurn],
    variants: Sequence[LabelledTurn],
    unlabelled: Sequence[str],
    rng: random.Random,
    most_questions: int,
    report: Report,
) -> Lessons:
    """For the first stage: what the encoder says of all that it learned from, of ``unlabelled`` texts and new ones."""
    task = encoder.task
    own = sorted({turn.text for turn in variants})
    made = {prefix_of(turn.text) for turn in turns} | {as_heard(turn.text, rng) for turn in turns}
    idle = [turn.text for turn in turns if turn.known is None and not turn.labels]
    a_turn = _QUESTIONS_OF_A_CLASS if task.exclusive else _QUESTIONS_A_TURN
    questions = Questions([turn.text for turn in turns], idle, rng)
    asked = own + sorted({*made, *questions.make(min(most_questions, a_turn * len(turns)))} - set(own))
    asked += sorted(set(unlabelled) - set(asked), key=digest)[:_MOST_UNLABELLED]
    tokenizer = vocabulary.tokenizer(MAX_TOKENS)
    logits = logits_of(encoder, tokenizer, asked, "asking the encoder", report)
    row = {text: index for index, text in enumerate(asked)}
    taught = targets_of(task, variants)
    holds, known = torch.zeros(2, len(asked), len(task.labels))
    for index, turn in enumerate(variants):
        at = row[turn.text]  # of several turns, where customers and agents say the same
        holds[at] = torch.maximum(holds[at], taught.intents[index])
        known[at] = torch.maximum(known[at], taught.known[index])
    meant = sorted(row, key=digest)[:_MEANT]
    embeddings = torch.zeros(len(asked), EMBEDDING_WIDTH)
    embeddings[[row[text] for text in meant]] = meanings(vocabulary.rows, task, tokenizer, meant, report)
    return Lessons(token_ids(tokenizer, asked), logits, holds, known, embeddings)
