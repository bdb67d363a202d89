"""What may stand in a field that somebody else fills in, so that nothing odd gets as far as the book."""

from typing import Annotated

from msgspec import Meta

Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*\Z")]
Key = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
Digits = Annotated[str, Meta(pattern=r"^[0-9]{1,19}\Z")]
Count = Annotated[int, Meta(ge=0, le=20_000)]
Seconds = Annotated[int, Meta(ge=0, le=2**40)]
Money = Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,4})?\Z")]
Email = Annotated[str, Meta(pattern=r"^[^@\s]{1,100}@[^@\s]{1,100}\Z")]
Url = Annotated[str, Meta(max_length=255, pattern=r"^\S*\Z")]
