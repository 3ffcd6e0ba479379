"""From text to tree: lexer, grammar, parser and recovery."""
