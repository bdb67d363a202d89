"""What sellers, apps and the platform do, one verb a module: each a change of the book at a given moment."""
