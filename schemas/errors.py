"""The errors that the contracts raise."""


class Malformed(ValueError):
    """A record that cannot be read as what its topic carries.

    ``str(error)`` names the field at fault and what was expected there, never the offending text itself: that may be
    private, and this message ends up in logs and in the dead letters.
    """
