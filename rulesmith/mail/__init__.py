"""RFC 5322 over octets, pure: no file, no clock, no network."""
