"""What runs beside the daemons in the image: the start, the users, the log, the health. Never loaded per message."""
