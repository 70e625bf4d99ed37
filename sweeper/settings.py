"""What the user's environment says: the only module that reads it.

`os.environ` is read once, at the start: importing wandb writes to it (WANDB_SERVICE and more), and a child that
inherited that would talk to our SDK process instead of its own.
"""

from __future__ import annotations

import netrc
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

import platformdirs

from sweeper.errors import SweeperError
from sweeper.machine_errors import refusal

BackendChoice = Literal["auto", "local", "wandb"]

# What names one run or one SDK process: a child that inherited it would overwrite that run.
_ONE_RUN = ("WANDB_RUN_ID", "WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH", "WANDB_RESUME", "WANDB_SERVICE", "WANDB_NAME")
_PACE = "FILE_STREAM_TRANSMIT_INTERVAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The environment, read.

    Attributes:
        home: Our state directory: `SWEEPER_HOME`, else the platform's user data directory.
        base_url: `WANDB_BASE_URL`; None where it is not set.
        api_key: `WANDB_API_KEY`; None where it is not set.
        entity: `WANDB_ENTITY`.
        project: `WANDB_PROJECT`.
        debug: Whether `SWEEPER_DEBUG=1` asks for tracebacks.
        environ: All of it, as it was at the start.
    """

    home: Path
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    entity: str | None = None
    project: str | None = None
    debug: bool = False
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read a copy of the environment; the process's own by default.

        Raises:
            SweeperError: SWEEPER_HOME names no directory that could be used.
        """
        env = dict(os.environ if environ is None else environ)  # noqa: TID251 this is the one reader
        return cls(
            home=_home(env.get("SWEEPER_HOME") or platformdirs.user_data_dir("sweeper", appauthor=False)),
            base_url=env.get("WANDB_BASE_URL") or None,
            api_key=env.get("WANDB_API_KEY") or None,
            entity=env.get("WANDB_ENTITY") or None,
            project=env.get("WANDB_PROJECT") or None,
            debug=asks_for_tracebacks(env),
            environ=env,
        )

    @property
    def netrc_path(self) -> Path | None:
        """The netrc file, where `wandb login` keeps keys; None if there is none."""
        places = (self.environ.get("NETRC"), "~/.netrc", "~/_netrc")
        # os.path: a name that cannot be looked up is none that is there
        paths = (os.path.expanduser(place) for place in places if place)  # noqa: PTH111
        return next((Path(path) for path in paths if os.path.isfile(path)), None)  # noqa: PTH113

    def login_key(self, base_url: str) -> str | None:
        """Read the key for the W&B server at `base_url` from the netrc file; None if there is none."""
        host = urlsplit(base_url).hostname
        logins, _ = self._logins()
        login = logins.hosts.get(host) if logins and host else None  # not its `default`: that key is some other host's
        return login[2] if login else None

    @property
    def netrc_trouble(self) -> str:
        """Why the netrc file cannot be read, so that its logins count for nothing; empty if it can, or is not there."""
        return self._logins()[1]

    def _logins(self) -> tuple[netrc.netrc | None, str]:
        path = self.netrc_path
        if path is None:
            return None, ""
        try:
            return netrc.netrc(path), ""
        except OSError as error:  # others write this file: what is wrong with it is no reason to stop
            return None, refusal(error).message
        except netrc.NetrcParseError as error:
            return None, f"{path} is no netrc file: {error.msg}, line {error.lineno}"
        except UnicodeError:
            return None, f"{path} is no netrc file: it is not text in UTF-8"


def private_setting(name: str, value: str) -> dict[str, str]:
    """Write one of the SDK's private settings: under `WANDB_X_` it is read since 0.19, under `WANDB__` by every SDK."""
    return {f"WANDB_X_{name}": value, f"WANDB__{name}": value}


def read_private(environ: Mapping[str, str], name: str) -> str | None:
    """Read what the user has set of one of the SDK's private settings, under either name; None if nothing."""
    return environ.get(f"WANDB_X_{name}") or environ.get(f"WANDB__{name}") or None


def asks_for_tracebacks(environ: Mapping[str, str] | None = None) -> bool:
    """Whether `SWEEPER_DEBUG=1` is set, in the process's own environment by default."""
    return (os.environ if environ is None else environ).get("SWEEPER_DEBUG") == "1"  # noqa: TID251 as above


def _home(text: str) -> Path:
    """Turn a name of the state directory into an absolute path."""
    fix = "set SWEEPER_HOME to the absolute path of a directory of yours, named in UTF-8"
    try:
        text.encode()  # the SDK (0.31) and its service cannot use another
        return Path(text).expanduser().absolute()
    except UnicodeEncodeError as error:
        raise SweeperError(f"SWEEPER_HOME is {os.fsencode(text)!r}, which is no UTF-8", fix) from error
    except RuntimeError as error:  # `~nobody/x`
        raise SweeperError(f"SWEEPER_HOME is {text}: there is no such user, or they have no home", fix) from error
    except FileNotFoundError as error:
        raise SweeperError(f"SWEEPER_HOME is {text}, in a current directory that was deleted", fix) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The W&B server that a command talks to.

    Attributes:
        kind: `local` is our embedded server, `wandb` any other: the cloud or a self-hosted one.
        base_url: Its address.
        api_key: The key, where it does not come from the user's own login.
        certificate: The file of the TLS certificate to trust, where it is one of the server's own making.
        own: Whether it is known to be a server of sweeper's, on whichever machine.
        job: What its scheduler calls the job that it is; empty where it is none.
    """

    kind: Literal["local", "wandb"]
    base_url: str
    api_key: str | None = field(default=None, repr=False)
    certificate: str | None = None
    own: bool = False
    job: str = ""

    def environ(self, user: Mapping[str, str]) -> dict[str, str]:
        """Make the environment in which the wandb SDK talks to this server.

        Args:
            user: The user's environment; what it says about logging and speed wins over ours.
        """
        env = {name: value for name, value in user.items() if name not in _ONE_RUN}
        env["WANDB_BASE_URL"] = self.base_url
        if self.api_key:
            env["WANDB_API_KEY"] = self.api_key
        if self.certificate:  # wandb-core and Python's ssl read the first, requests the second
            env["SSL_CERT_FILE"] = env["REQUESTS_CA_BUNDLE"] = self.certificate
        if self.kind == "local" or self.own:
            for name in ("WANDB_ENTITY", "WANDB_PROJECT"):
                env.pop(name, None)  # they name things on the user's other server
            # WANDB_MODE=offline is common on clusters without internet; here the server is at hand
            env["WANDB_MODE"] = "online"
            # requests, which downloads files, sends even loopback through a proxy (wandb 0.31)
            direct = env.get("NO_PROXY") or env.get("no_proxy")
            env["NO_PROXY"] = env["no_proxy"] = ",".join(filter(None, ["127.0.0.1,localhost", direct]))
            env.setdefault("WANDB_ERROR_REPORTING", "false")
            # early stopping sees metrics at this pace; the SDK's own is 15 s
            pace = read_private(env, _PACE) or "1"
            env |= private_setting(_PACE, pace)
        return env
