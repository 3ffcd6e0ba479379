"""A real Dovecot, 2.3 or 2.4, with the seed's virtual users, run without any privilege as their one uid."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from tests.certificates import Pair
from tests.chain.bed import Bed
from tests.ports import reserved_port

PASSWORD = "password"
USERS = ("user@example.com", "alias@example.com")

# As root Dovecot would give its parts users of their own and lock them up; without privileges it must not try.
_UNPRIVILEGED = """
default_internal_user = vmail
default_internal_group = vmail
default_login_user = vmail
service anvil {
  chroot =
}
service imap-login {
  chroot =
}
service pop3-login {
  chroot =
}
service stats {
  chroot =
}
"""

_BOTH = """
protocols = imap lmtp pop3
listen = 127.0.0.1
base_dir = @RUN@
state_dir = @RUN@/state
log_path = /dev/stderr
protocol lda {
  log_path = @RUN@/deliver.log
}
mail_uid = vmail
mail_gid = vmail
first_valid_uid = 1
lda_mailbox_autocreate = yes
lda_mailbox_autosubscribe = yes
lmtp_save_to_detail_mailbox = yes
recipient_delimiter = +
auth_mechanisms = plain login cram-md5
ssl = yes
namespace inbox {
  inbox = yes
}
service imap-login {
  inet_listener imap {
    port = @IMAP@
  }
  inet_listener imaps {
    port = @IMAPS@
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = 0
  }
  inet_listener pop3s {
    port = @POP3S@
    ssl = yes
  }
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
  inet_listener lmtp {
    port = @LMTP@
  }
}
"""

_2_3 = """
disable_plaintext_auth = yes
auth_username_format = %Lu
mail_location = maildir:~/Maildir
ssl_cert = <@CERTIFICATE@
ssl_key = <@KEY@
passdb {
  driver = passwd-file
  args = @RUN@/passwd
}
userdb {
  driver = passwd-file
  args = username_format=%u @RUN@/passwd
  default_fields = uid=vmail gid=vmail home=@MAIL@/%u
}
"""

_2_4 = """
auth_allow_cleartext = no
auth_username_format = %{user | lower}
mail_driver = maildir
mail_path = ~/Maildir
ssl_server_cert_file = @CERTIFICATE@
ssl_server_key_file = @KEY@
passdb passwd-file {
  passwd_file_path = @RUN@/passwd
}
userdb passwd-file {
  passwd_file_path = @RUN@/passwd
  fields {
    uid = vmail
    gid = vmail
    home = @MAIL@/%{user}
  }
}
"""


class Dovecot:
    """A server that runs as long as the bed; `deliver` asks the one whose name is `dovecot`."""

    def __init__(self, bed: Bed, name: str, pair: Pair, mail: str) -> None:
        self.run = bed.folder / "run" / name
        self.run.mkdir(exist_ok=True)
        self.mail = bed.folder / mail
        with contextlib.ExitStack() as stack:
            self.imap, self.imaps, self.pop3s, self.lmtp = (reserved_port(stack) for _ in range(4))
            self._start(bed, name, pair, mail)

    def _start(self, bed: Bed, name: str, pair: Pair, mail: str) -> None:
        inside = f"/run/{name}"
        version = bed.run("dovecot", "--version").out.decode()
        newer = not version.startswith("2.3.")
        number = version.split()[0].split("-")[0]
        first = f"dovecot_config_version = {number}\ndovecot_storage_version = {number}\n" if newer else ""
        text = first + _BOTH + _UNPRIVILEGED + (_2_4 if newer else _2_3)
        for word, value in (
            ("RUN", inside),
            ("IMAPS", self.imaps),
            ("IMAP", self.imap),
            ("POP3S", self.pop3s),
            ("LMTP", self.lmtp),
            ("CERTIFICATE", f"{inside}/certificate.pem"),
            ("KEY", f"{inside}/key.pem"),
            ("MAIL", f"/home/{mail}"),
        ):
            text = text.replace(f"@{word}@", str(value))
        (bed.folder / "config" / f"{name}.conf").write_text(text)
        (self.run / "passwd").write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}::::::\n" for user in USERS))
        shutil.copyfile(pair.certificate, self.run / "certificate.pem")
        shutil.copyfile(pair.key, self.run / "key.pem")
        bed.own(self.run)
        bed.own(bed.folder / "config")
        self._argv = ["dovecot", "-F", "-c", f"/config/{name}.conf"]
        self._bed = bed
        self.process = bed.start(self._argv, until="starting up for")

    def restart(self) -> None:
        """Start it again after it was ended."""
        self.process = self._bed.start(self._argv, until="starting up for")

    @property
    def socket(self) -> Path:
        """The LMTP socket, as seen from outside."""
        return self.run / "lmtp"

    def clear(self) -> None:
        """Forget all mail."""
        for user in USERS:
            shutil.rmtree(self.mail / user, ignore_errors=True)
