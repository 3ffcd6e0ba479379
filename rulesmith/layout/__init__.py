"""The layout of a configuration: one form for all, with every comment kept."""
