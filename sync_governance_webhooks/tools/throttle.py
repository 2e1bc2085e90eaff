"""Token bucket: how many requests a rate limit allows now."""

from dataclasses import dataclass


@dataclass
class Bucket:
    """``rate`` tokens a second, at most ``burst`` kept; a rate of 0 never limits.

    Times are seconds of any monotone clock that the caller keeps to.
    """

    rate: float
    burst: float
    tokens: float = 0.0
    updated: float = 0.0

    def take(self, now: float) -> bool:
        """Use one token if there is one."""
        if not self.rate:
            return True
        self._refill(now)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def wait(self, now: float) -> float:
        """Seconds until the next token."""
        if not self.rate:
            return 0.0
        self._refill(now)
        return max(0.0, (1 - self.tokens) / self.rate)

    def _refill(self, now: float) -> None:
        # A clock that steps back refills nothing rather than taking tokens away.
        elapsed = max(0.0, now - self.updated)
        self.tokens = min(self.burst, self.tokens + elapsed * self.rate)
        self.updated = now
