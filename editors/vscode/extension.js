// Starts `rulesmith lsp` for files of the language "fdm"; everything else is the server's.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = () => {
  const command = workspace.getConfiguration("rulesmith").get("command");
  client = new LanguageClient("rulesmith", { command, args: ["lsp"] }, { documentSelector: [{ language: "fdm" }] });
  return client.start();
};

exports.deactivate = () => client?.stop();
