"""Settings of Dovecot 2.3 are named with file and line, and with what to write; what cannot be used is not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from rulesmith.container.dovecot_names import GONE, RENAMED
from rulesmith.container.dovecot_settings import findings, problems, settle

# A line, and what to write instead.
LINES = {
    "mail_location = maildir:~/Maildir": "`mail_driver = maildir`, `mail_path = ~/Maildir`",
    "mail_location = mdbox:~/m:INDEX=/x/%u:LAYOUT=fs": "`mail_driver = mdbox`, `mail_path = ~/m`, "
    "`mail_index_path = /x/%u`, `mailbox_list_layout = fs`",
    "disable_plaintext_auth = yes": "`auth_allow_cleartext = no`",
    "disable_plaintext_auth=no": "`auth_allow_cleartext = yes`",
    "ssl_cert = </etc/ssl/dovecot/server.pem # mine": "`ssl_server_cert_file = /etc/ssl/dovecot/server.pem`",
    'ssl_key = "</etc/ssl/x # y.key"': "`ssl_server_key_file = /etc/ssl/x # y.key`",
    "ssl_dh=</etc/dh.pem": "`ssl_server_dh_file = /etc/dh.pem`",
    "ssl_server_cert_file = </x": "`ssl_server_cert_file = /x`",
    "ssl_protocols = !SSLv3": "`ssl_min_protocol = TLSv1.2`",
    "imapsieve_mailbox1_name = Junk": "`mailbox NAME {` with `sieve_script ANY {` in it, as in learning.conf",
    "sieve_before = /x": "`sieve_script ANY {` with `type = …` and `path = …` in it",
    "quota_rule2 = Trash:storage=1G": "`quota_rule NAME {` with its settings in it",
    "plugin {": "the settings in it by themselves, outside of any section, with their new names",
    "passdb {": "`passdb passwd-file {`, and in it `passwd_file_path = FILE` for `args`",
    "userdb {": "`userdb passwd-file {`, and in it `passwd_file_path = FILE` for `args`",
    "auth_username_format = %Lu": "`%{user | lower}`",
    "auth_username_format = %n": "`%{user | username}`",
    "mail_home = /home/%d/%n": "`%{user | domain}`",
    "mail_path = /x/%1Mu/%Uu": "`%{user | upper}`",
    "mail_plugins = $mail_plugins quota": "`mail_plugins {`, a line `quota = yes` for each, `}`",
    "protocols = $protocols lmtp": "`protocols {`, a line `lmtp = yes` for each, `}`",
    "postmaster_address = $mine": "`$SET:mine`",
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_old_is_named_with_what_to_write(line: str) -> None:
    found = list(findings(f"# comment\n\n{line}\n"))
    assert found
    assert {each.line for each in found} == {3}
    assert LINES[line] in [each.instead for each in found], found


@pytest.mark.parametrize("name", [*RENAMED, *GONE])
def test_every_name_that_is_gone_has_a_successor_or_a_word(name: str) -> None:
    (found,) = findings(f"protocol imap {{\n  {name} = yes\n}}\n")
    assert (found.line, found.what) == (2, f"`{name}` is gone")
    assert found.instead


def test_some_names_are_old_only_in_their_section() -> None:
    old = """
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
  }
}
passdb passwd-file {
  driver = passwd-file
  args = scheme=CRYPT /x
}
namespace inbox {
  location = maildir:~/m
}
"""
    assert [(each.line, each.what) for each in findings(old)] == [
        (4, "`address` is gone"),
        (8, "`driver` in `passdb` is gone"),
        (9, "`args` in `passdb` is gone"),
        (12, "`location` is gone"),
    ]


NEW = """
# mail_location = maildir:~/Maildir and %u and $mail_plugins
dovecot_config_version = 2.4.1
mail_driver = maildir
mail_home = /home/%{user | username}
log_timestamp = "%Y-%m-%d %H:%M:%S "
quota_warning_x = 95%%
ssl_server_cert_file = /x
mail_plugins {
  quota = yes
}
mail_plugins = $SET:mail_plugins quota
import_environment {
  TZ = $ENV:TZ
}
passdb passwd-file {
  passwd_file_path = /x
}
quota "User quota" {
  driver = maildir
}
fs cache {
  driver = fscache
  address = x
}
passwd = {PLAIN}pa#$$word
"""


def test_what_is_right_is_left_alone() -> None:
    assert list(findings(NEW)) == []


def test_the_image_s_own_configuration_is_right() -> None:
    for path in (Path(__file__).parents[2] / "image" / "dovecot").glob("*.conf"):
        assert list(findings(path.read_text())) == []


def test_a_variable_that_only_words_the_log_is_not_grave() -> None:
    graves = {
        line: [each.grave for each in findings(line)]
        for line in ("login_log_format_elements = <%u>", "mail_log_prefix = %u", "auth_username_format = %u")
    }
    assert list(graves.values()) == [[False], [False], [True]]


class Bed:
    """A folder as /etc/dovecot, a check that says what it is told to, and what was put back and said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "etc" / "dovecot"
        self.folder.mkdir(parents=True)
        (self.folder / "dovecot.conf").write_text("dovecot_config_version = 2.4.1\n!include_try local.conf\n")
        self.put_back: list[Path] = []
        self.said: list[str] = []
        self.report = folder / "report"

    def settle(self, check: Sequence[str], **files: str) -> list[str]:
        brought = []
        for name, text in files.items():
            path = self.folder / name.replace("_", ".").replace("SLASH", "/")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            brought.append(path)
        settle(brought, self.folder, self.put_back.extend, self.said.append, self.report, ("sh", "-c", *check))
        return problems(self.report)


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    return Bed(tmp_path)


