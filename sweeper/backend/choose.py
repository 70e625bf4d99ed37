"""Which server a command talks to, and which sweep it means."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shlex import quote
from urllib.parse import urlsplit

from sweeper import private_files
from sweeper.backend import any_sweeps, embedded_server, listening, sdk
from sweeper.backend.own_server import UnknownQuestionError
from sweeper.backend.sweep_names import KnownNames
from sweeper.errors import BackendError, SweeperError, SweepNotFoundError
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.settings import Backend, BackendChoice, Settings

DEFAULT_PROJECT = "sweeper"
CLOUD = "https://api.wandb.ai"
"""Whose WANDB_API_KEY is where WANDB_BASE_URL is not set."""


@dataclass(frozen=True, slots=True)
class LastSweep:
    """The sweep created last, which the other commands take by default.

    Attributes:
        sweep: `entity/project/id`.
        backend: The kind of its server, `local` or `wandb`.
        base_url: Where the server was then.
    """

    sweep: str
    backend: str
    base_url: str


def _last_file(settings: Settings) -> Path:
    return settings.home / "last-sweep.json"


def last_sweep(settings: Settings) -> LastSweep | None:
    """Read which sweep was created last; None if none was."""
    try:
        last = LastSweep(**json.loads(_last_file(settings).read_text(encoding="utf-8")))
        SweepRef.parse(last.sweep)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, AttributeError, SweeperError):  # damaged, or by another version: as good as none
        return None
    return last


def remember(settings: Settings, sweep: LastSweep) -> None:
    """Note which sweep was created last."""
    private_files.replace(_last_file(settings), json.dumps(asdict(sweep)))


def forget(settings: Settings, ref: SweepRef) -> None:
    """Note that a sweep was deleted; if it was the one created last, the next command says so."""
    last = last_sweep(settings)
    if last is not None and last.sweep == ref.path:
        private_files.replace(_last_file(settings), json.dumps({"deleted": ref.path}))


def _deleted(settings: Settings) -> str:
    """Name the sweep created last, if it was deleted; empty if it was not."""
    try:
        noted = json.loads(_last_file(settings).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(noted.get("deleted") or "") if isinstance(noted, dict) else ""


def connect(settings: Settings, chosen: Backend | None) -> Backend:
    """Point the SDK at a server; None is the embedded one, which is started if need be.

    Raises:
        BackendError: It does not answer.
        ServerError: The embedded server does not start.
    """
    backend = chosen or embedded_server.backend(settings.home, embedded_server.ensure(settings.home, settings.environ))
    sdk.connect(backend, settings)
    return backend


def check_sweep(settings: Settings, chosen: Backend | None, text: str | None) -> None:
    """Make sure that there may be such a sweep, before a server is started to read it.

    Args:
        settings: The user's environment.
        chosen: The server; None for the embedded one.
        text: What the user wrote; None for the sweep created last.

    Raises:
        SweepNotFoundError: None was created yet, or the embedded server has no data.
    """
    if text is not None and "/" in text:
        SweepRef.parse(text, entity="-", project="-")  # of another form it is wrong wherever it is looked for
    if chosen is None:
        _check_data(settings, text)
    if text is None and last_sweep(settings) is None:
        raise _no_sweep(settings)


def has_data(settings: Settings) -> bool:
    """Whether the embedded server has had any data.

    Raises:
        SweepNotFoundError: They were deleted.
    """
    if lost_data(settings):
        _check_data(settings, None)
    return embedded_server.has_data(embedded_server.data_dir(settings.home))


def _check_data(settings: Settings, text: str | None) -> None:
    if lost := lost_data(settings):
        fix = "restore a backup: sweeper server restore FILE; or start anew: sweeper create sweeps/quickstart.yaml"
        raise SweepNotFoundError(lost, fix)
    if embedded_server.has_data(data := embedded_server.data_dir(settings.home)):
        return
    try:
        embedded_server.database(data).stat()
    except FileNotFoundError as error:  # not of another kind: a file in the place of the directory is no empty one
        raise _no_sweep(settings, text) from error


def lost_data(settings: Settings) -> str:
    """Say that the embedded server's data were deleted; empty if they are there, or never were."""
    data = embedded_server.data_dir(settings.home)
    file, last = embedded_server.database(data), last_sweep(settings)
    was_here = embedded_server.has_served(data) or (last is not None and last.backend == "local")
    if embedded_server.has_data(data) or not was_here:
        return ""
    gone = next(path for path in (data, file) if not path.exists())
    sweep = f", and with it sweep {last.sweep}" if last and last.backend == "local" else ""
    return f"the embedded server's data were deleted: {gone} is gone{sweep}"


