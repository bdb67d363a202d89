"""Logs are events: a name and fields, one line each; for people on a terminal, JSON for machines."""

import io
import logging
import sys
from contextlib import suppress
from typing import Literal, TextIO

import structlog

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _Patient(io.StringIO):
    """What cannot be written is not logged; the work it tells of goes on. The audit trail is kept elsewhere."""

    def __init__(self, file: TextIO) -> None:
        super().__init__()
        self._file = file

    def write(self, words: str) -> int:
        """Write, if the disk takes it."""
        with suppress(OSError):
            return self._file.write(words)
        return 0

    def flush(self) -> None:
        """Flush, if the disk takes it."""
        with suppress(OSError):
            self._file.flush()


def configure(*, level: str, form: Literal["auto", "json", "console"]) -> None:
    """Say how this process logs. Other libraries' logging is kept to warnings: they may print addresses.

    Tracebacks never show local variables: tokens and headers stand in them.
    """
    for_people = form == "console" or (form == "auto" and sys.stderr.isatty())
    render: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if for_people
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=_Patient(sys.stderr)),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
