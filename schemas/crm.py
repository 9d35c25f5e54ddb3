"""What a conversation leaves to do elsewhere (`crm.actions.v1`): each once, by its id."""

from typing import Literal

from pydantic import Field, TypeAdapter

from schemas.base import Contract, Id, Instant
from schemas.conversation import Channel


class CrmAction(Contract):
    """One thing for the CRM to take up. Keyed by `customer_id`."""

    type: Literal["crm.action"] = "crm.action"
    crm_action_id: Id
    """From what gave rise to it alone: a second record with it is the same thing told again."""
    customer_id: Id
    conversation_id: Id | None
    kind: Literal["lead", "churn_flag", "follow_up", "channel_advice"]
    summary: str = Field(max_length=500)
    """One line for people."""
    action_id: Id | None = None
    """For a lead: the catalogue action whose moment was missed."""
    churn_risk: float | None = None
    """For a churn flag: 0 none to 2 high."""
    channel: Channel | None = None
    """For channel advice: where this customer is best met."""
    due_at: Instant | None = None
    """For a follow-up."""
    at: Instant


CRM: TypeAdapter[CrmAction] = TypeAdapter(CrmAction)
"""What `crm.actions.v1` carries."""
