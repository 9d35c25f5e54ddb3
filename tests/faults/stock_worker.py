"""`livecue worker …` on stock Faust's consumer instead of ours: to see that the count of the faults can fail."""

import sys
from functools import partial
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from broker.stock import StockTransport
from deploy import workers
from deploy.cli import main

workers.run_worker = partial(workers.run_worker, transport_class=StockTransport)
main()
