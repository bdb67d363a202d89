"""Help for sellers: open to everybody, as a page and as Markdown; every heading can be linked to."""

import pytest
from lxml import html

from evergrant.web.pages import guides
from tests.hub_fixture import Hub

SELLER_CENTER = "re-authorize-in-seller-center"


def section(page: html.HtmlElement, heading: str) -> str:
    """The words below a heading, up to the next one."""
    (found,) = (each for each in page.iter("h1", "h2", "h3") if each.text_content() == heading)
    words = []
    for below in found.itersiblings():
        if below.tag in {"h1", "h2", "h3"}:
            break
        words.append(" ".join(below.text_content().split()))
    return " ".join(words)


async def guide(hub: Hub, name: str) -> html.HtmlElement:
    """A guide as somebody without a login reads it."""
    got = await hub.new_browser().get(f"/help/{name}")
    assert got.status_code == 200
    return html.fromstring(got.text)


@pytest.mark.requirement("R-PIPE-34")
async def test_a_missing_action_has_its_cause_and_its_cure(hub: Hub) -> None:
    """Not the owner; sign out, sign in as whoever created the shop, repeat."""
    told = section(await guide(hub, SELLER_CENTER), "The Authorize action is not visible")

    assert "you are not signed in as the shop owner" in told
    assert (
        "sign out, sign back in with the account that originally created the TikTok Shop, and repeat the steps" in told
    )


@pytest.mark.requirement("R-PIPE-10", "R-PIPE-11")
async def test_a_guide_says_what_is_needed_before_one_begins(hub: Hub) -> None:
    """The owner's sign-in and access to the contact e-mail address."""
    told = section(await guide(hub, SELLER_CENTER), "Before you begin")

    assert "Sign in to TikTok Shop Seller Center" in told
    assert "before you start" in told
    assert "Have access to the contact email" in told


async def test_every_guide_is_listed_and_can_be_had_as_it_was_written(hub: Hub) -> None:
    """The list leads to each of them; `.md` at the end gives the file."""
    browser = hub.new_browser()
    listed = html.fromstring((await browser.get("/help")).text)

    for name, written in guides.guides().items():
        assert f"/help/{name}" in listed.xpath("//main//a/@href")
        got = await browser.get(f"/help/{name}.md")
        assert got.headers["content-type"] == "text/markdown; charset=utf-8"
        assert got.text == written.markdown


async def test_every_heading_of_a_guide_can_be_linked_to(hub: Hub) -> None:
    """Each has an id of its own."""
    page = await guide(hub, SELLER_CENTER)
    ids = [each.get("id") for each in page.iter("h1", "h2", "h3")]

    assert "the-authorize-action-is-not-visible" in ids
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", ["nothing", "nothing.md", "..%2Fguides%2Fre-authorize", "%00"])
async def test_a_guide_that_is_not_there_is_not_found(hub: Hub, name: str) -> None:
    """A page that says so, whatever was asked for."""
    got = await hub.new_browser().get(f"/help/{name}")

    assert got.status_code in {404, 422}
    assert got.headers["x-error-code"] in {"not_found", "invalid_request"}
