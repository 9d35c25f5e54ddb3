"""Words with placeholders, as an agent would say them once the facts are filled in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from guidance.decision.expression import Flaw
from guidance.decision.facts import Facts, FactType
from schemas.customer import Fact

MAX_WORDS = 30
"""The most words that an agent can take in at a glance while somebody talks."""

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """Text with ``{fact}`` placeholders. Make one with `compile_template`."""

    text: str
    facts: tuple[str, ...]

    def fill(self, facts: Facts, currency: str) -> str | None:
        """The text with every placeholder filled; None where a fact is missing."""
        if not self.facts:
            return self.text
        if facts.missing(self.facts):
            return None
        spoken: Mapping[str, str] = {name: say(facts[name], facts.type_of(name), currency) for name in self.facts}
        return _PLACEHOLDER.sub(lambda match: spoken[match[1]], self.text)


def compile_template(text: str) -> Template:
    """Read `text`. Raises Flaw where a brace does not belong to a placeholder, or nothing is said."""
    if not isinstance(text, str) or not text.strip():
        raise Flaw("there are no words", "write what the agent should say, in quotes")
    rest = _PLACEHOLDER.sub("", text)
    if "{" in rest or "}" in rest:
        raise Flaw(f"“{text}” has a brace that is no placeholder", "write placeholders as {monthly_bill}")
    return Template(" ".join(text.split()), tuple(dict.fromkeys(_PLACEHOLDER.findall(text))))


def say(value: Fact, of: FactType, currency: str) -> str:
    """A fact as people say it: $79, $79.50, 6, “fibre, TV and mobile”."""
    if of == "money" and isinstance(value, int | float):
        whole = round(value)
        return f"{currency}{whole:,}" if abs(value - whole) < 0.005 else f"{currency}{value:,.2f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple | list):
        return f"{', '.join(value[:-1])} and {value[-1]}" if len(value) > 1 else "".join(value)
    return str(value)
