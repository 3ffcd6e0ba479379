"""Encryption for the imap action: which certificates are good enough, and the handshake.

fdm.conf(5): certificates are verified with `set verify-certificates` only, and not where the action says
`no-verify`; `insecure` allows protocols as old as the TLS library still has.
"""

from __future__ import annotations

import ssl

from rulesmith.effects import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket


def context(verify: bool, insecure: bool) -> ssl.SSLContext:
    """The rules of a handshake. The authorities are those of the system (or of SSL_CERT_FILE)."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if verify:
        made.load_default_certs()
    else:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if insecure:
        made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        made.set_ciphers("DEFAULT:@SECLEVEL=0")
    return made


def handshake(opened: socket.socket, rules: ssl.SSLContext, name: str) -> ssl.SSLSocket:
    """The encrypted socket that takes the place of `opened`; `name` is the server's. Raises Failure."""
    try:
        return rules.wrap_socket(opened, server_hostname=name)
    except ssl.SSLCertVerificationError as error:
        text = error.verify_message.rstrip(".")
        if error.verify_code in _OTHER_NAME:
            text = f"no matching CN ({text})"
        raise Failure("certificate verification failed: " + text) from None
    except ssl.SSLError as error:
        raise Failure("SSL_connect: " + (error.reason or str(error)).replace("_", " ").lower()) from None
    except TimeoutError:
        raise Failure("io: poll: Connection timed out") from None
    except OSError as error:
        raise Failure("SSL_connect: " + (error.strerror or str(error))) from None
    except ValueError:
        raise Failure(f"certificate verification failed: {name!r} cannot be the name of a server") from None


# X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL; ssl has no names for them.
_OTHER_NAME = (62, 64)
