"""A small catalogue for tests of the core, and how to change it."""

from guidance.decision.catalog import Catalog, parse_catalog

TEXT = """\
id: small
name: Small
policy:
  most_prompts_per_conversation: 4
facts:
  tenure_months: {type: number, about: months a customer}
  monthly_bill: {type: money, about: latest bill}
  products: {type: list, about: what they have}
  tenure_years: {type: number, about: full years, is: floor(tenure_months / 12)}
defaults:
  retention:
    retracted_by: {declines_offer: said no}
actions:
  keep:
    kind: retention
    title: Keep them
    triggers:
      - {intent: cancel_service, why: wants to leave}
    eligible_if: [tenure_months >= 12]
    reasons: ["{tenure_years} yrs a customer"]
    prior: 0.5
    value: 100
    cost: 20
    cooldown_minutes: 10
    expires_after_s: 60
    context:
      - {when: churn_risk >= 1.5, times: 1.5}
    treatments:
      - {channels: [voice], words: "I can bring your {monthly_bill} down.", steps: ["On {products}", Say thanks]}
      - {channels: [voice], words: I can bring your bill down.}
  review:
    kind: retention
    title: Review
    triggers:
      - {intent: cancel_service, why: wants to leave}
      - {phrases: [close my account], why: asks to close}
    prior: 0.3
    value: 100
    expires_after_s: 60
    treatments:
      - {channels: [voice, chat], words: Let us look at your plan together.}
  calm:
    kind: coaching
    title: Calm
    triggers:
      - {intent: escalation, why: wants a supervisor}
    fulfilled_by: [apologises]
    prior: 0.9
    value: 200
    expires_after_s: 40
    treatments:
      - {channels: [voice, chat], words: You are right to be upset.}
  record:
    kind: compliance
    title: Recording
    channels: [voice]
    triggers:
      - {when: turns >= 1, why: must be said first}
    fulfilled_by: [discloses_recording]
    prior: 0.9
    value: 1
    expires_after_s: 600
    treatments:
      - {channels: [voice], words: This call is recorded.}
"""


def small() -> Catalog:
    """The small catalogue."""
    return parse_catalog(TEXT)


def changed(*pairs: tuple[str, str]) -> Catalog:
    """The small catalogue with texts replaced, each of which must be there."""
    return parse_catalog(changed_text(*pairs))


def changed_text(*pairs: tuple[str, str]) -> str:
    """Its text, likewise."""
    text = TEXT
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return text
