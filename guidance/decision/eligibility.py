"""Step 2: whether an action is for this customer at all."""

from guidance.decision.action import Action
from guidance.decision.facts import Facts
from guidance.decision.state import LiveConversation


def ineligible_because(action: Action, conversation: LiveConversation, facts: Facts) -> str | None:
    """Why `action` is not for this customer, in a clause; None: it is. What is not known counts as no."""
    if conversation.channel not in action.channels:
        return f"not on {conversation.channel.value}"
    for condition in action.eligible_if:
        missing = facts.missing(condition.facts)
        if missing:
            return f"needs {', '.join(missing)}"
        if not condition.holds(facts):
            told = ", ".join(f"{name} is {_brief(facts[name])}" for name in condition.facts)
            return f"not {condition.text}" + (f" ({told})" if told else "")
    return None


def _brief(value: object) -> str:
    text = ", ".join(value) if isinstance(value, tuple | list) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
