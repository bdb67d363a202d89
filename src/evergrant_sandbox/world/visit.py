"""The steps of the authorization link: which one a seller sees next, decided in one place (source S2, requirements 2.1)."""

from dataclasses import dataclass
from enum import StrEnum

from evergrant_sandbox.world.seller import Origin


class Step(StrEnum):
    """The steps, in their order."""

    REGION = "region"
    LOGIN = "login"
    FORM = "form"
    REVIEW = "review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the platform knows about the person in front of it."""

    # Somebody is signed in: with which kind of account.
    origin: Origin | None
    # That seller has authorized the app before, for whatever shop.
    renews: bool
    # The region was clicked in this walk, or was known from before when a signed-out person began it.
    region_known: bool
    # The form was confirmed in this walk.
    form_confirmed: bool


def next_step(situation: Situation) -> Step:
    """The step to show."""
    if situation.origin is None:
        return Step.LOGIN if situation.region_known else Step.REGION
    # "When authorizing an app using a test account, you will be taken straight to the approval step."
    if situation.origin is Origin.TEST or situation.form_confirmed:
        return Step.REVIEW
    # A signed-in seller who renews goes straight to the form; a first grant begins with the prompt.
    return Step.FORM if situation.renews or situation.region_known else Step.REGION