def _no_sweep(settings: Settings, text: str | None = None) -> SweepNotFoundError:
    fix = "create one: sweeper create sweeps/quickstart.yaml"
    if not text and (deleted := _deleted(settings)):
        return SweepNotFoundError(
            f"the sweep created last, {deleted}, was deleted", "name another (`sweeper list` has them), or create one"
        )
    if _last_file(settings).exists():
        return SweepNotFoundError(f"{_last_file(settings)} does not say which sweep was created last", "name the sweep")
    named = f"there is no sweep {text}: " if text else ""
    return SweepNotFoundError(f"{named}no sweep was created yet in {settings.home} (SWEEPER_HOME)", fix)


def chosen_backend(settings: Settings, choice: BackendChoice) -> Backend | None:
    """Describe the W&B server that `--backend` means; None where it means the embedded one, which may not be running.

    Raises:
        BackendError: `wandb` is asked for without credentials, or WANDB_BASE_URL is no address.
    """
    backend = None if choice == "local" else wandb_backend(settings)
    if backend is None and choice == "wandb":
        fix = (
            "export WANDB_API_KEY (and WANDB_BASE_URL for a server of your own), run `wandb login`, "
            "or take the embedded server: --backend local"
        )
        raise BackendError(f"no W&B credentials{_unread(settings)}", fix)
    return backend


def wandb_backend(settings: Settings) -> Backend | None:
    """Describe the W&B server there are credentials for; asks the SDK only where a netrc file makes it worth 2 s.

    Raises:
        BackendError: WANDB_BASE_URL is no address.
    """
    if not settings.api_key and not settings.netrc_path:  # most people here: no import of the SDK for them
        return None
    base_url = settings.base_url or sdk.default_base_url()
    if not _is_address(base_url):
        raise BackendError(
            f"WANDB_BASE_URL is {base_url!r}, which is no address", "write http://HOST:PORT or https://HOST"
        )
    if not settings.api_key and settings.login_key(base_url) is None:
        return None
    return Backend(kind="wandb", base_url=base_url, api_key=settings.api_key)


def other_backend(
    settings: Settings, url: str | None, *, key: str | None = None, insecure_http: bool = False, option: str = "--to"
) -> Backend:
    """Describe the W&B server that a command line names.

    A key goes to no other server than its own: that of a login is its host's, WANDB_API_KEY that of WANDB_BASE_URL, or
    of W&B's cloud where that is not set.

    Args:
        settings: The user's environment.
        url: Its address; None for the one there are credentials for.
        key: Its key, where the user has named one for it.
        insecure_http: Whether the key may cross a network in the clear.
        option: What names it there, for the words of an error.

    Raises:
        BackendError: There is no key for it, the text is no address, or everybody on the way could read the key.
    """
    if url is None:
        backend = wandb_backend(settings)
        if backend is None:
            fix = f"give {option} URL, and its key by --key-file FILE"
            what = "to send to" if option == "--to" else "is named"
            raise BackendError(f"no W&B server {what}{_unread(settings)}", fix)
        return backend if key is None else replace(backend, api_key=key)
    if not _is_address(url):
        raise _no_address(url, option)
    address = urlsplit(url)
    if address.scheme != "https" and not (insecure_http or listening.is_loopback(address.hostname or "")):
        fix = "write https://, or give --insecure-http where the network is yours alone"
        raise BackendError(f"the key would go to {url} in the clear", fix)
    url = url.rstrip("/")
    # a login was made for this very host, and WANDB_API_KEY for one server
    own = settings.api_key if _is_same(url, settings.base_url or CLOUD) else None
    found = key or settings.login_key(url) or own
    if found is None:
        set_it = f"set WANDB_BASE_URL={quote(url)} beside WANDB_API_KEY"
        fix = f"give --key-file FILE, {set_it}, or run `wandb login --host {quote(url)}`"
        raise BackendError(f"no key for {url}{_unread(settings)}", fix)
    return Backend(kind="wandb", base_url=url, api_key=found)


