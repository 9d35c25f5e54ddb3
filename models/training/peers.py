"""The same encoder as others serve it, to be timed beside ours: torch eager, and the transformers pipeline.

Both on one thread, both with the pretrained weights: which numbers are multiplied does not change how long it takes.
"""

import torch
from transformers import AutoConfig, AutoTokenizer, BertForSequenceClassification, pipeline
from transformers.utils import logging

from models.training.answers import Said, Stages
from models.training.network import IntentNetwork, pretrained_folder
from models.training.speed import Contender
from models.training.task import Task


def untuned_network(stages: Stages) -> IntentNetwork:
    """A network of the artefact's shape, with its heads, as it is before training."""
    manifest = stages.manifest
    labels = manifest.intents.labels if manifest.intents else ()
    task = Task(
        labels=stages.names,
        speakers=tuple(label.speakers for label in labels),
        exclusive=manifest.intents is not None and manifest.intents.exclusive,
        sentiment=manifest.sentiment is not None,
        churn_risk=manifest.churn_risk,
    )
    torch.manual_seed(0)
    every_token = AutoConfig.from_pretrained(pretrained_folder()).vocab_size
    network = IntentNetwork(task, tuple(range(every_token)))
    network.eval()
    return network


def torch_eager(stages: Stages) -> Contender:
    """Our tokenizer, the network in torch."""
    network = untuned_network(stages)
    network.encoder.set_attn_implementation("sdpa")  # the faster one here: half precision is for training
    torch.set_num_threads(1)

    def answer(turn: Said) -> None:
        with torch.inference_mode():
            network(torch.tensor([stages.model.token_ids(turn[1])]))

    return answer


def transformers_pipeline(stages: Stages) -> Contender:
    """``pipeline("text-classification")`` over the same encoder with one head of as many labels."""
    logging.set_verbosity_error()
    model = BertForSequenceClassification.from_pretrained(pretrained_folder(), num_labels=len(stages.names))
    tokenizer = AutoTokenizer.from_pretrained(pretrained_folder())
    torch.set_num_threads(1)
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=None, device="cpu")
    most = stages.manifest.max_tokens
    return lambda turn: classify(turn[1], function_to_apply="sigmoid", truncation=True, max_length=most)
