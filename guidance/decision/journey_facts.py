"""Facts that come of the journey: what was tried before, what is on offer, what worked. See `facts.JOURNEY_FACTS`.

Earlier contacts: those within 14 days that were about a problem, or a failed attempt to help oneself, and were not
solved (`Journey.unsolved_contacts`). A conversation that goes on is none of them.
"""

from collections import Counter
from datetime import datetime, timedelta

from guidance.decision import labels
from guidance.decision.churn import journey_risk
from guidance.decision.journey import SELF_SERVICE
from guidance.decision.past import Journey
from guidance.decision.state import CustomerState, LiveConversation
from schemas.customer import Fact

REFUSALS_TOLD_FOR = timedelta(days=90)


def journey_facts(customer: CustomerState, conversation: LiveConversation, now: datetime) -> dict[str, Fact]:
    """Those of them that are known of `customer` in `conversation` at `now`."""
    journey = customer.journey
    problems = labels.PROBLEMS & conversation.heard.keys()
    earlier = journey.unsolved_contacts(now, besides=customer.live)
    over = (contact for contact in journey.contacts if contact.contact_id not in customer.live)
    told: dict[str, Fact] = {
        "vulnerable": journey.is_vulnerable(now),
        "recent_contacts": len(earlier),
        "repeat_contact": labels.REPEAT_CONTACT in problems
        or any(problems.intersection(contact.problems) for contact in earlier),
        "tried_channels": tuple(dict.fromkeys(contact.channel.value for contact in reversed(earlier))),
        "failed_self_service": any(contact.channel in SELF_SERVICE for contact in earlier),
        "journey_churn_risk": journey_risk(conversation.churn_pressure, over, now),
        "open_offers": tuple(sorted(each for each in journey.offers if journey.open_offer(each, now) is not None)),
        "refused_offers": tuple(
            sorted(each for each, refusal in journey.refusals.items() if now - refusal.at < REFUSALS_TOLD_FOR)
        ),
    }
    best = best_channel(journey, problems)
    return told if best is None else {**told, "best_channel": best}


def best_channel(journey: Journey, problems: frozenset[str]) -> str | None:
    """The channel on which most was solved, of equals the one where something was solved last.

    Of the remembered contacts those count that solved one of `problems`; where there is none, all that solved anything.
    None: nothing was solved, anywhere.
    """
    solved = [contact for contact in journey.contacts if contact.solved]
    worked = [contact for contact in solved if problems.intersection(contact.problems)] or solved
    times = Counter(contact.channel.value for contact in worked)
    last = {contact.channel.value: place for place, contact in enumerate(worked)}
    return max(times, key=lambda channel: (times[channel], last[channel]), default=None)