def _is_same(url: str, other: str) -> bool:
    """Whether two addresses are those of one server, however they are written."""
    try:
        one, two = (urlsplit(text.rstrip("/")) for text in (url, other))
        ports = [address.port or {"https": 443, "http": 80}.get(address.scheme) for address in (one, two)]
    except ValueError:  # one is no address at all
        return False
    return (one.scheme, one.hostname, ports[0], one.path) == (two.scheme, two.hostname, ports[1], two.path)


def _unread(settings: Settings) -> str:
    return f" ({settings.netrc_trouble})" if settings.netrc_trouble else ""


def has_key(settings: Settings, url: str | None) -> bool:
    """Whether there is a key for the W&B server that results would be sent to; see `other_backend`.

    Raises:
        BackendError: The text is no address.
    """
    if url is not None and not _is_address(url):
        raise _no_address(url)
    try:
        other_backend(settings, url, insecure_http=True)
    except BackendError:
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a port or an IPv6 address
        return False


def _no_address(url: str, option: str = "--to") -> BackendError:
    return BackendError(f"{option} {url!r} is no address", "write http://HOST:PORT or https://HOST")


def resolve(settings: Settings, backend: Backend, text: str | None) -> SweepRef:
    """Find the sweep that is meant.

    Args:
        settings: The user's environment.
        backend: The server in use.
        text: `ID`, `PROJECT/ID` or `ENTITY/PROJECT/ID`; None for the sweep created last.

    Raises:
        SweepNotFoundError: No sweep was created yet, or the last one lives on another server.
        SweeperError: The text is no sweep's name.
    """
    if text is not None:
        return _named(settings, backend, text)
    last = last_sweep(settings)
    if last is None:
        raise _no_sweep(settings)
    # the embedded server may come back on another port; another address of W&B is another server
    other = last.backend != backend.kind or backend.kind == "wandb"
    if other and last.base_url != backend.base_url:
        fix = f"give --backend {last.backend}, or name a sweep on {backend.base_url}"
        raise SweepNotFoundError(f"the sweep created last, {last.sweep}, lives on {last.base_url}", fix)
    return SweepRef.parse(last.sweep)


def _named(settings: Settings, backend: Backend, text: str) -> SweepRef:
    # nobody types entity and project of a sweep made here; compared by name, as a pattern `*` would match any
    known = [directory for directory in SweepDir.known(settings.home) if directory.path.name == text]
    if len(known) == 1:
        return known[0].ref
    if ref := sweep_of_run(settings, text):
        on_it = f"sweeper logs {text}, sweeper show {text} --sweep {ref.quoted}, sweeper stop {ref.quoted} --run {text}"
        raise SweepNotFoundError(f"{text} is a run of sweep {ref}, and not a sweep", f"name the sweep; a run: {on_it}")
    on_wandb = backend.kind == "wandb"  # the variables name things there, not on the embedded server
    entity, project = (settings.entity, settings.project) if on_wandb else (None, None)
    if not entity and text.count("/") < 2:
        names = _own_names(settings, backend)
        if ref := _only_one(names, text):
            return ref
        entity = names.user or sdk.default_entity()
    return SweepRef.parse(text, entity=entity or "", project=project or DEFAULT_PROJECT)


def _own_names(settings: Settings, backend: Backend) -> KnownNames:
    """Ask a server of sweeper's what there is on it; nothing is known of any other."""
    try:
        server = any_sweeps.own_server(backend, settings)
        return KnownNames.ask(server.ask) if server else KnownNames()
    except (UnknownQuestionError, SweeperError):  # an older server; what is wrong with one is told by who reads it
        return KnownNames()


def _only_one(names: KnownNames, text: str) -> SweepRef | None:
    """Find a sweep by `ID` or `PROJECT/ID` in whichever project it is, if no other is called so."""
    project, _, id_ = text.strip().strip("/").rpartition("/")
    found = [one.ref for one in names.sweeps if one.ref.sweep_id == id_ and project in {"", one.ref.project}]
    return found[0] if len(found) == 1 else None


def sweep_of_run(settings: Settings, text: str) -> SweepRef | None:
    """Find the sweep that a run of this machine belongs to: people take the one id for the other."""
    return next((one.ref for one in SweepDir.known(settings.home) if text in one.attempts()), None)


def follow_last(settings: Settings, choice: BackendChoice, sweep: str | None) -> BackendChoice:
    """Turn `auto` into the server of the sweep created last where no sweep is named."""
    last = last_sweep(settings)
    if choice != "auto" or sweep is not None or last is None:
        return choice
    return "local" if last.backend == "local" else "wandb"
