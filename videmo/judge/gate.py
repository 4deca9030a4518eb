"""When the next request may be sent: one gate for all workers, so that a rate limit that one meets is kept by all."""

import asyncio


class Gate:
    """Passes requests one after the other, at their rate, and none while it is closed.

    Args:
        requests_per_minute: The rate; None for no bound.
    """

    def __init__(self, requests_per_minute: int | None = None) -> None:
        self._interval = 60 / requests_per_minute if requests_per_minute else 0.0
        self._opens_at = float("-inf")

    def close(self, seconds: float) -> None:
        """Let nothing pass for so long; a longer time that was set before stays."""
        self._opens_at = max(self._opens_at, _now() + seconds)

    async def enter(self) -> None:
        """Wait until a request may be sent."""
        while (wait := self._opens_at - _now()) > 0:
            await asyncio.sleep(wait)
        if self._interval:
            self._opens_at = _now() + self._interval


def _now() -> float:
    return asyncio.get_running_loop().time()
