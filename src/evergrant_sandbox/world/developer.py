"""Developers: who makes apps in Partner Center, each for a company of its own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Developer:
    """One developer account. The password is kept readable, as a seller's is: it is printed for whoever tries the sandbox."""

    id: str
    email: str
    password: str
    company: str
