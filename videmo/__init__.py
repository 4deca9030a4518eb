"""videmo: emotion-centric video language models on Qwen2.5-VL, after VidEmo (NeurIPS 2025)."""

import logging
from importlib.metadata import PackageNotFoundError, version

# On import bitsandbytes warns of an optional CPU kernel from a hub; before it is imported is the only time to stop that.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)

try:
    __version__ = version("videmo")
except PackageNotFoundError:  # running from a source tree that was never installed
    __version__ = "0.0.0"
