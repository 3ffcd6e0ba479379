"""Regular expressions as fdm knows them: parsed, translated to `re`, and searched within bounds."""
