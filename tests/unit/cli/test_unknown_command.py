# SPDX-License-Identifier: Apache-2.0
"""A command that is none: one sentence, what may be meant, and exit code 2."""

import pytest

from tests.unit import commandline


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("nonsense", ""),
        ("statsu", " (did you mean status?)"),
        ("histroy list", " (did you mean history list, or history events, or histo"),
        ("history lst", " (did you mean history list, or history events, or histo"),
    ],
)
@pytest.mark.parametrize(
    "how", ["{}", "{} --help", "help {}", "--help {}", "{} -f json"]
)
def test_what_is_said(words: str, meant: str, how: str) -> None:
    answer = commandline.run(*how.format(words).split())
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"nova-ha: there is no command {words}{meant}")
    assert answer.err.endswith("; nova-ha --help lists all\n")
    assert answer.err.count("\n") == 1


def test_the_commands_of_a_group() -> None:
    for words in (("help", "maintenance"), ("maintenance", "--help")):
        answer = commandline.run(*words)
        assert answer.code == 0
        assert "maintenance start" in answer.out
    answer = commandline.run("maintenance")
    assert answer.code == 2
    assert "maintenance start" in answer.err


def test_help_behind_all_that_was_typed_is_that_of_the_command() -> None:
    typed = "maintenance start c1 --reason cables --help"
    answer = commandline.run(*typed.split())
    assert (answer.code, answer.err) == (0, "")
    assert " maintenance start [-h]" in answer.out.splitlines()[0]