def test_what_dovecot_refuses_is_put_back_and_said(bed: Bed) -> None:
    refusal = f"echo doveconf: Fatal: Error in {bed.folder}/local.conf line 2: bogus >&2; exit 89"
    said = bed.settle([refusal], local_conf="mail_debug = yes\nmail_location = maildir:~/m\n")
    local = bed.folder / "local.conf"
    assert bed.put_back == [local]
    assert bed.said == said
    assert said == [
        f"/config{local}:2: `mail_location` is gone in Dovecot 2.4; write `mail_driver = maildir`, `mail_path = ~/m`",
        f"Dovecot refuses it: Error in /config{local} line 2: bogus",
        "Dovecot runs with the image's own configuration until that is repaired",
    ]


def test_what_dovecot_takes_for_something_else_is_put_back_too(bed: Bed) -> None:
    said = bed.settle(["exit 0"], local_conf="auth_username_format = %Lu\n")
    assert bed.put_back == [bed.folder / "local.conf"]
    assert said[0].endswith("`%Lu` is taken for these very letters in Dovecot 2.4; write `%{user | lower}`")


def test_what_is_right_stays(bed: Bed) -> None:
    assert bed.settle(["exit 0"], local_conf="mail_debug = yes\n") == []
    assert (bed.put_back, bed.said) == ([], [])


def test_log_wording_of_old_is_said_and_stays(bed: Bed) -> None:
    assert bed.settle(["exit 0"], local_conf="mail_log_prefix = %u\n") == []
    assert (bed.put_back, len(bed.said)) == ([], 1)


def test_a_file_that_nothing_includes_is_named(bed: Bed) -> None:
    bed.settle(["exit 0"], conf_dSLASH10_conf="", local_conf="!include_try other.conf\n", other_conf="")
    named = bed.folder / "conf.d" / "10.conf"
    assert bed.said == [f"/config{named}: nothing includes this file; what is in local.conf is read"]


def test_a_whole_configuration_of_old_is_named(bed: Bed) -> None:
    said = bed.settle(["echo bad >&2; exit 89"], dovecot_conf="mail_debug = yes\n!include conf.d/*.conf\n")
    assert said[0].endswith("this is a whole configuration of Dovecot 2.3; keep your own settings in local.conf")
    assert bed.put_back == [bed.folder / "dovecot.conf"]


def test_without_own_files_dovecot_is_not_asked(bed: Bed) -> None:
    settle([], bed.folder, bed.put_back.extend, bed.said.append, bed.report, ("/nonexistent",))
    assert bed.said == []


def test_what_was_repaired_is_no_problem_any_more(bed: Bed) -> None:
    assert bed.settle(["exit 89"], local_conf="bogus = 1\n")
    assert bed.settle(["exit 0"], local_conf="mail_debug = yes\n") == []
    assert bed.settle(["exit 89"], local_conf="bogus = 1\n")
    settle([], bed.folder, bed.put_back.extend, bed.said.append, bed.report)
    assert problems(bed.report) == []
