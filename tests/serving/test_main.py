"""The command line of serving: every verb says what it does, one spelling an option."""

import argparse

import pytest

from serving.__main__ import parser


def verbs():
    (commands,) = [
        action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)
    ]
    return commands.choices


@pytest.mark.parametrize("name", verbs())
def test_every_verb_says_what_it_does_and_shows_a_line_that_parses(name):
    verb = verbs()[name]
    assert verb.description and verb.description[0].isupper()
    lead = "example: python -m serving "
    assert verb.epilog.startswith(f"{lead}{name} ")
    assert parser().parse_args(verb.epilog.removeprefix(lead).split()).command == name


@pytest.mark.parametrize("name", sorted(set(verbs()) - {"serve"}))
def test_verbs_other_than_serve_show_hyphens_alone(name):
    shown = [
        option
        for action in verbs()[name]._actions
        if action.help is not argparse.SUPPRESS
        for option in action.option_strings
    ]
    assert not [option for option in shown if "_" in option]


FORMER = [
    ("ask --image a.png", "--model_name", "--model-name", "x"),
    ("console", "--model_name", "--model-name", "x"),
    ("console", "--model_base_path", "--model-base-path", "x"),
    ("validate x", "--longest", "--max-latency", "3"),
    ("validate x", "--largest_mib", "--largest-mib", "3"),
    ("validate x", "--public_key", "--public-key", "x"),
    ("push x y", "--sign_key", "--sign-key", "x"),
]


@pytest.mark.parametrize(("words", "former", "option", "value"), FORMER)
def test_former_spellings_mean_the_same_and_are_in_no_help_text(words, former, option, value):
    def parsed(*more):
        return parser().parse_args([*words.split(), *more])

    assert parsed(former, value) == parsed(option, value) != parsed()
    said = verbs()[words.split()[0]].format_help()
    assert option in said and former not in said
