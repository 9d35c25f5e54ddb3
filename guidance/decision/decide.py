"""The decision on one final turn: all steps, in their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from guidance.decision.action import Action
from guidance.decision.arbitration import Bid, arbitrate, context_weight, lever, value
from guidance.decision.contact_policy import suppressed_because
from guidance.decision.control import choose
from guidance.decision.eligibility import ineligible_because
from guidance.decision.explanation import Fallen, explain
from guidance.decision.facts import Facts, facts_of
from guidance.decision.features import FEATURES_REVISION, Context, context_of
from guidance.decision.honour import give_way, outranks, said_of
from guidance.decision.identity import decision_id_of, prompt_id_of
from guidance.decision.propensity import believe, propensity
from guidance.decision.rules import Rules
from guidance.decision.settlement import ended, retracted_because, settle
from guidance.decision.state import CustomerState, LiveConversation, LivePrompt
from guidance.decision.treatment import reasons, treat
from guidance.decision.trigger import called_for
from schemas.guidance import ActionKind, Decision, Fate, Prompt, PromptEnding, PromptState, ServiceLevel, Versions
from schemas.intent import ScoredTurn


@dataclass(frozen=True, slots=True)
class _Moment:
    """All that a turn is weighed with."""

    state: CustomerState
    conversation: LiveConversation
    """As the turn left it, without the prompts that it ended."""
    turn: ScoredTurn
    rules: Rules
    facts: Facts
    context: Context
    now: datetime
    seed: int
    ended: dict[str, str]
    """Actions whose prompt this very turn ended by what was said, and why."""


def decide(
    state: CustomerState,
    turn: ScoredTurn,
    rules: Rules,
    *,
    partition: int,
    now: datetime,
    seed: int,
) -> Decision:
    """What to say on `turn`, a final one that is folded into `state` already.

    `partition` is the one that its route key hashes to, `now` its record's Kafka timestamp. Without scores (rules
    only) nothing but triggers by phrases and facts fires. The same arguments give the same decision, byte for byte.
    """
    catalog, levers, propensities = rules.catalog, rules.levers, rules.propensities
    conversation = state.live.get(turn.conversation_id)
    decision_id = decision_id_of(partition, turn)
    endings: tuple[PromptEnding, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    winner: Bid | None = None
    if conversation is None:
        over = [Fallen(action, Fate.SUPPRESSED, "the conversation is over") for action in catalog.actions]
        candidates = explain((), (), over, {}, None, None)
    else:
        endings = settle(state, conversation, turn, catalog, now)
        moment = _moment(state, conversation, turn, rules, now, seed, endings)
        standing = moment.conversation.live
        ranked, pinned, fallen = _weigh_all(moment)
        choice = choose(ranked, _to_beat(ranked, moment), catalog.policy.supersede_margin, conversation.group, seed)
        winner = choice.winner
        at_random = conversation.group == "control"
        candidates = explain(ranked, pinned, fallen, choice.probabilities, winner, standing, at_random=at_random)
        issued = pinned if winner is None else [winner, *pinned]
        prompts = tuple(_prompt(bid, moment, decision_id) for bid in issued)
        if winner is not None and standing is not None:
            endings = (*endings, ended(standing.prompt, PromptState.SUPERSEDED, "something better"))
    return Decision(
        decision_id=decision_id,
        input_id=turn.input_id,
        turn_id=turn.turn.turn_id,
        conversation_id=turn.conversation_id,
        route_key=turn.route_key,
        customer_id=turn.customer_id,
        agent_id=turn.agent_id,
        sequence=max(1, state.sequence),
        now=now,
        seed=seed,
        service_level=ServiceLevel.RULES_ONLY if turn.scores is None else ServiceLevel.ALL_WELL,
        versions=Versions(
            catalog=catalog.version,
            model=None if turn.scores is None else turn.scores.model_revision,
            levers=None if levers is None else levers.version,
            propensities=None if propensities is None else propensities.version,
            echoes=None if rules.echoes is None else rules.echoes.model_revision,
            features=FEATURES_REVISION,
        ),
        candidates=candidates,
        winner=None if winner is None else winner.action.id,
        group=None if conversation is None else conversation.group,
        prompts=prompts,
        endings=endings,
    )


def _moment(
    state: CustomerState,
    conversation: LiveConversation,
    turn: ScoredTurn,
    rules: Rules,
    now: datetime,
    seed: int,
    endings: Sequence[PromptEnding],
) -> _Moment:
    handed_over = {prompt.prompt_id for prompt in conversation.prompts if prompt.agent_id != conversation.agent_id}
    facts = facts_of(rules.catalog.facts, state, conversation, now)
    return _Moment(
        state=state,
        conversation=conversation.without(frozenset(ending.prompt_id for ending in endings)),
        turn=turn,
        rules=rules,
        facts=facts,
        context=context_of(state, conversation, facts),
        now=now,
        seed=seed,
        ended={
            ending.action_id: ending.reason
            for ending in endings
            if ending.state is not PromptState.EXPIRED and ending.prompt_id not in handed_over
        },
    )


def _weigh_all(moment: _Moment) -> tuple[tuple[Bid, ...], list[Bid], list[Fallen]]:
    """The bids in arbitration's order, the compliance actions to be pinned, and those that fell earlier."""
    bids: list[Bid] = []
    pinned: list[Bid] = []
    fallen: list[Fallen] = []
    for action in moment.rules.catalog.actions:
        weighed = _weigh(action, moment, len(pinned))
        if isinstance(weighed, Fallen):
            fallen.append(weighed)
        elif action.kind is ActionKind.COMPLIANCE:
            pinned.append(weighed)
        else:
            bids.append(weighed)
    kept, gave_way = give_way(bids, moment.conversation.live, moment.state.journey, moment.now)
    return arbitrate(kept), pinned, [*fallen, *gave_way]


