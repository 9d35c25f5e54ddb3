"""What is allowed in a catalogue and yet is probably not meant."""

from collections.abc import Collection, Iterator, Mapping

from guidance.decision.action import Action
from guidance.decision.catalog import Catalog
from guidance.decision.catalog_text import Lines, Path, Problem
from schemas.conversation import Speaker


def advise(catalog: Catalog, lines: Lines, labels: Mapping[str, Collection[Speaker]]) -> tuple[Problem, ...]:
    """All that is worth a second look, in order of line. `labels` are the model's, by whose turns they are heard on."""
    advice = [Problem(lines.of(path), what, mend) for path, what, mend in _advice(catalog, labels)]
    return tuple(sorted(set(advice), key=lambda each: (each.line, each.what)))


def _advice(catalog: Catalog, labels: Mapping[str, Collection[Speaker]]) -> Iterator[tuple[Path, str, str]]:
    for action in catalog.actions:
        yield from _labels_advice(action, labels)
        silent = [each for each in action.channels if not any(each in words.channels for words in action.treatments)]
        for channel in silent:
            path = ("actions", action.id, "treatments")
            yield path, f"{action.id} has no words for {channel}", "add a treatment, or leave the channel out"
        if all(treatment.honours_offer for treatment in action.treatments):
            mend = "add a treatment without honours_offer"
            yield ("actions", action.id, "treatments"), f"{action.id} has words for open offers only", mend
    used = _used(catalog)
    for name in sorted(catalog.declared.keys() - used - {"vulnerable"}):
        yield ("facts", name), f"nothing uses {name}", "remove it, unless the CRM's people read it here"


def _labels_advice(action: Action, labels: Mapping[str, Collection[Speaker]]) -> Iterator[tuple[Path, str, str]]:
    path: Path = ("actions", action.id)
    for index, trigger in enumerate(action.triggers):
        for label in trigger.labels:
            if label not in labels:
                field = "intent" if label == trigger.intent else "absent"
                mend = "it never calls for it" if field == "intent" else "it is always absent"
                yield (*path, "triggers", index, field), f"the model does not know “{label}”", mend
    for field, heard_labels, speaker in (
        ("fulfilled_by", action.fulfilled_by, Speaker.AGENT),
        ("retracted_by", tuple(action.retracted_by), Speaker.CUSTOMER),
    ):
        for label in heard_labels:
            if label not in labels:
                yield (*path, field), f"the model does not know “{label}”", "it never ends the prompt"
            elif speaker not in labels[label]:
                yield (*path, field), f"“{label}” is never heard of a {speaker}", "it never ends the prompt"


def _used(catalog: Catalog) -> set[str]:
    used: set[str] = set()
    for action in catalog.actions:
        for condition in (
            *(trigger.when for trigger in action.triggers if trigger.when is not None),
            *(condition for _, _, conditions in action.steps_to_fit for condition in conditions),
            *(weight.when for weight in action.context),
        ):
            used.update(condition.facts)
        for words in (
            *(each for treatment in action.treatments for each in (treatment.words, *treatment.steps)),
            *action.reasons,
        ):
            used.update(words.facts)
    for fact in catalog.declared.values():
        if fact.computed is not None:
            used.update(fact.computed.facts)
    return used
