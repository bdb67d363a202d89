"""Settings: from EVERGRANT_* in the environment, then a TOML file, then the values here. Read once, at the start."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AnyHttpUrl, Field, SecretStr, TypeAdapter, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

CONFIG_VARIABLE = "EVERGRANT_CONFIG"
DEFAULT_CONFIG = Path("evergrant.toml")


class SettingsError(Exception):
    """The settings cannot be used. Names each one and what is wrong with it, never its value: it may be a secret."""

    code = "settings_unreadable"


class Settings(BaseSettings):
    """Everything that can be set. Each is an environment variable EVERGRANT_<NAME> or a line `<name> = …` in the file."""

    model_config = SettingsConfigDict(env_prefix="EVERGRANT_", extra="forbid", frozen=True)

    data_dir: Path = Field(
        default_factory=lambda: Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "evergrant",
        description="Where the embedded database, the vault's key and the refresh spool are.",
    )
    database_url: SecretStr | None = Field(
        default=None, description="postgresql://… of a PostgreSQL >= 15; without it an embedded one is started."
    )
    postgres_bin: str | None = Field(
        default=None, description="Folder of the embedded server's programs, or `system` for the machine's own."
    )
    host: str = Field(default="127.0.0.1", description="Address the hub listens on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port the hub listens on.")
    public_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("http://localhost:8080"), description="Where browsers and the platform find the hub."
    )
    sandbox_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Base URLs of sandboxes that apps may point to. In production: none."
    )
    return_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Addresses outside the hub a hosted link may return to, compared to the letter."
    )
    claim_hours: int = Field(
        default=24, ge=1, le=168, description="Hours an authorization without an owner waits to be claimed."
    )
    arrivals_a_minute: int = Field(
        default=60, ge=1, le=10_000, description="Unproven codes without a state each app takes a minute at the most."
    )
    database_connections: int = Field(
        default=10, ge=2, le=200, description="Connections a process keeps to the database."
    )
    refresh_at_once: int = Field(default=50, ge=1, le=1000, description="Refreshes a worker has in flight at the most.")
    sync_at_once: int = Field(default=10, ge=1, le=1000, description="Polls a worker has in flight at the most.")
    watch_after_minutes: int = Field(
        default=10, ge=1, le=1440, description="After how long without an answered call a connection is looked at."
    )
    watch_calls_a_minute: int = Field(
        default=300, ge=1, le=60_000, description="Looks of that kind each app may cost a minute at the most."
    )
    compare_hours: int = Field(
        default=24, ge=1, le=168, description="How often the platform's list of a connection's shops is compared."
    )
    check_by_writing: bool = Field(
        default=True,
        description="After an outage, write a stock level back as it was just read, to see that writing works.",
    )
    notice_patience_minutes: int = Field(
        default=932, ge=1, le=20_160, description="How late a notice may be before it counts as missed."
    )
    app_calls_per_second: float | None = Field(
        default=None, gt=0, le=10_000, description="Token calls a second in one app's name, over all processes."
    )
    app_calls_at_once: int | None = Field(
        default=None, ge=1, le=10_000, description="Token calls in flight in one app's name, over all processes."
    )
    calls_per_second: float = Field(
        default=10, gt=0, le=1000, description="Calls a second for one shop, over all processes; fewer after a 429."
    )
    keep_buyer_days: int = Field(
        default=90, ge=1, le=3650, description="Days after an order's last change for which its buyer is kept."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="From which level on.")
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="`auto`: for people on a terminal, JSON otherwise."
    )

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        """The sentence must not repeat it: it holds a password."""
        if value is not None and not _is_postgresql(value.get_secret_value()):
            raise ValueError("it has to be an address such as postgresql://user:password@host:5432/database")
        return value

    @field_validator("sandbox_urls", "return_urls", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """A list in the file, or one text with commas in the environment."""
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("sandbox_urls", "return_urls")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        address = TypeAdapter(AnyHttpUrl)
        for part in value:
            address.validate_python(part)
        return tuple(part.rstrip("/") for part in value)

    @property
    def origin(self) -> str:
        """The public address without a trailing slash."""
        return str(self.public_url).rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (given by name; there is no .env file here)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, environment, file; nothing else."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=_config_file()))


def _is_postgresql(address: str) -> bool:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:  # the port is no number
        return False
    return parts.scheme in ("postgresql", "postgres") and port != 0


def read(**given: Any) -> Settings:
    """The settings, with what is given here before everything else.

    Raises:
        SettingsError: the file is missing or no TOML, a name is unknown, or a value is of the wrong kind.
    """
    _unknown_variables()
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, part['loc'])) or 'settings'}: {part['msg']}" for part in error.errors()]
        raise SettingsError("These settings cannot be used:\n" + "\n".join(lines)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {_config_file()} is not readable TOML: {error}") from None
    except OSError as error:
        raise SettingsError(f"The settings file {_config_file()} cannot be read: {error.strerror}") from None


def _config_file() -> Path:
    named = os.environ.get(CONFIG_VARIABLE)
    if named and not Path(named).is_file():
        raise SettingsError(f"{CONFIG_VARIABLE} names {named}, and there is no such file.")
    return Path(named) if named else DEFAULT_CONFIG


def _unknown_variables() -> None:
    """A misspelt variable would be silently ignored: say so instead."""
    known = {f"EVERGRANT_{name.upper()}" for name in Settings.model_fields} | {CONFIG_VARIABLE}
    unknown = sorted(name for name in os.environ if name.startswith("EVERGRANT_") and name.upper() not in known)
    if unknown:
        raise SettingsError(f"There is no setting {', '.join(unknown)}. The settings are: {', '.join(sorted(known))}.")
