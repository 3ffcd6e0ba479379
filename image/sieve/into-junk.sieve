# A message has come into Junk or Spam.
require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables"];

if environment :matches "imap.user" "*" {
  set "user" "${1}";
}
if environment :matches "imap.mailbox" "*" {
  set "folder" "${1}";
}
pipe :copy :try "learn" ["spam", "${user}", "${folder}"];
