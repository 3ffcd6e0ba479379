"""From tree to program: names, settings, accounts, and everything that is decided before a message comes."""
