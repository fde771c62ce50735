"""Every command says what it is for, and ends with a code that a script can trust."""

import pytest

from beam_jobs.__main__ import COMMANDS, main


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"python -m beam_jobs {command}" in capsys.readouterr().out


def test_an_error_is_one_line_and_exit_code_one(tmp_path, capsys):
    assert main(["statistics", "--data", str(tmp_path)]) == 1
    output = capsys.readouterr().err
    assert output.startswith("error: expected views in the published layout")
    assert output.count("\n") == 1
