"""Step 2: whether an action is for this customer at all, in this situation, and fitting for this person now."""

from guidance.decision.action import Action
from guidance.decision.expression import Expression
from guidance.decision.facts import Facts
from guidance.decision.state import LiveConversation


def ineligible_because(action: Action, conversation: LiveConversation, facts: Facts) -> str | None:
    """Why `action` is not to be proposed, in a clause that names the step it fails; None: it is.

    What is not known counts as no.
    """
    if conversation.channel not in action.channels:
        return f"not on {conversation.channel.value}"
    for step, _, conditions in action.steps_to_fit:
        for condition in conditions:
            if (why := _fails_because(condition, facts)) is not None:
                return f"not {step}: {why}"
    return None


def _fails_because(condition: Expression, facts: Facts) -> str | None:
    missing = facts.missing(condition.facts)
    if missing:
        return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not known"
    if facts.holds(condition):
        return None
    told = ", ".join(f"{name} is {_brief(facts[name])}" for name in condition.facts)
    return f"needs {condition.text}" + (f" ({told})" if told else "")


def _brief(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(value) if isinstance(value, tuple | list) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
