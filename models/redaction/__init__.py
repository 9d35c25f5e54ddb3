"""What must not be stored, taken out of turns before anything is written: pure, linear, and with a memory that holds
no digits."""

from models.redaction.kinds import Kind
from models.redaction.memory import Memory
from models.redaction.redacting import redact

__all__ = ["Kind", "Memory", "redact"]
