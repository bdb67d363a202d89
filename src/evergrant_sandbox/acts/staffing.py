"""The owner of a shop takes people on, gives them another role, and lets them go."""

from evergrant_sandbox.book import sellers, visits
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.world.seller import Account, Role


class OneOwnerError(Exception):
    """An account has one owner: the one that signed up. Nobody else becomes it, and it stays."""


class AddressTakenError(Exception):
    """Somebody signs in with this e-mail address already."""


def take_on(book: Book, account: Account) -> None:
    """A new sign-in of a seller.

    Raises:
        OneOwnerError: it would be a second owner.
        AddressTakenError: the address signs in already, to whichever seller.
    """
    _check_not_the_owner(account.role)
    with book.transaction():
        if sellers.account(book, account.email):
            raise AddressTakenError(f"{account.email} signs in already")
        sellers.add_account(book, account)


def give_role(book: Book, account: Account, role: Role) -> None:
    """Another role, which holds from the next page on.

    Raises:
        OneOwnerError: it is the owner's sign-in, or would become it.
    """
    _check_not_the_owner(account.role)
    _check_not_the_owner(role)
    with book.transaction():
        sellers.set_role(book, account.email, role)


def let_go(book: Book, account: Account) -> None:
    """The sign-in is gone, and whoever was signed in with it is signed out.

    Raises:
        OneOwnerError: it is the owner's.
    """
    _check_not_the_owner(account.role)
    with book.transaction():
        sellers.remove_account(book, account.email)
        visits.sign_out_everywhere(book, account.email)


def _check_not_the_owner(role: Role) -> None:
    if role is Role.OWNER:
        raise OneOwnerError("an account has one owner")
