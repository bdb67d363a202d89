"""Partner Center (`/partner/…`): where a developer makes apps, has them reviewed, and tests them."""
