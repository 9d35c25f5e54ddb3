"""What is taken out, and what stands in its place."""

from enum import StrEnum


class Kind(StrEnum):
    """A sort of private thing; its value is the word in the marker."""

    CARD = "CARD"
    """Card numbers and their expiry."""
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    ACCOUNT = "ACCOUNT"
    """Bank and customer account numbers, sort codes, IBANs."""
    DOB = "DOB"
    """Dates of birth and memorable dates."""
    PIN = "PIN"
    """PINs, card security codes, passwords, memorable words."""
    NUMBER = "NUMBER"
    """National ids, and long numbers of an unknown sort."""

    @property
    def marker(self) -> str:
        """What the text says instead: `[CARD]`."""
        return f"[{self.value}]"
