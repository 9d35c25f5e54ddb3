"""The teacher reads as its own library does, and its pupil learns what it says. Needs what `make setup-train` adds."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="`make setup-train` adds torch; `make test-train` runs these")

from transformers import MPNetModel  # noqa: E402

from models.training.network import EncoderMissing, mean_and_peak  # noqa: E402
from models.training.targets import distillation_loss, loss_of, targets_of  # noqa: E402
from models.training.task import Task  # noqa: E402
from models.training.teacher import TeacherNetwork, opinions, teacher_tokenizer, unpacked  # noqa: E402
from models.training.turns import LabelledTurn  # noqa: E402

pytestmark = pytest.mark.training
TURNS = [
    LabelledTurn(text, "customer", frozenset({label}), source="own")
    for text, label in (
        ("where is my parcel", "order"),
        ("has my order been sent yet", "order"),
        ("when will the delivery come", "order"),
        ("I want my money back", "refund"),
        ("please refund me", "refund"),
        ("can I return these shoes", "refund"),
    )
]
TASK = Task.of(TURNS)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def folder(work: Path) -> Path:
    try:
        return unpacked(work)
    except EncoderMissing as missing:
        pytest.skip(str(missing))


def test_it_reads_padded_turns_as_the_pretrained_model_does(folder: Path) -> None:
    network = TeacherNetwork(TASK, folder).eval()
    whole = MPNetModel.from_pretrained(folder, add_pooling_layer=False).eval()
    tokenizer = teacher_tokenizer(folder)
    short, long = (tokenizer.encode(text).ids for text in ("Where's my parcel?", "I have been waiting for it all day"))
    with torch.no_grad():
        hidden = [network.embed(torch.tensor([ids]))[0] for ids in (short, long)]
        padded = torch.nn.utils.rnn.pad_sequence(hidden, batch_first=True)
        mask = torch.tensor([[place < len(ids) for place in range(len(long))] for ids in (short, long)])
        pooled = network.pool(padded, mask)
        expected = [mean_and_peak(whole(torch.tensor([ids])).last_hidden_state, None)[0] for ids in (short, long)]

    assert torch.nn.functional.cosine_similarity(pooled, torch.stack(expected)).min() > 0.999


def test_it_hears_no_case_and_no_punctuation(folder: Path) -> None:
    tokenizer = teacher_tokenizer(folder)

    assert tokenizer.encode("I'd  like — TO cancel!").ids == tokenizer.encode("id like to cancel").ids


def test_what_it_says_is_right_and_said_once(folder: Path, work: Path) -> None:
    told: list[str] = []
    asked = [turn.text for turn in TURNS] + ["my parcel has not come", "I would like a refund"]

    said = opinions(TASK, TURNS, asked, work, 7, lambda what, done, total: told.append(what))

    assert said["intents"].argmax(dim=1).tolist() == [0, 0, 0, 1, 1, 1, 0, 1]
    assert "tuning the teacher" in told
    told.clear()
    again = opinions(TASK, TURNS, asked, work, 7, lambda what, done, total: told.append(what))
    assert torch.equal(again["intents"], said["intents"])
    assert told == []


def test_who_agrees_with_the_teacher_is_told_no_better() -> None:
    said = {"intents": torch.tensor([[3.0, -1.0], [0.5, 0.0]])}
    other = {"intents": torch.tensor([[-1.0, 3.0], [0.0, 0.5]])}

    for exclusive in (True, False):
        agreed, otherwise = (distillation_loss(each, said, exclusive=exclusive) for each in (said, other))
        assert agreed < otherwise


def test_a_turn_of_none_of_the_classes_teaches_that_all_logits_are_small() -> None:
    none = LabelledTurn("who won the match", "customer", frozenset(), source="own")
    targets = targets_of(TASK, [TURNS[0], none])
    small, large = ({"intents": torch.tensor([[6.0, -6.0], [level, level]])} for level in (-6.0, 6.0))

    assert (TASK.exclusive, targets.none, targets_of(TASK, TURNS).none) == (True, True, False)
    assert loss_of(small, targets, 0.0) < 0.01
    assert loss_of(large, targets, 0.0) > 3
    as_said, otherwise = (distillation_loss(each, small, exclusive=True, none=True) for each in (small, large))
    assert as_said < otherwise
    assert distillation_loss(large, small, exclusive=True) == pytest.approx(
        distillation_loss(small, small, exclusive=True)
    )


def test_a_turn_of_which_nothing_is_known_teaches_nothing_by_itself() -> None:
    unknown = LabelledTurn("hm", "customer", frozenset(), known=frozenset(), source="asked")
    logits = {"intents": torch.tensor([[2.0, -1.0], [5.0, 5.0]])}

    known = loss_of({"intents": logits["intents"][:1]}, targets_of(TASK, TURNS[:1]), 0.0)
    assert loss_of(logits, targets_of(TASK, [TURNS[0], unknown]), 0.0) == known
    assert loss_of({"intents": logits["intents"][1:]}, targets_of(TASK, [unknown]), 0.0) == 0.0


def test_a_batch_of_which_nothing_is_known_can_still_be_learned_from() -> None:
    task = Task.of([*TURNS, LabelledTurn("both", "customer", frozenset({"order", "refund"}), source="own")])
    unknown = LabelledTurn("hm", "customer", frozenset(), known=frozenset(), source="asked")
    logits = torch.zeros(1, 2, requires_grad=True)

    loss_of({"intents": logits}, targets_of(task, [unknown]), 0.1).backward()

    assert logits.grad is not None
    assert not logits.grad.any()
