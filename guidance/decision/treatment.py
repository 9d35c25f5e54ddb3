"""Step 6: in which words, on this channel, in this language, for this customer."""

from dataclasses import dataclass

from guidance.decision.action import Action
from guidance.decision.facts import Facts
from guidance.decision.state import LiveConversation
from guidance.decision.wording import MAX_WORDS

MAX_WHY = 3


@dataclass(frozen=True, slots=True)
class Wording:
    """What the agent reads."""

    words: str
    steps: tuple[str, ...]
    language: str


def treat(
    action: Action, conversation: LiveConversation, facts: Facts, currency: str, *, honours_offer: bool = False
) -> Wording | str:
    """The action's first treatment that fits and whose facts are all known; else why there is none, in a clause.

    `honours_offer`: it was offered elsewhere and is still open, so words that say so fit as well.
    """
    lacking: dict[str, None] = {}
    spoken = conversation.language.partition("-")[0].lower()
    for treatment in action.treatments:
        if conversation.channel not in treatment.channels or treatment.language.partition("-")[0].lower() != spoken:
            continue
        if treatment.honours_offer and not honours_offer:
            continue
        words = treatment.words.fill(facts, currency)
        if words is not None and len(words.split()) <= MAX_WORDS:
            steps = (step.fill(facts, currency) for step in treatment.steps)
            return Wording(words, tuple(step for step in steps if step is not None), treatment.language)
        lacking |= dict.fromkeys(facts.missing(treatment.words.facts))
    if lacking:
        return f"needs {', '.join(lacking)} for its words"
    return f"no words for {conversation.channel.value} in {conversation.language}"


def reasons(
    action: Action, triggered_by: tuple[str, ...], noted: tuple[str, ...], facts: Facts, currency: str
) -> tuple[str, ...]:
    """What the agent is told as why: the strongest trigger, what is `noted` of it, the other triggers, then facts in
    its favour that are known; at most `MAX_WHY`.
    """
    told = (reason.fill(facts, currency) for reason in action.reasons)
    return (*triggered_by[:1], *noted, *triggered_by[1:], *(reason for reason in told if reason is not None))[:MAX_WHY]
