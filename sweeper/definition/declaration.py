"""What a trainer declares to know: beside its function, `CONFIG` and `METRICS`.

`CONFIG` (a pydantic model or dataclass) has the parameters it reads, with their defaults; `METRICS` are the keys it
logs. A sweep file can then be checked against it before any run.
"""

from __future__ import annotations

import dataclasses
import importlib
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from sweeper.definition.program import DEFAULT_TRAINER, here, is_shipped
from sweeper.errors import TrainerError


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a trainer says about itself.

    Attributes:
        target: `package.module:function`.
        config: Its parameters, as a pydantic model or dataclass; None if it does not say.
        metrics: What it logs; None if it does not say.
    """

    target: str
    config: type[Any] | None = None
    metrics: tuple[str, ...] | None = None

    @property
    def defaults(self) -> Mapping[str, Any]:
        """Each parameter's default; `...` where it has none."""
        if self.config is None:
            return {}
        if issubclass(self.config, BaseModel):
            fields = self.config.model_fields.items()
            return {
                name: ... if field.is_required() else field.get_default(call_default_factory=True)
                for name, field in fields
            }
        made = dataclasses.fields(self.config)
        return {field.name: _default(field) for field in made}

    @property
    def takes_anything(self) -> bool:
        """Whether it declares no parameters, or takes others as well."""
        model = self.config
        return model is None or (issubclass(model, BaseModel) and model.model_config.get("extra") == "allow")

    def takes_real(self, name: str) -> bool:
        """Whether a parameter is declared as a real number."""
        if self.config is None:
            return False
        try:
            kinds = typing.get_type_hints(self.config)
        except (NameError, TypeError):  # a type that is only there for a type checker
            return False
        kind = kinds.get(name)
        return float in {kind, *typing.get_args(kind)}

    def refusal(self, name: str, value: Any) -> str | None:
        """Say why the trainer would refuse a parameter's value; None if it takes it, or cannot say."""
        if self.config is None or not issubclass(self.config, BaseModel):
            return None
        try:
            # the other parameters take their defaults; what is wrong with those is no fault of this one
            self.config.model_validate({name: value})
        except ValidationError as error:
            own = [detail["msg"] for detail in error.errors(include_url=False) if detail["loc"][:1] == (name,)]
            return own[0] if own else None
        return None


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return ... if field.default_factory is dataclasses.MISSING else field.default_factory()


def declared(asked: str | None, program: str | None) -> Declaration | None:
    """Import a trainer that the user names, or the shipped one, and read what it declares.

    A file's own `program:` is not imported: checking a file must not run code that the file chose.

    Args:
        asked: What the user gave as `--trainer`.
        program: The file's `program:`.

    Returns:
        None if nobody but the file names the trainer.

    Raises:
        TrainerError: The trainer the user names cannot be imported, or declares nonsense.
    """
    if asked is None and not is_shipped(program):
        return None
    target = asked or DEFAULT_TRAINER
    name = target.partition(":")[0]
    try:
        with here():
            module = importlib.import_module(name)
    except (Exception, SystemExit) as error:  # a script ends the program that imports it
        raise TrainerError(f"cannot import {name}: {type(error).__name__}: {error}", "mend the module") from error
    return _read(target, getattr(module, "CONFIG", None), getattr(module, "METRICS", None))


def _read(target: str, config: Any, metrics: Any) -> Declaration:
    known = config is None or (
        isinstance(config, type) and (issubclass(config, BaseModel) or dataclasses.is_dataclass(config))
    )
    if not known:
        raise TrainerError(f"{target}: CONFIG is {config!r}", "make it a pydantic model or a dataclass (the class)")
    if metrics is not None and (isinstance(metrics, str) or not all(isinstance(key, str) for key in metrics)):
        raise TrainerError(f"{target}: METRICS is {metrics!r}", "make it a tuple of the keys that are logged")
    return Declaration(target, config, None if metrics is None else tuple(metrics))
