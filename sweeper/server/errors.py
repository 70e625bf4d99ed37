"""Requests that cannot be served: exceptions that become HTTP answers."""

from __future__ import annotations

from pydantic import ValidationError


class RequestError(Exception):
    """What is wrong with a request, readable by the person at the client.

    The SDK shows `errors[0].message` and does not repeat a request answered with 400, 401, 403
    or 404 (0.31.0); 5xx it repeats for minutes, so a client's mistake never becomes one.

    Args:
        message: What is wrong, and what to do instead.
        status: The HTTP status.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class SaidError(RequestError):
    """What this server has none of, said inside an answer that is whole as far as HTTP goes.

    SDKs up to 0.25 show the words of such an answer, and of a refused request its status alone.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, 200)


class NotFoundError(RequestError):
    """The thing asked for is not here."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 404)


def bug_message(number: str) -> str:
    """Say where to look for what went wrong."""
    return f"the server failed: its log says why, at {number}"


def faults_of(error: ValidationError) -> str:
    """Say what is wrong in one line, without what was sent: it may be long, or a secret."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc']))[:200]}: {fault['msg'][:200]}" for fault in faults[:10])
