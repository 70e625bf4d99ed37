"""A server elsewhere, whose sweeps this machine works on."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace
from pathlib import Path

from sweeper.backend import choose, sdk
from sweeper.backend.http import ask
from sweeper.backend.own_server import OwnServer, UnknownQuestionError
from sweeper.errors import BackendError
from sweeper.ref import SweepRef
from sweeper.settings import Backend, Settings

_WHO = "query Viewer { viewer { username } }"
CERTIFICATE_FILES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Where Python, Go (wandb-core) and requests look for the certificates to trust; they trust no others then."""


class UntrustedError(BackendError):
    """A server shows a certificate that nobody known here vouches for."""


@dataclass(frozen=True, slots=True)
class JoinedServer:
    """A server that this process's SDK is pointed at by now.

    Attributes:
        settings: The user's environment, without what it says of another server.
        backend: The server.
    """

    settings: Settings
    backend: Backend

    def find(self, sweep: str) -> SweepRef:
        """Find a sweep on it by `ID`, `PROJECT/ID` or `ENTITY/PROJECT/ID`.

        Raises:
            SweepNotFoundError: It is called after something else.
            BackendError: It does not answer.
        """
        return choose.resolve(self.settings, self.backend, sweep)

    def had(self, ref: SweepRef, group: str) -> int | None:
        """Ask how many runs of a sweep a group of workers has had; None where the server does not count them.

        Raises:
            SweepNotFoundError: It does not know the sweep.
            BackendError: It does not answer.
        """
        if not self.backend.own:
            return None
        try:
            found = OwnServer(self.backend, self.settings).sweep(
                ref, "CountOfGroup", "countOf(group: $group)", {"group": ("String!", group)}
            )
        except UnknownQuestionError:  # an older one
            return None
        return int(found["countOf"])


def trusting(settings: Settings, certificate: Path | None) -> Settings:
    """Have this launch and its runs trust the certificate of a server; None leaves what they trust.

    Raises:
        BackendError: There is none in that file.
    """
    if certificate is None:
        return settings
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except ssl.SSLError as error:
        fix = "give the server's own, as PEM"
        raise BackendError(f"{certificate} holds no certificate that can be read", fix) from error
    except OSError as error:
        raise BackendError(f"cannot read a certificate from {certificate}: {error.strerror}") from error
    path = str(certificate.absolute())
    return replace(settings, environ={**settings.environ, **dict.fromkeys(CERTIFICATE_FILES, path)})


def join(settings: Settings, backend: Backend) -> JoinedServer:
    """Point this process's SDK at a server elsewhere, after a look whether it answers and takes the key.

    Raises:
        BackendError: It does not.
    """
    try:
        sdk.connect(backend, settings)
        _check_certificate(backend.base_url)
        own = sdk.speaks_sweeper(backend)
    except UntrustedError:
        raise
    except BackendError as error:
        fix = "check the address (--server URL) and the network between here and there; it may be down"
        raise BackendError(error.message, fix) from error
    if not own:
        return JoinedServer(settings, backend)
    # what it says of entity and project is of another server
    settings, backend = replace(settings, entity=None, project=None), replace(backend, own=True)
    try:
        OwnServer(backend, settings).ask(_WHO, "who the key is of")
    except UnknownQuestionError:  # what asks for the sweep tells
        pass
    except BackendError as error:
        fix = "check the key (--key-file FILE): on the server's machine `sweeper server status` says where it lies"
        raise BackendError(f"{backend.base_url} does not take the key: {error.message}", fix) from error
    sdk.connect(backend, settings)
    return JoinedServer(settings, backend)


def _check_certificate(url: str) -> None:
    """Fail where a server shows a certificate that this machine does not trust; what else is wrong others tell.

    Raises:
        UntrustedError: It does.
    """
    if not url.startswith("https://"):
        return
    try:
        ask(f"{url}/healthz", timeout_s=sdk.CONNECT_TIMEOUT_S, direct=False)
    except ssl.SSLCertVerificationError as error:
        what = f"{url} shows a certificate that is not trusted here: {error.verify_message}"
        raise UntrustedError(what, "name it, if you know it: --certificate FILE") from error
    except OSError:
        pass
