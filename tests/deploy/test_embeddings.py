"""What is published with a catalogue: its treatments, embedded by the model that ships."""

import base64

import pytest

from deploy.embeddings import embed_treatments
from models.artifact import ArtifactError
from models.artifacts import INTENT
from models.serving import IntentModel, Utterance
from schemas.conversation import Speaker
from tests.small_catalog import small


@pytest.fixture(scope="module")
def model() -> IntentModel:
    return IntentModel.load(INTENT)


def test_every_treatment_is_embedded_as_a_turn_of_its_words_would_be(model):
    embedded = {(each.action_id, each.treatment): each.embedding for each in embed_treatments(small(), model)}
    assert [(action.id, place) for action in small().actions for place in range(len(action.treatments))] == [*embedded]
    said = model.score([Utterance(Speaker.AGENT, "I can bring your bill down.")])[0]
    assert said.embedding == embedded["keep", 1]


def test_placeholders_are_said_as_figures(model):
    embedded = {(each.action_id, each.treatment): each.embedding for each in embed_treatments(small(), model)}
    filled = model.embed(["I can bring your $24 down."])[0]
    assert base64.b64encode(filled).decode() == embedded["keep", 0]


def test_a_model_without_a_first_stage_is_refused():
    with pytest.raises(ArtifactError, match="first stage"):
        embed_treatments(small(), IntentModel.load(INTENT).without_cascade())
