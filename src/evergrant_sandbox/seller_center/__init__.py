"""Seller Center (`/seller/…`): where a seller signs in, works, installs, renews and cancels."""
