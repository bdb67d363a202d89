"""Account settings, Users: who else signs in for the shop, and with which role. The owner's page."""

from dataclasses import dataclass, field

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox.acts import staffing
from evergrant_sandbox.acts.staffing import AddressTakenError, OneOwnerError
from evergrant_sandbox.book import sellers
from evergrant_sandbox.pages.credentials import fault_of_password, is_email
from evergrant_sandbox.pages.door import RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.seller_center.desk import Desk, at_desk
from evergrant_sandbox.world.roles import FOR_OTHERS, RIGHTS, Deed, Page
from evergrant_sandbox.world.seller import Account, Role

_SAID = {
    "added": "The user was added and can sign in now.",
    "changed": "The role was changed. It holds from the next page the user opens.",
    "removed": "The user was removed and is signed out.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """Somebody to be added: what was entered, and what is wrong with it, by field."""

    email: str = ""
    password: str = ""
    role: Role | None = None
    faults: dict[str, str] = field(default_factory=dict)


class Users:
    """The sign-ins of a seller."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = (
            ("/seller/account/users", ("GET", "POST"), self.list),
            ("/seller/account/users/role", ("POST",), self.change),
            ("/seller/account/users/removal", ("POST",), self.remove),
        )
        return [at_desk(self._platform, self._pages, path, methods, Page.USERS, do) for path, methods, do in table]

    async def list(self, desk: Desk) -> Response:
        """Who there is, and a form for one more."""
        asked = Invited()
        if desk.door.request.method == "POST":
            fields = await desk.door.browser.form()
            desk.check(Deed.MANAGE_USERS)
            asked = self._take_on(desk, fields)
            if not asked.faults:
                return _back("added")
        return desk.page(
            "seller_center/users.html",
            status=422 if asked.faults else 200,
            people=[(each, RIGHTS[each.role]) for each in sellers.accounts_of(self._platform.book, desk.who.seller.id)],
            roles=[(role, RIGHTS[role]) for role in FOR_OTHERS],
            asked=asked,
            said=_SAID.get(desk.door.request.query_params.get("done", ""), ""),
        )

    async def change(self, desk: Desk) -> Response:
        """Another role."""
        fields = await desk.door.browser.form()
        desk.check(Deed.MANAGE_USERS)
        role = _role(fields.get("role", ""))
        if role is None:
            raise RefusedError(
                "unknown_role", "There is no such role", "Go back and choose one of the list.", status=422
            )
        try:
            staffing.give_role(self._platform.book, self._person(desk, fields), role)
        except OneOwnerError as error:
            raise _one_owner() from error
        return _back("changed")

    async def remove(self, desk: Desk) -> Response:
        """A sign-in less."""
        fields = await desk.door.browser.form()
        desk.check(Deed.MANAGE_USERS)
        try:
            staffing.let_go(self._platform.book, self._person(desk, fields))
        except OneOwnerError as error:
            raise _one_owner() from error
        return _back("removed")

    def _person(self, desk: Desk, fields: dict[str, str]) -> Account:
        found = sellers.account(self._platform.book, fields.get("email", ""))
        if found is None or found.seller_id != desk.who.seller.id:
            sentence = "Nobody signs in to this shop with this address. Go back and reload the page."
            raise RefusedError("unknown_user", "There is no such user", sentence, status=404)
        return found

    def _take_on(self, desk: Desk, fields: dict[str, str]) -> Invited:
        email, password = fields.get("email", "").strip(), fields.get("password", "")
        role = _role(fields.get("role", ""))
        faults = {}
        if not is_email(email):
            faults["email"] = "Enter the e-mail address of the new user."
        if wrong := fault_of_password(password):
            faults["password"] = wrong
        if role is None:
            faults["role"] = "Choose a role."
        elif not faults:
            new = Account(email=email, password=password, seller_id=desk.who.seller.id, role=role)
            try:
                staffing.take_on(self._platform.book, new)
            except AddressTakenError:
                faults["email"] = "This e-mail address signs in already. Choose another."
        return Invited(email=email, password=password, role=role, faults=faults)


def _role(given: str) -> Role | None:
    """A role the owner may give."""
    return Role(given) if given in set(FOR_OTHERS) else None


def _one_owner() -> RefusedError:
    sentence = "The owner is the account that signed up. It keeps its role and cannot be removed."
    return RefusedError("owner_stays", "The owner stays the owner", sentence, status=409)


def _back(done: str) -> Response:
    return RedirectResponse(f"{Page.USERS.value}?done={done}", 303)
