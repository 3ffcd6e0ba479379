"""The seed's rules over sample messages, into maildirs, without any daemon."""
