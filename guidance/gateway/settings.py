"""What a gateway can be told."""

import ipaddress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from streams.bus.connection import KafkaSettings


class GatewaySettings(BaseModel):
    """Settings of one gateway process."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kafka: KafkaSettings
    host: str = "127.0.0.1"
    """Address to listen on; with the development token a loopback one only."""
    http_port: int = Field(default=8780, ge=0, le=65_535)
    """Of the pages, health and metrics; 0: any that is free."""
    desk_port: int = Field(default=0, ge=0, le=65_535)
    """Of the desks' websockets; 0: any that is free."""
    token: SecretStr = Field(min_length=8)
    """The development token that every desk shows."""
    api_key: SecretStr | None = Field(default=None, min_length=16)
    """What callers of the decision API show; None: the API is switched off."""
    origins: tuple[str, ...] = ()
    """Origins of pages that may connect besides the gateway's own; desks that are no browser send none."""
    queue_max: int = Field(default=1000, ge=1)
    """Records that may wait for a desk which does not read, before it is asked to come again."""
    window: int = Field(default=20_000, ge=0)
    """Desk records kept in memory, for at most 15 minutes, for desks that come back; older ones are read from Kafka."""
    pages: Path | None = None
    """Where the pages' files lie; None: those of the package."""

    @model_validator(mode="after")
    def _loopback_only(self) -> "GatewaySettings":
        if self.host != "localhost" and not ipaddress.ip_address(self.host).is_loopback:
            raise ValueError(
                f"refusing to listen on {self.host}: the development token protects nobody on a network. "
                "Listen on 127.0.0.1, and put an authenticating proxy before it"
            )
        return self