def _weigh(action: Action, moment: _Moment, newly_pinned: int) -> Bid | Fallen:
    catalog, conversation, facts = moment.rules.catalog, moment.conversation, moment.facts
    call = called_for(action, moment.turn, conversation, facts)
    if call is None:
        return Fallen(action, Fate.NOT_TRIGGERED, "nothing said calls for it")
    if (why := ineligible_because(action, conversation, facts)) is not None:
        return Fallen(action, Fate.INELIGIBLE, why)
    if (why := moment.ended.get(action.id)) is not None:
        return Fallen(action, Fate.SUPPRESSED, f"just ended: {why}")
    why = suppressed_because(
        action, catalog.policy, moment.state, conversation, moment.turn, moment.now, newly_pinned=newly_pinned
    )
    if why is not None:
        return Fallen(action, Fate.SUPPRESSED, why)
    if (why := retracted_because(action, moment.turn)) is not None:
        return Fallen(action, Fate.SUPPRESSED, f"not on a turn like this: {why}")
    worth = value(action, moment.rules.levers)
    if worth <= 0.0 and action.kind is not ActionKind.COMPLIANCE:
        return Fallen(action, Fate.SUPPRESSED, "costs more than it is worth, as the levers are set")
    honours = moment.state.journey.open_offer(action.id, moment.now) is not None
    wording = treat(action, conversation, facts, catalog.currency, honours_offer=honours)
    if isinstance(wording, str):
        return Fallen(action, Fate.INELIGIBLE, wording)
    issued = conversation.issued.get(action.id, 0)
    competes = action.kind is not ActionKind.COMPLIANCE
    propensities = moment.rules.propensities if competes else None
    belief = believe(action, call, issued, moment.context, propensities)
    return Bid(
        action=action,
        call=call,
        wording=wording,
        belief=belief,
        propensity=propensity(action.id, belief, moment.seed),
        context_weight=context_weight(action, facts),
        value=worth,
        lever=lever(action, moment.rules.levers),
    )


def _to_beat(ranked: Sequence[Bid], moment: _Moment) -> LivePrompt | None:
    """The live prompt, unless an open offer of its kind takes its place whatever it is worth."""
    standing, journey = moment.conversation.live, moment.state.journey
    if standing is None or moment.conversation.group == "control":
        return standing
    return None if any(outranks(bid, standing, journey, moment.now) for bid in ranked) else standing


def _prompt(bid: Bid, moment: _Moment, decision_id: str) -> Prompt:
    action, turn, conversation = bid.action, moment.turn, moment.conversation
    assert conversation.agent_id is not None  # the contact policy suppresses all while nobody has it
    noted = said_of(moment.state.journey, action.id, moment.now)
    return Prompt(
        prompt_id=prompt_id_of(decision_id, action.id),
        decision_id=decision_id,
        conversation_id=turn.conversation_id,
        route_key=turn.route_key,
        agent_id=conversation.agent_id,
        action_id=action.id,
        kind=action.kind,
        title=action.title,
        words=bid.wording.words,
        steps=bid.wording.steps,
        why=reasons(action, bid.call.why, noted, moment.facts, moment.rules.catalog.currency),
        channel=conversation.channel,
        language=bid.wording.language,
        pinned=action.kind is ActionKind.COMPLIANCE,
        turn_id=turn.turn.turn_id,
        turn_ended_at=turn.turn.ended_at,
        created_at=moment.now,
        expires_at=turn.turn.ended_at + timedelta(seconds=action.expires_after_s),
    )
