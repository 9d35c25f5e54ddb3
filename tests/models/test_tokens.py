"""A turn word by word has the tokens that it has as a whole, whatever people write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from models.artifacts import INTENT
from models.serving.tokens import TurnTokenizer

MAX_TOKENS = 24
ODD = "ab Zé'’-_.,¿́中ΣİŁ\u00a0\u200b\u2028\t\n\x1c\x85\ufffd😀٣"


@pytest.fixture(scope="module")
def shipped() -> Tokenizer:
    return Tokenizer.from_file(str(INTENT / "tokenizer.json"))


def whole(shipped: Tokenizer, text: str) -> list[int]:
    tokenizer = Tokenizer.from_str(shipped.to_str())
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    ids: list[int] = tokenizer.encode(text).ids
    return ids


@given(st.text(alphabet=st.one_of(st.sampled_from(ODD), st.characters(exclude_categories=["Cs"])), max_size=60))
def test_words_have_the_tokens_of_their_turn(shipped: Tokenizer, text: str) -> None:
    by_word = TurnTokenizer(Tokenizer.from_str(shipped.to_str()), MAX_TOKENS)

    assert by_word.ids(text) == whole(shipped, text)
    assert by_word.ids(text) == whole(shipped, text), "as remembered"


@pytest.mark.parametrize(
    "text", ["", " ", "  it's   been  dropping ", "x" * 40 + " out", "leave " * 40, "supercalifragilistic " * 9]
)
def test_so_have_spaces_long_words_and_long_turns(shipped: Tokenizer, text: str) -> None:
    ids = TurnTokenizer(Tokenizer.from_str(shipped.to_str()), MAX_TOKENS).ids(text)

    assert ids == whole(shipped, text)
    assert len(ids) <= MAX_TOKENS
