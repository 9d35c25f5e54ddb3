"""Training rounds as the export does. Needs what `make setup-train` adds."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="`make setup-train` adds torch; `make test-train` runs these")

from torch import nn  # noqa: E402

from models.serving.graph import Graph  # noqa: E402
from models.training.export import write_encoder  # noqa: E402
from models.training.network import IntentNetwork  # noqa: E402
from models.training.rounding import in_bytes, make_rounded, set_rounded  # noqa: E402
from models.training.task import Task  # noqa: E402
from models.training.tune import averaged  # noqa: E402
from models.training.vocabulary import Vocabulary, vocabulary_for  # noqa: E402
from schemas.conversation import Speaker  # noqa: E402

pytestmark = pytest.mark.training
LABELS = tuple("abcdefgh")
TEXTS = [
    "I'd like to cancel, please",
    "where is my parcel",
    "no",
    "the engineer said he'd come between eight and twelve and nobody has been, so what happens now?",
    "it's four two seven nine",
]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return vocabulary_for(TEXTS, 2_000)


@pytest.fixture
def network(vocabulary: Vocabulary) -> IntentNetwork:
    torch.manual_seed(0)
    task = Task(LABELS, ((Speaker.CUSTOMER,),) * len(LABELS), exclusive=False, sentiment=False, churn_risk=False)
    return IntentNetwork(task, vocabulary.rows).eval()


def test_a_rounded_layer_keeps_few_values_and_passes_the_whole_gradient() -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(16, 3))
    exact = nn.Linear(16, 3)
    exact.load_state_dict(layers[0].state_dict())
    make_rounded(layers)
    said = torch.randn(2, 5, 16)

    assert torch.equal(layers(said), exact(said))
    set_rounded(layers, True)
    rounded = layers(said)

    assert not torch.equal(rounded, exact(said))
    assert (rounded - exact(said)).abs().max() < 0.1
    said.requires_grad_()
    slopes = torch.autograd.grad(layers(said).sum(), said)[0]
    assert (slopes - exact.weight.sum(dim=0)).abs().max() < 0.1


def test_a_table_in_bytes_loses_less_than_half_a_step_a_row() -> None:
    table = torch.tensor([[1.27, -0.634], [0.001, 0.0005], [0.0, 0.0]])

    codes, scales = in_bytes(table)

    assert codes.dtype == torch.int8
    assert ((codes * scales - table).abs() <= scales / 2 + 1e-9).all()
    assert codes[0].tolist() == [127, -63]


def test_int8_says_what_the_rounded_network_says(
    network: IntentNetwork, vocabulary: Vocabulary, tmp_path: Path
) -> None:
    write_encoder(network, 128, tmp_path / "model.onnx", int8=True)
    graph = Graph((tmp_path / "model.onnx").read_bytes(), {"intents": len(LABELS)})
    ids = [vocabulary.tokenizer(128).encode(text).ids for text in TEXTS]

    def ask() -> np.ndarray:  # type: ignore[type-arg]
        with torch.no_grad():
            return np.array([network(torch.tensor([row]))["intents"][0].numpy() for row in ids])

    shipped, exact = np.array([graph.run(row)["intents"] for row in ids]), ask()
    set_rounded(network, True)
    rounded = ask()

    assert np.abs(shipped - exact).mean() > 2 * np.abs(shipped - rounded).mean()
    assert np.abs(shipped - rounded).mean() < 0.05 * exact.std()


def test_what_is_typed_and_what_is_heard_reads_the_same(vocabulary: Vocabulary) -> None:
    tokenizer = vocabulary.tokenizer(128)

    assert tokenizer.encode("I'd  like — TO cancel!").ids == tokenizer.encode("id like to cancel").ids
    assert tokenizer.encode("pay-as-you-go").ids == tokenizer.encode("pay as you go").ids


def test_the_average_of_two_runs_is_between_them(network: IntentNetwork, vocabulary: Vocabulary) -> None:
    other = IntentNetwork(network.task, vocabulary.rows)
    between = averaged([network, other])

    for name, weights in between.named_parameters():
        one, two = dict(network.named_parameters())[name], dict(other.named_parameters())[name]
        assert torch.allclose(weights, (one + two) / 2), name
