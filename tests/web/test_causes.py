"""Why a record failed is told in words, whatever wrote it."""

from evergrant.actions import push
from evergrant.core.gate import REMEDIES, Why
from evergrant.store import failing, finding
from evergrant.web import failures, words


def test_every_cause_the_code_writes_has_words() -> None:
    """A title and what cures it; reasons of a flow have words of their own, and nothing has words that is never written."""
    written = {failing.UNREADABLE, *finding.LOST, *(cause for cause, _ in push.FAILED.values())}

    assert written == set(failures.TITLES)
    assert set(Why) == set(words.REASONS) == set(REMEDIES)
    assert [] == [cause for cause in (*written, *Why) if not failures.title(cause) or not failures.sentence(cause)]
