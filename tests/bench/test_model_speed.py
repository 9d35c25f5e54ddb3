"""The intent model beside what others would run: ratios over the same turns in the same moments, one thread each.

The peers need the training environment (`make setup-train`): they are skipped without it. What is asserted is far under
what is printed and what the model card tells: a bench that fails has found something broken, not a slow machine.
"""

from importlib.util import find_spec

import numpy as np
import pytest

from deploy.report_cli import sample_turns
from models.artifacts import INTENT
from models.serving import IntentModel
from models.serving.graph import Graph
from models.serving.heads import encoder_widths
from models.training.answers import Said, Stages
from models.training.report.speeds import measure_against_peers, measure_cascade
from models.training.speed import latency_by_length

pytestmark = pytest.mark.bench
with_peers = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("torch", "transformers", "onnx", "threadpoolctl")),
    reason="the peers are not installed: run `make setup-train`",
)


@pytest.fixture(scope="module")
def stages() -> Stages:
    return Stages(IntentModel.load(INTENT))


@pytest.fixture(scope="module")
def stream() -> list[Said]:
    return sample_turns()


@with_peers
@pytest.mark.timeout(600)
def test_a_turn_in_int8_against_torch_and_the_pipeline(stages: Stages, stream: list[Said]) -> None:
    found = measure_against_peers(stages, stream)

    print()
    for ours in ("encoder", "served"):
        over = {peer: found[f"speed.{ours}_over_{peer}"] for peer in ("torch", "pipeline")}
        print(f"{ours}: {over['torch']:.1f}× torch eager, {over['pipeline']:.1f}× the transformers pipeline")
    assert found["speed.encoder_over_torch"] > 2
    assert found["speed.encoder_over_pipeline"] > 2


@pytest.mark.timeout(600)
def test_the_service_against_the_same_without_its_first_stage(stages: Stages, stream: list[Said]) -> None:
    found = measure_cascade(stages, stream)

    print(
        f"\ncascade: {found['speed.cascade']:.1f}× the encoder alone,"
        f" {found['speed.cascade_share']:.0%} by the first stage"
    )
    assert found["speed.cascade"] > 0.7


@with_peers
@pytest.mark.timeout(600)
def test_float32_under_the_roof_of_the_machines_own_products(stages: Stages) -> None:
    from models.training.graph import encoder_graph
    from models.training.peers import untuned_network
    from models.training.roof import Shape, under_roof

    graph = encoder_graph(untuned_network(stages), stages.manifest.max_tokens, int8=False)
    encoder = Graph(graph.SerializeToString(), encoder_widths(stages.manifest))
    found = [under_roof(encoder, tokens, Shape()) for tokens in (16, 32, 64, 128)]

    print()
    for each in found:
        print(f"float32, {each.tokens} tokens: {each.share:.0%} of {each.gflops:.0f} GFLOP/s")
    assert min(each.share for each in found) > 0.3


def test_latency_by_length(stages: Stages, stream: list[Said]) -> None:
    found = latency_by_length(stages, [text for _, text in stream])

    print()
    for tokens, by_stage in found.items():
        for stage, took in by_stage.items():
            p50, p99 = np.percentile(took.waited, [50, 99]) * 1e3
            worked = np.median(took.worked) * 1e3
            print(f"{tokens:3} tokens, {stage}: p50 {p50:.2f} ms, p99 {p99:.2f} ms; processor time {worked:.2f} ms")
    assert np.median(found[128]["encoder"].worked) > np.median(found[8]["encoder"].worked)
