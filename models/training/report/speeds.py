"""How fast a turn is answered, beside peers that do the same in the same moments; one thread everywhere."""

import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.training.answers import Said, Stages
from models.training.speed import (
    alternately,
    as_served,
    encoder_alone,
    latency_by_length,
    times_faster,
    without_cascade,
)

MOST_TURNS = 200
"""Of the stream, so many are timed, spread over all of it."""
ROOF_TOKENS = (16, 32, 64, 128)


def measure_cascade(stages: Stages, stream: Sequence[Said]) -> dict[str, float]:
    """The service against the same without its first stage over ``stream``; empty where it has none."""
    if stages.model.first_stage is None:
        return {}
    turns = spread(stream)
    taken = alternately({"cascade": as_served(stages), "encoder": without_cascade(stages)}, turns)
    return {
        "speed.cascade": times_faster(taken, "cascade", "encoder"),
        "speed.cascade_share": float(stages.read(turns).by_first.mean()),
    }


def measure_speeds(stages: Stages, stream: Sequence[Said]) -> dict[str, float]:
    """`measure_cascade`, and each stage's latency by length."""
    scores = measure_cascade(stages, stream)
    for length, by_stage in latency_by_length(stages, [text for _, text in stream]).items():
        for stage, took in by_stage.items():
            p50, p99 = np.percentile(took.waited, [50, 99]) * 1e3
            scores |= {
                f"latency.{stage}.{length}.p50_ms": p50,
                f"latency.{stage}.{length}.p99_ms": p99,
                f"latency.{stage}.{length}.worked_ms": float(np.median(took.worked)) * 1e3,
            }
    return scores


def measure_against_peers(stages: Stages, stream: Sequence[Said]) -> dict[str, float]:
    """The int8 encoder, and all that serves, against torch eager and the transformers pipeline.

    Needs the training environment.
    """
    from models.training.peers import torch_eager, transformers_pipeline

    peers = {"torch": torch_eager(stages), "pipeline": transformers_pipeline(stages)}
    ours = {"encoder": encoder_alone(stages), "served": as_served(stages)}
    taken = alternately(ours | peers, spread(stream), passes=3)
    return {f"speed.{our}_over_{peer}": times_faster(taken, our, peer) for our in ours for peer in peers}


def measure_under_roof(float32: Stages) -> dict[str, float]:
    """What the unquantized encoder reaches of the machine's own matrix products; needs the training environment."""
    from models.training.roof import Shape, under_roof

    found = [under_roof(float32.model.encoder, tokens, Shape()) for tokens in ROOF_TOKENS]
    scores = {f"roof.{each.tokens}.share": each.share for each in found}
    scores |= {f"roof.{each.tokens}.gflops": each.gflops for each in found}
    return scores | {"speed.roof": min(each.share for each in found)}


def device() -> str:
    """What this machine calls its processor, and how many cores it has."""
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text().splitlines() if cpus.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{named[0] if named else platform.machine()}, {len(named) or 'some'} cores"


def spread(stream: Sequence[Said]) -> list[Said]:
    """MOST_TURNS of ``stream``, or all of a shorter one, from all of it alike."""
    count = min(MOST_TURNS, len(stream))
    return [stream[index * len(stream) // count] for index in range(count)]
