"""The world: everything that stores, sends, runs or locks."""
