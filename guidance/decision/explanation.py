"""Why, and why not: every action of the catalogue in words, with its numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from guidance.decision.action import Action
from guidance.decision.arbitration import Bid
from guidance.decision.features import as_logged
from guidance.decision.state import LivePrompt
from schemas.guidance import ActionKind, Candidate, Fate


@dataclass(frozen=True, slots=True)
class Fallen:
    """An action that did not get as far as arbitration."""

    action: Action
    fate: Fate
    reason: str


def explain(
    ranked: Sequence[Bid],
    pinned: Sequence[Bid],
    fallen: Sequence[Fallen],
    chances: Mapping[str, float],
    winner: Bid | None,
    standing: LivePrompt | None,
    *,
    at_random: bool = False,
) -> tuple[Candidate, ...]:
    """One candidate an action: the ranked in arbitration's order, then the others by id.

    `chances` are the ranked ones' selection probabilities by action. `standing` is the live prompt that the winner had
    to beat, or that nothing beat; None: the desk was free. `at_random`: chance chose, for a control conversation.
    """
    rest = [
        *(_numbered(bid, Fate.PINNED, f"pinned: {bid.call.why[0]}") for bid in pinned),
        *(_fallen(each.action.id, each.action.kind, each.fate, each.reason) for each in fallen),
    ]
    rest.sort(key=lambda candidate: candidate.action_id)
    weighed = (
        _numbered(bid, *_fate(bid, winner, ranked, standing, at_random=at_random), chances.get(bid.action.id))
        for bid in ranked
    )
    return (*weighed, *rest)


@lru_cache(maxsize=4096)
def _fallen(action_id: str, kind: ActionKind, fate: Fate, reason: str) -> Candidate:
    """Most of a catalogue falls, turn after turn, for the same few reasons."""
    return Candidate(action_id=action_id, kind=kind, fate=fate, reason=reason)


def _fate(
    bid: Bid, winner: Bid | None, ranked: Sequence[Bid], standing: LivePrompt | None, *, at_random: bool
) -> tuple[Fate, str]:
    if at_random and bid is winner:
        return Fate.WON, f"won: drawn at random among {len(ranked)}, as this is the control group"
    if at_random and winner is not None:
        return Fate.LOST, f"lost to {winner.action.id}, drawn at random: the control group"
    if at_random and standing is not None:
        return Fate.LOST, f"lost to the live {standing.prompt.action_id}, which stays: the control group"
    if bid is winner:
        runner_up = next((other for other in ranked if other is not bid), None)
        over = "unopposed" if runner_up is None else f"{bid.priority:.2f} over {_named(runner_up)}"
        over = over if standing is None else f"{over}; replaces {standing.prompt.action_id} {standing.priority:.2f}"
        return Fate.WON, f"won: {over}"
    if winner is not None:
        return Fate.LOST, f"lost to {_named(winner)} with {bid.priority:.2f}"
    if standing is not None:
        return (
            Fate.LOST,
            f"lost to the live {standing.prompt.action_id} {standing.priority:.2f} with {bid.priority:.2f}",
        )
    raise AssertionError("with a free desk the first of the ranked wins")


def _named(bid: Bid) -> str:
    return f"{bid.action.id} {bid.priority:.2f}"


def _numbered(bid: Bid, fate: Fate, reason: str, chance: float | None = None) -> Candidate:
    return Candidate(
        action_id=bid.action.id,
        kind=bid.action.kind,
        fate=fate,
        reason=reason,
        propensity=round(bid.propensity, 6),
        context_weight=round(bid.context_weight, 6),
        value=round(bid.value, 6),
        lever=round(bid.lever, 6),
        priority=round(bid.priority, 6),
        selection_probability=chance,
        posterior=bid.belief.posterior,
        features=() if fate is Fate.PINNED else as_logged(bid.belief.features),
    )
