"""Regions: which data region a shop's tokens come from, its currency and how its people write phone numbers."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One country the platform trades in."""

    code: str
    name: str
    # "TTP_", "GCP_", "ROW_": inferred from live samples (wire sheet 5.1).
    prefix: str
    currency: str
    # What one pound buys there, roughly; believable prices are made with it.
    rate: Decimal
    # The smallest step of a price.
    step: Decimal
    # What a parcel costs the buyer.
    freight: Decimal
    dial: str


def _region(code: str, name: str, prefix: str, currency: str, rate: str, step: str, freight: str, dial: str) -> Region:
    return Region(
        code=code,
        name=name,
        prefix=prefix,
        currency=currency,
        rate=Decimal(rate),
        step=Decimal(step),
        freight=Decimal(freight),
        dial=dial,
    )


_ALL = (
    _region("US", "United States", "TTP", "USD", "1.3", "0.01", "4.49", "1"),
    _region("GB", "United Kingdom", "GCP", "GBP", "1", "0.01", "2.99", "44"),
    _region("DE", "Germany", "GCP", "EUR", "1.15", "0.01", "3.99", "49"),
    _region("FR", "France", "GCP", "EUR", "1.15", "0.01", "3.99", "33"),
    _region("ES", "Spain", "GCP", "EUR", "1.15", "0.01", "3.49", "34"),
    _region("IT", "Italy", "GCP", "EUR", "1.15", "0.01", "3.99", "39"),
    _region("IE", "Ireland", "GCP", "EUR", "1.15", "0.01", "4.49", "353"),
    _region("ID", "Indonesia", "ROW", "IDR", "20000", "100", "12000", "62"),
    _region("MY", "Malaysia", "ROW", "MYR", "5.7", "0.01", "4.90", "60"),
    _region("PH", "Philippines", "ROW", "PHP", "74", "1", "45", "63"),
    _region("SG", "Singapore", "ROW", "SGD", "1.7", "0.01", "1.99", "65"),
    _region("TH", "Thailand", "ROW", "THB", "44", "1", "29", "66"),
    _region("VN", "Vietnam", "ROW", "VND", "33000", "1000", "22000", "84"),
    _region("JP", "Japan", "ROW", "JPY", "195", "1", "550", "81"),
    _region("MX", "Mexico", "ROW", "MXN", "24", "0.01", "49.00", "52"),
    _region("BR", "Brazil", "ROW", "BRL", "7.2", "0.01", "14.90", "55"),
    # No market of the platform's own; where many cross-border sellers are at home.
    _region("CN", "China", "ROW", "CNY", "9.3", "0.01", "8.00", "86"),
)

REGIONS = {region.code: region for region in _ALL}
TRADING = tuple(region for region in _ALL if region.code != "CN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One line of the authorization prompt, with its own "Next"."""

    code: str
    name: str
    regions: tuple[str, ...]

    @property
    def countries(self) -> tuple[str, ...]:
        """The names of its regions."""
        return tuple(REGIONS[code].name for code in self.regions)


# The prompt's exact list is not documented; one connector's guide shows a line "North America Seller" (requirements 2.1).
MARKETS = (
    Market(code="US", name="United States", regions=("US",)),
    Market(code="GB", name="United Kingdom", regions=("GB",)),
    Market(code="EU", name="European Union", regions=("DE", "FR", "ES", "IT", "IE")),
    Market(code="SEA", name="Southeast Asia", regions=("ID", "MY", "PH", "SG", "TH", "VN")),
    Market(code="JP", name="Japan", regions=("JP",)),
    Market(code="LATAM", name="Latin America", regions=("MX", "BR")),
)
