"""What a worker can be told."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from streams.bus.connection import KafkaSettings


class WorkerSettings(BaseModel):
    """Settings of one worker process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kafka: KafkaSettings
    data_dir: Path
    """Where the worker keeps its copy of the table. A worker process of its own each; losing it costs a recovery."""
    http_port: int | None = Field(default=None, ge=0, le=65_535)
    """Port on 127.0.0.1 of /metrics, /healthz, /readyz; 0: any free one (logged); None: no such server."""
    batch_max: int = Field(default=256, ge=1, le=10_000)
    """Most records processed as one batch."""
    patience_s: float = Field(default=60.0, gt=0)
    """How long the broker may be away, in seconds, before the process ends with exit status 69."""
    watchdog_s: float = Field(default=30.0, gt=0)
    """Lag without progress for so many seconds ends the process with exit status 75."""
    stop_s: float = Field(default=5.0, gt=0)
    """A graceful stop that takes longer, in seconds, is cut short; nothing is lost by it."""
