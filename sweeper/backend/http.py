"""The few questions that we put to a server ourselves, past the SDK: over requests, which the SDK brings along."""

from __future__ import annotations

import contextlib
import json
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import ProtocolError

MAX_ANSWER_BYTES = 65536
"""What we ask for fits; whatever else answers at an address may have no end."""


class NotHttpError(OSError):
    """Somebody answers, but not in HTTP."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered.

    Attributes:
        status: Its HTTP status.
        date: Its Date header; empty if it has none.
        body: The beginning of its body, by default 64 KiB.
    """

    status: int
    date: str
    body: bytes

    def json(self) -> Any:
        """Read the answer of a server that agrees.

        Raises:
            ValueError: It refuses, or its answer is no JSON.
        """
        if not 200 <= self.status < 300:
            raise ValueError(f"HTTP status {self.status}")
        return json.loads(self.body)


def ask(
    url: str,
    *,
    timeout_s: float,
    direct: bool,
    method: str = "GET",
    body: bytes | None = None,
    key: str | None = None,
    certificate: str | None = None,
    headers: Mapping[str, str] | None = None,
    most_bytes: int = MAX_ANSWER_BYTES,
) -> Reply:
    """Put one question to a server.

    Args:
        url: Its whole address.
        timeout_s: How long it may take to connect, and then between two pieces of the answer.
        direct: Whether to go past the proxy that the environment names: what is on this machine is not behind it.
        method: The HTTP method.
        body: JSON to send along.
        key: An API key to send along; it follows no redirect to another server.
        certificate: The file of the one TLS certificate to trust, whatever its name; by default what this machine
            trusts.
        headers: Further headers.
        most_bytes: How much of the answer is read.

    Raises:
        NotHttpError: What answers there speaks something else.
        OSError: Nobody answers; its text is the cause alone.
    """
    try:
        asked = _asked(
            method, url, timeout_s, direct=direct, body=body, key=key, certificate=certificate, headers=headers
        )
        with asked as response:
            return Reply(response.status_code, response.headers.get("Date", ""), _beginning(response, most_bytes))
    except requests.RequestException as error:
        raise _cause(error) from error


def save(url: str, file: Path, *, timeout_s: float, direct: bool, key: str | None = None) -> None:
    """Write what a server has at an address to a file, which is whole if it is there.

    Args:
        url: As for `ask`.
        file: Where to; its folder is there.
        timeout_s: As for `ask`.
        direct: As for `ask`.
        key: As for `ask`.

    Raises:
        NotHttpError: What answers there speaks something else.
        OSError: Nobody answers, the server refuses, or the file cannot be written.
    """
    try:
        with (
            tempfile.TemporaryDirectory(dir=file.parent, prefix=".download.") as folder,
            _asked("GET", url, timeout_s, direct=direct, key=key) as response,
        ):
            if response.status_code != HTTPStatus.OK:
                raise OSError(f"HTTP status {response.status_code}")
            part = Path(folder) / "part"
            with part.open("wb") as target:
                for piece in response.iter_content(MAX_ANSWER_BYTES):
                    target.write(piece)
            part.replace(file)
    except requests.RequestException as error:
        raise _cause(error) from error


@contextlib.contextmanager
def _asked(
    method: str,
    url: str,
    timeout_s: float,
    *,
    direct: bool,
    body: bytes | None = None,
    key: str | None = None,
    certificate: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[requests.Response]:
    """Send a request; its answer is read piece by piece."""
    with requests.Session() as session:
        # On its own requests would send a netrc login with every question, and take the proxy for loopback addresses.
        session.trust_env = False
        session.verify = certificate or True
        if not url.startswith("http://"):  # to read what the machine trusts takes a while
            session.mount("https://", _Trusting(certificate))
        with session.request(
            method,
            url,
            data=body,
            headers={**({"Content-Type": "application/json"} if body else {}), **(headers or {})},
            auth=None if key is None else ("api", key),
            proxies={} if direct else get_environ_proxies(url),
            timeout=timeout_s,
            stream=True,
        ) as response:
            yield response


def _beginning(response: requests.Response, most: int) -> bytes:
    read = bytearray()
    for part in response.iter_content(MAX_ANSWER_BYTES):
        read += part
        if len(read) >= most:
            break
    return bytes(read[:most])


def _cause(error: requests.RequestException) -> OSError:
    """Find what happened under the layers of requests and urllib3, whose texts hold objects and no sentence."""
    if error.args and isinstance(error.args[0], ProtocolError):
        return NotHttpError(str(error.args[0].args[-1]))
    innermost: BaseException = error
    while cause := innermost.__cause__ or innermost.__context__:
        innermost = cause
    return innermost if isinstance(innermost, OSError) else OSError(str(innermost))


class _Trusting(HTTPAdapter):
    """Trusts what the machine trusts, where requests itself knows only the authorities of certifi.

    Companies put the authority of their own W&B server into the machine's store.

    Args:
        certificate: The file of the one certificate to trust instead.
    """

    def __init__(self, certificate: str | None) -> None:
        context = ssl.create_default_context(cafile=certificate)
        self._pool: dict[str, Any] = {"ssl_context": context}
        if certificate is not None:
            context.check_hostname = False
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the certificate need not be an authority's
            self._pool["assert_hostname"] = False
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        """Make the pool of connections with our context."""
        super().init_poolmanager(connections, maxsize, block, **options, **self._pool)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Make the pool behind a proxy with our context, too."""
        return super().proxy_manager_for(proxy, **options, **self._pool)
