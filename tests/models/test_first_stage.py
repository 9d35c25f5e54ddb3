"""The first stage's graph against the network that it was written from. Needs what `make setup-train` adds."""

import numpy as np
import pytest

from models.training.turns import LabelledTurn

torch = pytest.importorskip("torch", reason="`make setup-train` adds torch; `make test-train` runs these")

from models.serving.graph import Graph  # noqa: E402
from models.training.first_stage import FirstStageNetwork, answers_of  # noqa: E402
from models.training.first_stage_graph import first_stage_graph  # noqa: E402
from models.training.task import Task  # noqa: E402

pytestmark = [pytest.mark.training, pytest.mark.timeout(120)]
VOCABULARY = 300
TURNS = [[2, 3], [2, 40, 3], [2, 5, 9, 33, 299, 5, 9, 3], [2, *range(10, 136), 3]]
SEVERAL = Task.of(
    [
        LabelledTurn("I want out, thanks", "customer", frozenset({"leaves", "thanks"}), None, "positive", 2),
        LabelledTurn("sorry", "agent", frozenset({"sorry"}), None, "negative", 0),
        LabelledTurn("hm", "customer", frozenset(), None, "neutral", 0),
    ]
)
ONE = Task.of([LabelledTurn(label, "customer", frozenset({label})) for label in ("a", "b", "c") * 4])


def network_of(task: Task) -> FirstStageNetwork:
    torch.manual_seed(1)
    network = FirstStageNetwork(task, torch.randn(VOCABULARY, 48))
    network.pairs.weight.data.normal_()
    network.edges.normal_()
    network.doubts.uniform_(0.5, 2.0)
    return network


@pytest.mark.parametrize("task", [SEVERAL, ONE])
def test_the_graph_says_of_a_turn_what_the_network_says_of_it_among_others(task: Task) -> None:
    network = network_of(task)
    network.settle()
    widths = {name: head.out_features for name, head in network.heads.items()} | {"sure": 2, "embedding": 64}
    graph = Graph(first_stage_graph(network).SerializeToString(), widths)

    together = answers_of(network, TURNS)

    for row, turn in enumerate(TURNS):
        for name, said in graph.run(turn).items():
            np.testing.assert_allclose(said, together[name][row].numpy(), atol=1e-3, err_msg=f"{name} of {turn}")


@pytest.mark.parametrize("task", [SEVERAL, ONE])
def test_settled_it_says_nearly_what_it_learned(task: Task) -> None:
    network = network_of(task)
    learned = answers_of(network, TURNS)

    network.settle()

    settled = answers_of(network, TURNS)
    for name in learned:
        apart = (settled[name] - learned[name]).abs().max()
        assert apart < 0.05 * max(1.0, float(learned[name].abs().max())), name


def test_what_is_still_learned_does_not_ship() -> None:
    with pytest.raises(TypeError, match="settle"):
        first_stage_graph(network_of(ONE))


def test_of_what_is_none_of_the_classes_it_is_not_sure() -> None:
    network = network_of(ONE)
    network.doubts.fill_(1.0)
    one, between, none = torch.tensor([[9.0, 0.0, -2.0], [9.0, 8.9, -2.0], [-5.0, -14.0, -16.0]])

    distances = network.distance(torch.stack([one, between, none]))[:, 0].tolist()

    assert distances == pytest.approx([9.0, 0.1, -5.0], abs=1e-5)
