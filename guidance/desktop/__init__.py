"""The agent's and the supervisor's pages, and the browser client that other desktops embed (`desk-client.js`).

Plain files, no build step: whoever serves them serves `STATIC` under ``/static/`` as it is, ``agent.html``,
``supervisor.html`` and ``index.html`` also under ``/agent``, ``/supervisor`` and ``/``, and answers ``/config.json``.
"""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
"""The folder of the pages' files, all of them public."""
