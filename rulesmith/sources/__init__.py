"""Where messages come from: standard input, maildirs and mboxes."""
