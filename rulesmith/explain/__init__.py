"""What the rules would do with a message, and why: the engine driven without doing anything."""
