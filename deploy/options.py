"""Options that several commands have, said once."""

from typing import Annotated

import typer

Kafka = Annotated[
    str | None,
    typer.Option(
        "--kafka", envvar="LIVECUE_KAFKA", help="host:port of the cluster. Default: the local one, if it runs."
    ),
]
"""The cluster to talk to; None: `deploy.settings.cluster` takes the local one."""
