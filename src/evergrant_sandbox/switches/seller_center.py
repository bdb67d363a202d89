"""What is disputed about Seller Center's pages."""

from evergrant_sandbox.switches.switch import Known, switch

BY_MARKET = "by_market"

# The positions besides the first are the paths of `world/menus.py`, word for word.
SELLER_CENTER_MENU = switch(
    "seller_center_menu",
    Known.DISPUTED,
    "The menu path to My apps and incidents; sources differ, and none says in which markets or since when.",
    {
        BY_MARKET: "Growth > My Apps & Services (on days before February 2024: Growth > Apps & Services); in the US, of which"
        " one source speaks, Apps & services as well",
        "Growth > My Apps & Services": "in every market, as Pipe17 has it (S1)",
        "App Store > My apps and incidents": "in every market, as Partner Center has it (S2)",
        "Growth > Apps & Services": "in every market, as AfterShip Feed had it in January 2024 (P-5)",
        "Apps & services": "in every market, as Seller University US has it (P-1)",
    },
)
ROW_ACTION = switch(
    "row_action",
    Known.DISPUTED,
    'What the action of a row in "My apps and incidents" is called.',
    {"Authorize": "as Pipe17 and a Brazilian vendor have it (S1)", "Renew": "as AfterShip has it"},
)
