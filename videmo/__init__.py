"""videmo: emotion-centric video language models on Qwen2.5-VL, after VidEmo (NeurIPS 2025)."""

import logging
import os

# Waiting threads sleep instead of spinning: on a machine whose cores are shared (by decoding workers, or by others) a
# training step was seen to take 0.5 s instead of 5 s. They first spin for some microseconds, as a small model's
# operations follow each other faster than a thread wakes (1.5 times the speed). OpenMP reads this once, when torch is
# first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

# On import bitsandbytes warns of an optional CPU kernel from a hub; only before that can it be kept quiet.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)

__version__ = "0.2.0"
