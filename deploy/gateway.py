"""A gateway, put together."""

import asyncio
import os
import secrets

from pydantic import SecretStr

from deploy.workers import log_to_stderr
from guidance.gateway.server import run_gateway
from guidance.gateway.settings import GatewaySettings
from streams.bus.connection import KafkaSettings


def run(kafka: KafkaSettings, host: str, port: int, desk_port: int) -> None:
    """Serve desks and pages until SIGTERM. The token is ``LIVECUE_TOKEN``, or a new one, printed with the addresses.

    With ``LIVECUE_API_KEY`` set (16 characters or more), automated channels are answered at ``POST /v1/decisions``.

    Raises:
        ValueError: `host` is not a loopback address.
        BusUnavailable, LookupError: as `guidance.gateway.server.gateway`.
    """
    log_to_stderr()
    token = os.environ.get("LIVECUE_TOKEN")
    if not token:
        token = secrets.token_urlsafe(12)
        print(f"agent page       http://{host}:{port}/agent?agent=NAME#token={token}")
        print(f"supervisor page  http://{host}:{port}/supervisor#token={token}", flush=True)
    key = os.environ.get("LIVECUE_API_KEY")
    settings = GatewaySettings(
        kafka=kafka, host=host, http_port=port, desk_port=desk_port, token=SecretStr(token),
        api_key=SecretStr(key) if key else None,
    )  # fmt: skip
    asyncio.run(run_gateway(settings))
