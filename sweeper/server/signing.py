"""Signed addresses: the right to do one thing with one file for a while, for requests that carry no key."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass

READ_S = 24 * 3600.0
"""Seconds that an address to read holds."""
WRITE_S = 6 * 3600.0
"""Seconds in which an upload must begin: wandb-core (0.31.0) uploads at once, but many files wait for each other, and
it goes on trying while its network is away. How long the upload then takes does not matter."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes and checks the tokens of signed addresses: `USER.EXPIRES.MAC`.

    Attributes:
        secret: The server's own, kept in its database: addresses outlive a restart.
        keys_of: Gives the digests of the keys that a user has now. What was signed for a key ends with it: when it is
            rotated, and with its user.
    """

    secret: bytes
    keys_of: Callable[[int], Collection[bytes]]

    def token(self, action: str, *names: str, user_id: int, key: bytes, until: float) -> str:
        """Sign the right to one action, such as "upload", on what the names say together.

        Args:
            action: The action.
            names: On what.
            user_id: Who asks for it.
            key: The digest of the key that they ask with.
            until: When the right ends.
        """
        head = f"{user_id}.{int(until)}"
        return f"{head}.{self._mac(key, head, action, names)}"

    def holds(self, token: str, action: str, *names: str, now: float) -> bool:
        """Check a token, in constant time."""
        head, _, mac = token.rpartition(".")
        user, _, until = head.partition(".")
        if not (_is_number(user) and _is_number(until)) or int(until) < now:
            return False
        sent = mac.encode(errors="surrogatepass")
        found = [
            hmac.compare_digest(sent, self._mac(key, head, action, names).encode()) for key in self.keys_of(int(user))
        ]
        return any(found)

    def _mac(self, key: bytes, head: str, action: str, names: tuple[str, ...]) -> str:
        # a character that no name holds: "a", "bc" must not sign what "ab", "c" signs
        text = "\0".join((key.hex(), head, action, *names))
        return hmac.new(self.secret, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18
