"""Contracts to bytes and back. JSON, one object a record, UTF-8."""

from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from schemas.base import Contract
from schemas.errors import Malformed

T = TypeVar("T")

MAX_RECORD_BYTES = 256 * 1024
"""The largest record that is read, in bytes; a larger one is malformed. Kafka's own default bound is 1 MiB."""


def encode(contract: Contract) -> bytes:
    """The one way a contract is written: compact JSON with every field, absent values as ``null``."""
    return contract.__pydantic_serializer__.to_json(contract)


def decode(adapter: TypeAdapter[T], value: bytes | None) -> T:
    """Read `value` as what `adapter` describes.

    Raises:
        Malformed: no value, too large, not JSON, or not this contract; the message says where.
    """
    if value is None:
        raise Malformed("the record has no value; only compacted topics carry tombstones")
    if len(value) > MAX_RECORD_BYTES:
        raise Malformed(f"the record has {len(value)} bytes; at most {MAX_RECORD_BYTES} are read")
    try:
        return adapter.validate_json(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the record"
        raise Malformed(f"{where}: {first['msg']}") from None
