# A message has come out of Junk or Spam.
require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables", "special-use"];

if environment :matches "imap.mailbox" "*" {
  set "folder" "${1}";
}
# From one of them to the other, and thrown away: no news. Archive has a script of its own.
if anyof (string :matches "${folder}" ["Junk", "Spam", "Trash", "Trash.*", "Archive", "Archive.*"],
          specialuse_exists "${folder}" "\\Junk", specialuse_exists "${folder}" "\\Trash") {
  stop;
}
if environment :matches "imap.user" "*" {
  set "user" "${1}";
}
pipe :copy :try "learn" ["ham", "${user}", "${folder}"];
