"""Which server a command talks to, and which sweep it means."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sweeper.backend import embedded_server, sdk
from sweeper.errors import BackendError, SweepNotFoundError
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.settings import Backend, BackendChoice, Settings

DEFAULT_PROJECT = "sweeper"


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
        return LastSweep(**json.loads(_last_file(settings).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # half written, or by another version: as good as none
        return None


def remember(settings: Settings, sweep: LastSweep) -> None:
    """Note which sweep was created last."""
    _last_file(settings).write_text(json.dumps(asdict(sweep)), encoding="utf-8")


def open_backend(settings: Settings, choice: BackendChoice = "auto") -> Backend:
    """Decide which W&B server to use, start the embedded one if it is that, and point the SDK at it.

    Args:
        settings: The user's environment.
        choice: `local`, `wandb`, or `auto`: W&B where there are credentials for it, else the embedded server.

    Raises:
        BackendError: `wandb` is asked for without credentials, or does not answer.
        ServerError: The embedded server does not start.
    """
    backend = chosen_backend(settings, choice)
    if backend is None:
        backend = embedded_server.backend(settings.home, embedded_server.ensure(settings.home, settings.environ))
    sdk.connect(backend, settings)
    return backend


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
        raise BackendError("no W&B credentials", fix)
    return backend


def wandb_backend(settings: Settings) -> Backend | None:
    """Describe the W&B server there are credentials for; asks the SDK only where a netrc file makes it worth 2 s.

    Raises:
        BackendError: WANDB_BASE_URL is no address.
    """
    if not settings.api_key and not settings.netrc_path:  # most people here: no import of the SDK for them
        return None
    base_url = settings.base_url or sdk.default_base_url()
    if not urlsplit(base_url).netloc:
        raise BackendError(
            f"WANDB_BASE_URL is {base_url!r}, which is no address", "write http://HOST:PORT or https://HOST"
        )
    if not settings.api_key and settings.login_key(base_url) is None:
        return None
    return Backend(kind="wandb", base_url=base_url, api_key=settings.api_key)


def other_backend(settings: Settings, url: str | None) -> Backend:
    """Describe the W&B server that results are sent to.

    A key goes to no other server than its own: WANDB_API_KEY belongs to WANDB_BASE_URL where that is set.

    Args:
        settings: The user's environment.
        url: Its address; None for the one there are credentials for.

    Raises:
        BackendError: There is no key for it, or the text is no address.
    """
    if url is None:
        backend = wandb_backend(settings)
        if backend is None:
            raise BackendError("no W&B server to send to", "give --to URL, and its key as WANDB_API_KEY")
        return backend
    if not urlsplit(url).netloc:
        raise BackendError(f"--to {url!r} is no address", "write http://HOST:PORT or https://HOST")
    url = url.rstrip("/")
    # a login was made for this very host, and WANDB_API_KEY perhaps for another
    if settings.login_key(url) is not None:
        return Backend(kind="wandb", base_url=url, api_key=settings.login_key(url))
    if settings.api_key and (settings.base_url or url).rstrip("/") == url:
        return Backend(kind="wandb", base_url=url, api_key=settings.api_key)
    fix = f"export WANDB_API_KEY (with WANDB_BASE_URL={url} or without), or run `wandb login --host {url}`"
    raise BackendError(f"no key for {url}", fix)


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
        raise SweepNotFoundError("no sweep was created yet", "create one: sweeper create sweeps/quickstart.yaml")
    # the embedded server may come back on another port; another address of W&B is another server
    if last.backend != backend.kind or (backend.kind == "wandb" and last.base_url != backend.base_url):
        fix = f"give --backend {last.backend}, or name a sweep on {backend.base_url}"
        raise SweepNotFoundError(f"the sweep created last, {last.sweep}, lives on {last.base_url}", fix)
    return SweepRef.parse(last.sweep)


def _named(settings: Settings, backend: Backend, text: str) -> SweepRef:
    # nobody types entity and project of a sweep made here; compared by name, as a pattern `*` would match any
    known = [directory for directory in SweepDir.known(settings.home) if directory.path.name == text]
    if len(known) == 1:
        return known[0].ref
    if ref := _sweep_of_run(settings, text):
        fix = f"name the sweep; a run: sweeper logs {text}, sweeper stop {ref} --run {text}, sweeper retry {ref} {text}"
        raise SweepNotFoundError(f"{text} is a run of sweep {ref}, and not a sweep", fix)
    on_wandb = backend.kind == "wandb"  # the variables name things there, not on the embedded server
    entity, project = (settings.entity, settings.project) if on_wandb else (None, None)
    if not entity and text.count("/") < 2:
        entity = sdk.default_entity()
    return SweepRef.parse(text, entity=entity or "", project=project or DEFAULT_PROJECT)


def _sweep_of_run(settings: Settings, text: str) -> SweepRef | None:
    """Find the sweep that a run of this machine belongs to: people take the one id for the other."""
    return next((one.ref for one in SweepDir.known(settings.home) if text in one.attempts()), None)


def follow_last(settings: Settings, choice: BackendChoice, sweep: str | None) -> BackendChoice:
    """Turn `auto` into the server of the sweep created last where no sweep is named."""
    last = last_sweep(settings)
    if choice != "auto" or sweep is not None or last is None:
        return choice
    return "local" if last.backend == "local" else "wandb"
