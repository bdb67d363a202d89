"""Seeds a stage with a world worth looking at: a healthy shop, one that ends soon, one that has stopped."""
