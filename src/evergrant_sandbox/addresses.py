"""Addresses the sandbox listens at: how they are written, and whether they can be had."""

import errno
import ipaddress
import socket
from dataclasses import dataclass


class CannotStartError(Exception):
    """The sandbox cannot start; carries a stable code and a sentence that says what to do."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Address:
    """A host of this machine and a port, and the option that chooses them."""

    host: str
    port: int
    option: str = "--port"

    def __str__(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def read(text: str, *, port: int, option: str) -> Address:
    """`127.0.0.1:8443`, `[::1]:8443`, or a host alone, which then gets the usual port.

    Raises:
        CannotStartError: it is none of these.
    """
    host, _, tail = text.rpartition("]")
    name, _, number = tail.partition(":")
    host = host.removeprefix("[") if host else name
    if not host or (number and not number.isdecimal()):
        raise CannotStartError("address_unusable", f"Write the address as 127.0.0.1:8443; {option} was {text}.")
    return Address(host, int(number) if number else port, option)


def check_loopback(host: str) -> None:
    """Make sure that a host name means this machine only.

    Raises:
        CannotStartError: it does not.
    """
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise CannotStartError("unknown_host", f"{host} is no address of this machine: {error}.") from error
    if not all(ipaddress.ip_address(address).is_loopback for address in found):
        raise CannotStartError(
            "beyond_loopback",
            f"{host} can be reached from other machines, and whoever reaches the sandbox can turn its clock."
            " Use 127.0.0.1, or add --allow-remote if that is what you want.",
        )


def check_port(address: Address) -> None:
    """Make sure that nobody else listens there.

    Granian binds with SO_REUSEPORT, so a second start on the same port would silently share the calls with the first.

    Raises:
        CannotStartError: somebody does, or the port cannot be used.
    """
    option = address.option
    if not 1 <= address.port <= 65_535:
        raise CannotStartError("port_unusable", f"A port is a number from 1 to 65535; choose one with {option}.")
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address.host, address.port))
            trial.listen(1)
        except PermissionError as error:
            sentence = (
                f"This user may not listen at port {address.port}, as on many systems below 1024."
                f" Choose a higher port with {option}."
            )
            raise CannotStartError("port_not_allowed", sentence) from error
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                sentence = f"Another program listens at {address}. Stop it, or choose another port with {option}."
                raise CannotStartError("port_in_use", sentence) from error
            raise CannotStartError("port_unusable", f"{address} cannot be used: {error.strerror}.") from error
