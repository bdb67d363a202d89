"""Who is signed in at which browser, and how far a walk through the consent pages has come."""

from dataclasses import dataclass

from evergrant_sandbox.book.database import Book

# A walk that was left for a day is over; the clock on the wall counts, platform time may leap.
_LIFE = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One walk through the consent pages: for which app, with which state, and what was entered so far."""

    handle: str
    browser: str
    app_key: str
    # None: the link carried none.
    state: str | None
    # The market under whose "Next" the seller clicked in this walk.
    market: str | None = None
    # What the form was confirmed with; None until it was.
    target: str | None = None
    period: int | None = None
    contact_email: str = ""
    contact_phone: str = ""
    # The Redirect URL that was configured when the walk began.
    redirect_url: str = ""


def begin(book: Book, visit: Visit, *, wall: int) -> None:
    """Keep a new walk, and forget those that were left long ago."""
    book.run("DELETE FROM visits WHERE begun_at_wall < ?", wall - _LIFE)
    book.run(
        "INSERT INTO visits (handle, browser, app_key, state, market, redirect_url, begun_at_wall)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        visit.handle,
        visit.browser,
        visit.app_key,
        visit.state,
        visit.market,
        visit.redirect_url,
        wall,
    )


def find(book: Book, *, handle: str, browser: str) -> Visit | None:
    """A walk by its handle, for the browser that began it and no other."""
    row = book.one(
        "SELECT handle, browser, app_key, state, market, target, period, contact_email, contact_phone, redirect_url"
        " FROM visits WHERE handle = ? AND browser = ?",
        handle,
        browser,
    )
    if row is None:
        return None
    number, whose, app_key, state, market, target, period, contact_email, contact_phone, redirect_url = row
    return Visit(
        handle=number,
        browser=whose,
        app_key=app_key,
        state=state,
        market=market,
        target=target,
        period=period,
        contact_email=contact_email,
        contact_phone=contact_phone,
        redirect_url=redirect_url,
    )


def note_market(book: Book, handle: str, market: str) -> None:
    """Note the region the seller clicked."""
    book.run("UPDATE visits SET market = ? WHERE handle = ?", market, handle)


def note_form(book: Book, visit: Visit) -> None:
    """Note what the form was confirmed with."""
    book.run(
        "UPDATE visits SET target = ?, period = ?, contact_email = ?, contact_phone = ? WHERE handle = ?",
        visit.target,
        visit.period,
        visit.contact_email,
        visit.contact_phone,
        visit.handle,
    )


def forget_forms(book: Book, browser: str) -> None:
    """Forget what was entered in a browser's walks: somebody else may go on with them."""
    book.run(
        "UPDATE visits SET target = NULL, period = NULL, contact_email = '', contact_phone = '' WHERE browser = ?",
        browser,
    )


def end(book: Book, handle: str) -> bool:
    """End a walk; False if it was over already."""
    return book.run("DELETE FROM visits WHERE handle = ?", handle) == 1


def sign_in(book: Book, *, sha256: bytes, email: str) -> None:
    """Keep a session."""
    book.run("INSERT OR REPLACE INTO sessions (sha256, email) VALUES (?, ?)", sha256, email)


def who(book: Book, sha256: bytes) -> str | None:
    """Whose session it is, by e-mail address."""
    row = book.one("SELECT email FROM sessions WHERE sha256 = ?", sha256)
    return row[0] if row else None


def sign_out(book: Book, sha256: bytes) -> None:
    """Forget a session."""
    book.run("DELETE FROM sessions WHERE sha256 = ?", sha256)


def sign_out_everywhere(book: Book, email: str) -> None:
    """Forget every session of somebody."""
    book.run("DELETE FROM sessions WHERE email = ? COLLATE NOCASE", email)
