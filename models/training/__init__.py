"""Making the intent model: data, tuning, calibration, export. Needs torch; only `deploy/model_cli.py` imports it."""
