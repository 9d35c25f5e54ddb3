"""All that is versioned and comes in from outside: what a decision is made by, as it stands at one moment."""

from dataclasses import dataclass

from guidance.decision.arbitration import Levers
from guidance.decision.catalog import Catalog
from guidance.decision.echo import Echoes
from guidance.decision.propensity import Propensities


@dataclass(frozen=True, slots=True)
class Rules:
    """What is in force. Swapped whole, between two inputs, never within one."""

    catalog: Catalog
    levers: Levers | None = None
    """None: nobody has set any; the catalogue's own hold."""
    propensities: Propensities | None = None
    """None: nothing is learned yet; the means of the catalogue's priors hold, and nothing is drawn."""
    echoes: Echoes | None = None
    """What the catalogue's treatments say, for comparison. None: labels alone tell what the agent has said."""
