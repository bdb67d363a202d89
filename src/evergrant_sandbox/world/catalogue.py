"""What the shops sell: lines of believable goods, per trade and in the language of their market."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """One product line: its title, its variants and its price in pounds."""

    title: str
    stem: str
    variants: tuple[str, ...]
    price: Decimal


def _goods(title: str, stem: str, variants: str, price: str) -> Goods:
    return Goods(title=title, stem=stem, variants=tuple(variants.split(" | ")), price=Decimal(price))


_POTTERY = (
    _goods("Stoneware Mug, hand thrown, 350 ml", "MUG", "Oat | Moss | Ink Blue", "16.50"),
    _goods("Breakfast Bowl with speckled glaze", "BOWL", "Cream | Slate", "18.00"),
    _goods("Bud Vase, tall neck", "VASE", "Terracotta | White | Sage", "24.00"),
    _goods("Espresso Cups, set of two", "ESPR", "Oat | Black", "22.00"),
    _goods("Serving Platter, oval, 34 cm", "PLAT", "Cream", "42.00"),
    _goods("Butter Dish with lid", "BUTR", "White | Ink Blue", "28.00"),
    _goods("Plant Pot with saucer, 14 cm", "POT", "Terracotta | Slate | Sage", "19.50"),
    _goods("Pasta Bowls, set of four", "PASTA", "Oat | Moss", "68.00"),
    _goods("Spoon Rest", "REST", "Speckled | White", "9.50"),
    _goods("Candle Holder, low", "CNDL", "Black | Cream", "12.00"),
    _goods("Jug, 1 litre", "JUG", "Moss | White", "34.00"),
    _goods("Second-quality Mug, lucky dip", "DIP", "One", "8.00"),
)
_OUTDOOR = (
    _goods("Insulated Water Bottle 24 oz", "BTL", "Graphite | Clay | Pine", "19.00"),
    _goods("Packable Rain Jacket", "RAIN", "S | M | L | XL", "48.00"),
    _goods("Merino Hiking Socks, 2 pairs", "SOCK", "S/M | L/XL", "15.00"),
    _goods("Trail Cap with mesh panel", "CAP", "Sand | Olive", "17.50"),
    _goods("LED Headlamp, rechargeable", "LAMP", "350 lm | 600 lm", "26.00"),
    _goods("Camp Mug, enamel", "ENML", "White | Red", "9.00"),
    _goods("Dry Bag 10 L", "DRY", "Yellow | Grey", "14.00"),
    _goods("Hammock with tree straps", "HAMM", "Teal | Rust", "36.00"),
    _goods("Trekking Poles, folding, pair", "POLE", "Carbon | Aluminum", "54.00"),
    _goods("Beeswax Lip Balm, 3-pack", "BALM", "Mint | Plain", "6.50"),
    _goods("Titanium Spork", "SPRK", "One", "8.00"),
    _goods("Fleece Neck Warmer", "NECK", "Black | Pine | Clay", "11.00"),
)
_KITCHEN_DE = (
    _goods("Schneidebrett aus Eiche, 40 x 28 cm", "BRETT", "Natur | Geölt", "32.00"),
    _goods("Gusseiserne Pfanne 26 cm", "PFANNE", "Ohne Deckel | Mit Deckel", "45.00"),
    _goods("Kochschürze aus Leinen", "SCHUERZE", "Grau | Senf | Blau", "24.00"),
    _goods("Gewürzmühle, 2er-Set", "MUEHLE", "Buche | Nussbaum", "29.00"),
    _goods("Brotkasten aus Emaille", "BROT", "Weiß | Salbei", "39.00"),
    _goods("Teekanne mit Sieb, 1,2 l", "TEE", "Glas | Schwarz", "27.50"),
    _goods("Vorratsglas mit Bügel, 3er-Set", "GLAS", "0,5 l | 1 l", "16.00"),
    _goods("Geschirrtücher, 4 Stück", "TUCH", "Streifen | Karo", "14.00"),
    _goods("Backmatte aus Silikon", "MATTE", "30 x 40 | 40 x 60", "11.50"),
    _goods("Zestenreibe", "REIBE", "Fein | Grob", "13.00"),
)
_CARE_ID = (
    _goods("Sabun Herbal Serai 90 g", "SABUN", "Serai | Sirih | Kopi", "1.20"),
    _goods("Minyak Rambut Kemiri 100 ml", "KEMIRI", "100 ml | 200 ml", "2.40"),
    _goods("Masker Wajah Beras", "MASKER", "Isi 5 | Isi 10", "1.90"),
    _goods("Lulur Kopi Bali 200 g", "LULUR", "Kopi | Cokelat", "2.10"),
    _goods("Lip Balm Kelapa", "LIPBALM", "Natural | Stroberi", "1.10"),
    _goods("Body Mist Melati 100 ml", "MIST", "Melati | Kenanga", "2.80"),
    _goods("Sampo Batangan Lidah Buaya", "SAMPO", "Normal | Kering", "1.60"),
    _goods("Serum Wajah Niacinamide 20 ml", "SERUM", "20 ml", "3.40"),
    _goods("Sisir Kayu Sonokeling", "SISIR", "Kecil | Besar", "1.50"),
    _goods("Set Hadiah Perawatan Tubuh", "HADIAH", "Isi 3 | Isi 5", "5.50"),
)
_GADGETS = (
    _goods("Magnetic Phone Stand, foldable", "STAND", "Silver | Black", "9.90"),
    _goods("USB-C Cable 2 m, braided", "CABLE", "Grey | Red | Black", "6.50"),
    _goods("Desk Lamp with wireless charging", "DLAMP", "White | Black", "27.00"),
    _goods("Mini Projector 720p", "PROJ", "EU plug | UK plug", "64.00"),
    _goods("Bluetooth Tracker, 2-pack", "TRACK", "White | Black", "15.00"),
    _goods("Foldable Keyboard", "KEYB", "Grey", "24.00"),
    _goods("Ring Light 10 inch with tripod", "RING", "10 inch | 12 inch", "21.00"),
    _goods("Laptop Sleeve 14 inch", "SLEEVE", "Grey | Navy | Pink", "12.50"),
    _goods("Travel Adapter, 65 W", "ADAPT", "65 W", "22.00"),
    _goods("Cable Organiser Pouch", "POUCH", "S | M", "8.00"),
)
_STATIONERY = (
    _goods("Dot-grid Notebook A5", "NOTE", "Kraft | Forest | Plum", "9.50"),
    _goods("Brass Ballpoint", "PEN", "Brass | Black", "21.00"),
    _goods("Weekly Desk Pad", "DESK", "A4 | A3", "12.00"),
    _goods("Washi Tape, 6 rolls", "WASHI", "Autumn | Spring", "7.50"),
    _goods("Letterpress Cards, 8 pieces", "CARD", "Thanks | Birthday", "14.00"),
    _goods("Pencil Roll, waxed canvas", "ROLL", "Olive | Tan", "26.00"),
    _goods("Ink Bottle 30 ml", "INK", "Blue-black | Sepia | Pine", "11.00"),
    _goods("Index Tabs, 200 pieces", "TABS", "Pastel | Earth", "4.50"),
)

# Trade by which a shop is stocked; a region without its own gets the general ones.
TRADES = {
    "pottery": _POTTERY,
    "outdoor": _OUTDOOR,
    "kitchen": _KITCHEN_DE,
    "care": _CARE_ID,
    "gadgets": _GADGETS,
    "stationery": _STATIONERY,
}
TRADE_OF_REGION = {"DE": "kitchen", "ID": "care", "US": "outdoor", "GB": "pottery", "MY": "gadgets", "SG": "gadgets"}
GENERAL_TRADE = "stationery"
