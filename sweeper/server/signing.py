"""Signed addresses: the right to do one thing with one file for a while, for requests that carry no key."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

LIFETIME_S = 24 * 3600.0
"""Seconds: wandb-core (0.31.0) uploads at once, but goes on trying for as long as its network is away."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes and checks the tokens of signed addresses: `EXPIRES.MAC`.

    Attributes:
        secret: The server's own, kept in its database: addresses outlive a restart.
    """

    secret: bytes

    def token(self, action: str, *names: str, now: float) -> str:
        """Sign the right to one action, such as "upload", on what the names say together."""
        expires = str(int(now + LIFETIME_S))
        return f"{expires}.{self._mac(expires, action, names)}"

    def holds(self, token: str, action: str, *names: str, now: float) -> bool:
        """Check a token, in constant time."""
        expires, _, mac = token.partition(".")
        genuine = hmac.compare_digest(mac.encode(errors="surrogatepass"), self._mac(expires, action, names).encode())
        return genuine and int(expires) >= now  # only what we signed is read as a number

    def _mac(self, expires: str, action: str, names: tuple[str, ...]) -> str:
        # a character that no name holds: "a", "bc" must not sign what "ab", "c" signs
        text = "\0".join((expires, action, *names))
        return hmac.new(self.secret, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()
