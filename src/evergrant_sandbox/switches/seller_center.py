"""What is disputed about Seller Center's pages."""

from evergrant_sandbox.switches.switch import Known, switch

ROW_ACTION = switch(
    "row_action",
    Known.DISPUTED,
    'What the action of a row in "My apps and incidents" is called.',
    {"Authorize": "as Pipe17 and a Brazilian vendor have it (S1)", "Renew": "as AfterShip has it"},
)
