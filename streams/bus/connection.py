"""How Kafka is reached: settings from the environment, once, for every client library that Livecue uses."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from streams.bus.ports import BusUnavailable

_VARIABLES = {
    "servers": "LIVECUE_KAFKA",
    "security_protocol": "LIVECUE_KAFKA_SECURITY_PROTOCOL",
    "sasl_mechanism": "LIVECUE_KAFKA_SASL_MECHANISM",
    "sasl_username": "LIVECUE_KAFKA_SASL_USERNAME",
    "sasl_password": "LIVECUE_KAFKA_SASL_PASSWORD",
    "ca_file": "LIVECUE_KAFKA_CA_FILE",
    "cert_file": "LIVECUE_KAFKA_CERT_FILE",
    "key_file": "LIVECUE_KAFKA_KEY_FILE",
}

Address = Annotated[str, StringConstraints(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$")]
"""``host:port`` or ``[ipv6]:port``."""


class KafkaSettings(BaseModel):
    """One Kafka cluster, and what it asks of its clients. The password never shows in ``repr`` or in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    servers: tuple[Address, ...] = Field(min_length=1)
    """Any of the cluster's brokers; the others are learned from them."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    """None: PLAIN where the protocol is a SASL one."""
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ca_file: Path | None = None
    """PEM file of the authorities that broker certificates are checked against; None: the machine's own."""
    cert_file: Path | None = None
    """PEM file of this client's certificate, where brokers ask for one."""
    key_file: Path | None = None
    """PEM file of its private key, unencrypted."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read the ``LIVECUE_KAFKA…`` variables; an empty one counts as unset.

        Raises:
            ValueError: ``LIVECUE_KAFKA`` is unset, a value cannot be read, or the values contradict each other.
        """
        values: dict[str, Any] = {field: environ[name] for field, name in _VARIABLES.items() if environ.get(name)}
        if "servers" not in values:
            raise ValueError("LIVECUE_KAFKA is not set: name the cluster (host:port), or run `livecue kafka start`")
        values["servers"] = tuple(part.strip() for part in values["servers"].split(",") if part.strip())
        return cls(**values)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        sasl = [
            name for name in ("sasl_mechanism", "sasl_username", "sasl_password") if getattr(self, name) is not None
        ]
        tls = [name for name in ("ca_file", "cert_file", "key_file") if getattr(self, name) is not None]
        if self.uses_sasl and (self.sasl_username is None or self.sasl_password is None):
            raise ValueError(
                f"{self.security_protocol} needs {_VARIABLES['sasl_username']} and {_VARIABLES['sasl_password']}"
            )
        if sasl and not self.uses_sasl:
            raise ValueError(f"{_VARIABLES[sasl[0]]} is set, but {self._protocol()} does not use SASL")
        if tls and not self.uses_tls:
            raise ValueError(f"{_VARIABLES[tls[0]]} is set, but {self._protocol()} does not use TLS")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError(f"{_VARIABLES['cert_file']} and {_VARIABLES['key_file']} come together or not at all")
        for name in tls:
            if not getattr(self, name).is_file():
                raise ValueError(f"{_VARIABLES[name]}: there is no file {getattr(self, name)}")
        return self

    def _protocol(self) -> str:
        return f"{_VARIABLES['security_protocol']}={self.security_protocol}"

    @property
    def uses_sasl(self) -> bool:
        return self.security_protocol.startswith("SASL_")

    @property
    def uses_tls(self) -> bool:
        return self.security_protocol.endswith("SSL")

    def ssl_context(self) -> ssl.SSLContext | None:
        """A fresh context that checks brokers' certificates and names; None where the protocol has no TLS."""
        if not self.uses_tls:
            return None
        context = ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))
        if self.cert_file is not None:
            context.load_cert_chain(self.cert_file, self.key_file)
        return context

    def for_aiokafka(self) -> dict[str, Any]:
        """Keyword arguments that aiokafka's clients share."""
        return self._arguments(list(self.servers))

    def for_kafka_python(self) -> dict[str, Any]:
        """Keyword arguments that kafka-python's clients share."""
        return self._arguments(list(self.servers))

    def _arguments(self, servers: list[str]) -> dict[str, Any]:
        arguments: dict[str, Any] = {"bootstrap_servers": servers, "security_protocol": self.security_protocol}
        if self.uses_tls:
            arguments["ssl_context"] = self.ssl_context()
        if self.uses_sasl:
            arguments["sasl_mechanism"] = self.sasl_mechanism or "PLAIN"
            arguments["sasl_plain_username"] = self.sasl_username
            arguments["sasl_plain_password"] = self.password()
        return arguments

    def password(self) -> str | None:
        """The SASL password in clear; None without SASL."""
        return None if self.sasl_password is None else self.sasl_password.get_secret_value()


def unavailable(settings: KafkaSettings, tried_s: float) -> BusUnavailable:
    """The one wording of "Kafka is not there"."""
    return BusUnavailable(
        f"Kafka does not answer at {', '.join(settings.servers)} (tried for {tried_s:.0f} s). "
        "Start one on this machine with `livecue kafka start`, or name yours: LIVECUE_KAFKA=host:port"
    )


async def wait_for_kafka(settings: KafkaSettings, timeout_s: float = 30.0) -> None:
    """Return as soon as any broker accepts a connection; tried with growing pauses, 0.1 s to 2 s.

    Raises:
        BusUnavailable: none did within `timeout_s` seconds.
    """
    started, pause_s = time.monotonic(), 0.1
    while True:
        for server in settings.servers:
            host, _, port = server.rpartition(":")
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(2.0):
                    _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
                writer.close()
                return
        if time.monotonic() - started + pause_s > timeout_s:
            raise unavailable(settings, time.monotonic() - started)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, 2.0)
