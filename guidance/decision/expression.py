"""One condition or amount of the catalogue, compiled once.

The language is zen-engine's expressions, cut down to what a business rule needs: facts by name, constants,
comparisons, arithmetic, a choice (``a ? b : c``) and a few functions of values. What is left can neither read a clock,
nor draw at random, nor loop, so the same facts give the same answer for ever, at once.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import zen

from schemas.customer import Fact

FUNCTIONS = frozenset(
    ("abs", "ceil", "contains", "endsWith", "floor", "len", "lower", "max", "min", "round", "startsWith", "upper")
)
MAX_CHARS = 500
MAX_DEPTH = 12

_WORDS = frozenset(("and", "or", "not", "in", "true", "false", "null"))
_OPERATORS = frozenset(
    ("==", "!=", ">=", "<=", ">", "<", "+", "-", "*", "/", "%", "(", ")", "[", "]", ",", "?", ":", "!")
)
_TOKEN = re.compile(
    r"""\s+ | (?P<string>"[^"]*"|'[^']*') | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*) | (?P<operator>[=!<>]=|\?\?|\.\.|&&|\|\||.)""",
    re.VERBOSE,
)


class Flaw(ValueError):
    """Something in the catalogue cannot be used. ``str(flaw)`` says what is wrong, `mend` what to do about it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression and the facts it needs. Make one with `compile_expression`."""

    text: str
    facts: tuple[str, ...]
    """The facts it mentions, in order; all of them must be known before it is evaluated."""
    compared: tuple[tuple[str, str], ...]
    """Each fact that it says is, or is not, a plain text or number, and which of the two: (“plan”, “text”)."""
    _compiled: Any = field(repr=False, compare=False)

    def evaluate(self, facts: Mapping[str, Fact]) -> Fact | None:
        """Its value for facts that hold at least `self.facts`; None where the types do not fit together."""
        try:
            value: Fact | None = self._compiled.evaluate({name: facts[name] for name in self.facts})
        except RuntimeError:
            return None
        return value

    def holds(self, facts: Mapping[str, Fact]) -> bool:
        """Whether it is true: anything else, an error included, is no."""
        return self.evaluate(facts) is True


def compile_expression(text: str) -> Expression:
    """Compile `text`.

    Raises:
        Flaw: it is no expression, or uses what is left out of the language.
    """
    if not isinstance(text, str):
        raise Flaw(f"{text!r} is no expression", "write a condition in quotes, as 'tenure_months >= 12'")
    if len(text) > MAX_CHARS:
        raise Flaw(f"the expression has {len(text)} characters, at most {MAX_CHARS} are read", "split it into several")
    if not text.isprintable() or "\\" in text:
        raise Flaw(f"{text!r} has a backslash, or characters that cannot be seen", "type the expression anew")
    tokens = [match for match in _TOKEN.finditer(text) if match.lastgroup]
    _check_depth(text, tokens)
    facts = _check_tokens(text, tokens)
    try:
        compiled = zen.compile_expression(text)
    except RuntimeError as error:
        raise Flaw(f"“{text}” is no expression: {_zen_message(error)}", "see the examples in the head") from None
    return Expression(text, facts, _compared(tokens, facts), compiled)


def _check_depth(text: str, tokens: Sequence[re.Match[str]]) -> None:
    depth = 0
    for token in tokens:
        depth += (token.group() in "([") - (token.group() in ")]")
        if depth > MAX_DEPTH:
            raise Flaw(f"“{text[:40]}…” is nested too deeply", "split it into several conditions: all must hold")


def _compared(tokens: Sequence[re.Match[str]], facts: Collection[str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (fact.group(), "text" if constant.lastgroup == "string" else "number")
        for fact, operator, constant in zip(tokens, tokens[1:], tokens[2:], strict=False)
        if fact.group() in facts and operator.group() in ("==", "!=") and constant.lastgroup in ("string", "number")
    )


def _check_tokens(text: str, tokens: Sequence[re.Match[str]]) -> tuple[str, ...]:
    """The facts that `text` mentions. Raises Flaw for what the language leaves out."""
    facts: dict[str, None] = {}
    for position, token in enumerate(tokens):
        word = token.group()
        if token.lastgroup == "name" and word not in _WORDS:
            called = position + 1 < len(tokens) and tokens[position + 1].group() == "("
            if called and word not in FUNCTIONS:
                raise Flaw(
                    f"“{text}” calls {word}(), which is not allowed: expressions know no clock, no chance, no scripts",
                    f"use facts, or one of {', '.join(sorted(FUNCTIONS))}",
                )
            if not called:
                facts[word] = None
        elif not word.isascii() and token.lastgroup == "operator":
            what = f"“{text}” has “{word}” (U+{ord(word):04X}), which is not allowed"
            raise Flaw(what, "type it anew: names have the letters a to z, some others only look like them")
        elif token.lastgroup == "operator" and word not in _OPERATORS:
            raise Flaw(f"“{text}” has “{word}”, which is not allowed", _OPERATOR_MENDS.get(word, "leave it out"))
    return tuple(facts)


_OPERATOR_MENDS = {
    "=": "to compare, write ==",
    "..": "write a range as x >= 1 and x <= 9",
    "&&": "write and",
    "||": "write or",
    "??": "a fact that is not known makes a condition false: declare two actions or treatments instead",
    ".": "facts have plain names, as tenure_months",
}


def _zen_message(error: RuntimeError) -> str:
    first_line = str(error).partition("\n")[0]
    try:
        return str(json.loads(first_line)["source"])
    except (ValueError, KeyError, TypeError):
        return first_line
