"""Buyers: names, towns and carriers of each market, from which believable and masked recipients are made."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A town with a postcode that exists there and the administrative areas above it."""

    name: str
    area: str
    postcode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Locals:
    """The people and the post of one market."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    towns: tuple[Town, ...]
    streets: tuple[str, ...]
    carriers: tuple[str, ...]
    payments: tuple[str, ...]
    # What the two levels of an address below the country are called.
    levels: tuple[str, str]


def _towns(text: str) -> tuple[Town, ...]:
    lines = (line.split("/") for line in text.split(" | "))
    return tuple(Town(name=name, area=area, postcode=postcode) for name, area, postcode in lines)


def _locals(
    first: str, last: str, towns: str, streets: str, carriers: str, payments: str, levels: tuple[str, str]
) -> Locals:
    return Locals(
        first=tuple(first.split()),
        last=tuple(last.split()),
        towns=_towns(towns),
        streets=tuple(streets.split(" | ")),
        carriers=tuple(carriers.split(" | ")),
        payments=tuple(payments.split(" | ")),
        levels=levels,
    )


_GB = _locals(
    "Olivia Harry Amelia George Isla Noah Ava Jack Freya Leo Grace Oscar Priya Mohammed Ffion Callum",
    "Smith Jones Taylor Brown Patel Evans Khan Wilson Campbell Hughes Begum Wright Murphy Clarke",
    "London/Greater London/E1 6AN | Leeds/West Yorkshire/LS1 4DY | Bristol/Avon/BS1 5TR | Cardiff/South Glamorgan/CF10 1EP"
    " | Glasgow/Lanarkshire/G2 1AL | Norwich/Norfolk/NR2 1TF | York/North Yorkshire/YO1 7HH",
    "High Street | Station Road | Mill Lane | Church Street | Albert Terrace | Queens Road",
    "Royal Mail | Evri | DPD UK | Yodel",
    "Visa | Mastercard | PayPal | Apple Pay | Klarna",
    ("county", "city"),
)
_US = _locals(
    "Emma Liam Sofia Mason Ava Ethan Mia Logan Harper Diego Chloe Jayden Nora Caleb Zoe Malik",
    "Johnson Garcia Miller Davis Nguyen Lopez Anderson Thomas Moore Jackson Kim Rivera Carter Brooks",
    "Austin/Texas/78704 | Portland/Oregon/97214 | Columbus/Ohio/43215 | Tampa/Florida/33606 | Denver/Colorado/80205"
    " | Raleigh/North Carolina/27601 | San Diego/California/92103",
    "Maple Avenue | Oak Street | 2nd Street | Lakeview Drive | Cedar Lane | Washington Boulevard",
    "USPS | UPS | FedEx",
    "Visa | Mastercard | Apple Pay | PayPal | American Express",
    ("state", "city"),
)
_DE = _locals(
    "Mia Ben Emilia Paul Hannah Jonas Lina Felix Clara Elias Lena Finn Aylin Mehmet Greta Anton",
    "Müller Schmidt Schneider Fischer Weber Becker Hoffmann Koch Yilmaz Richter Wolf Krüger",
    "Berlin/Berlin/10961 | Hamburg/Hamburg/22765 | Leipzig/Sachsen/04109 | Köln/Nordrhein-Westfalen/50672"
    " | München/Bayern/80469 | Freiburg/Baden-Württemberg/79098",
    "Hauptstraße | Bergmannstraße | Gartenweg | Lindenallee | Bahnhofstraße | Am Markt",
    "DHL | Hermes | DPD | GLS",
    "PayPal | Klarna | Visa | Mastercard",
    ("state", "city"),
)
_ID = _locals(
    "Putri Budi Siti Agus Dewi Rizky Ayu Andi Fitri Dimas Nabila Wahyu Ratna Bagus",
    "Santoso Wijaya Lestari Pratama Hidayat Saputra Utami Nugroho Siregar Kusuma Ramadhan",
    "Jakarta Selatan/DKI Jakarta/12190 | Bandung/Jawa Barat/40132 | Surabaya/Jawa Timur/60241"
    " | Yogyakarta/DI Yogyakarta/55223 | Denpasar/Bali/80234 | Medan/Sumatera Utara/20152",
    "Jalan Sudirman | Jalan Diponegoro | Jalan Melati | Jalan Kenanga | Gang Mawar | Jalan Merdeka",
    "J&T Express | SiCepat | JNE | Ninja Xpress",
    "GoPay | DANA | OVO | BCA Virtual Account | Bayar di tempat",
    ("province", "city"),
)
_SEA = _locals(
    "Nurul Wei Aisyah Jun Maria Kok Farah Arif Mei Jose Angelica Ahmad Linh Somchai",
    "Tan Lim Lee Santos Wong Reyes Ismail Ng Cruz Nguyen Tran",
    "Petaling Jaya/Selangor/47301 | Kuching/Sarawak/93350 | Johor Bahru/Johor/80000 | George Town/Pulau Pinang/10200"
    " | Ipoh/Perak/30450 | Kota Kinabalu/Sabah/88000",
    "Jalan Ampang | Lorong Cempaka | Jalan Tun Razak | Persiaran Damai | Jalan Gasing",
    "J&T Express | Ninja Van | Flash Express | Pos Laju",
    "GrabPay | Touch 'n Go | Visa | Mastercard | Cash on delivery",
    ("state", "city"),
)
_EU = _locals(
    "Camille Lucas Giulia Marco Lucía Hugo Chiara Mateo Aoife Cian Manon Théo",
    "Martin Bernard Rossi Ferrari García Fernández Byrne Walsh Dubois Moreau",
    "Lyon/Rhône/69002 | Nantes/Loire-Atlantique/44000 | Lille/Nord/59800 | Rennes/Ille-et-Vilaine/35000"
    " | Toulouse/Haute-Garonne/31000",
    "Rue de la République | Avenue Victor Hugo | Rue des Lilas | Place du Marché | Rue Pasteur",
    "Colissimo | Mondial Relay | Chronopost | DPD",
    "Visa | Mastercard | PayPal | Apple Pay",
    ("department", "city"),
)

# Where a market shares its neighbours' names, it still has towns of its own.
LOCALS = {
    "GB": _GB,
    "US": _US,
    "DE": _DE,
    "ID": _ID,
    "MY": _SEA,
    "SG": replace(
        _SEA, towns=_towns("Tampines/Singapore/529536 | Bedok/Singapore/460118 | Jurong East/Singapore/600135")
    ),
    "PH": replace(_SEA, towns=_towns("Quezon City/Metro Manila/1100 | Cebu City/Cebu/6000 | Davao City/Davao/8000")),
    "TH": replace(_SEA, towns=_towns("Bangkok/Bangkok/10110 | Chiang Mai/Chiang Mai/50200 | Hat Yai/Songkhla/90110")),
    "VN": replace(_SEA, towns=_towns("Hanoi/Hanoi/100000 | Da Nang/Da Nang/550000 | Can Tho/Can Tho/900000")),
    "FR": _EU,
    "ES": replace(_EU, towns=_towns("Valencia/Valencia/46002 | Sevilla/Sevilla/41001 | Bilbao/Bizkaia/48005")),
    "IT": replace(_EU, towns=_towns("Bologna/Bologna/40121 | Torino/Torino/10121 | Bari/Bari/70121")),
    "IE": replace(_EU, towns=_towns("Cork/Cork/T12 W8YE | Galway/Galway/H91 E6K5 | Limerick/Limerick/V94 H2YX")),
    "JP": replace(_US, towns=_towns("Osaka/Osaka/530-0001 | Sendai/Miyagi/980-0021 | Nagoya/Aichi/450-0002")),
    "MX": replace(_US, towns=_towns("Guadalajara/Jalisco/44100 | Puebla/Puebla/72000 | Mérida/Yucatán/97000")),
    "BR": replace(
        _US, towns=_towns("Curitiba/Paraná/80010-000 | Recife/Pernambuco/50030-230 | Santos/São Paulo/11013-000")
    ),
}


def locals_of(region: str) -> Locals:
    """The people of a market."""
    return LOCALS[region]


def masked_name(first: str, last: str) -> str:
    """A buyer's name as the platform shows it: `J*** D**`."""
    return f"{first[0]}{'*' * min(len(first) - 1, 4)} {last[0]}{'*' * min(len(last) - 1, 4)}"


def masked_phone(dial: str, number: str) -> str:
    """A buyer's telephone number as the platform shows it: `(+44)77******12`."""
    return f"(+{dial}){number[:2]}{'*' * (len(number) - 4)}{number[-2:]}"


def masked_street(street: str, house: int) -> str:
    """A street and number, every word cut to its first letter."""
    return " ".join([f"{str(house)[0]}*", *(word[0] + "***" for word in street.split())])
