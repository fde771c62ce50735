"""The community's tool says that all is well whatever happened; the command does not believe it."""

import os
import stat
import sys

import pytest

from beam_jobs.__main__ import main
from beam_jobs.download.community_tool import TOOL
from models.examples.splits import read_splits

# As the released tool: it makes folder/component/building, passes over what failed, ends with 0.
SCRIPT = """#!{python}
import pathlib, sys
words = sys.argv[1:]
pathlib.Path(r"{place}/said").write_text(" ".join(words))
dest = pathlib.Path(words[words.index("--dest") + 1])
for folder in words[: words.index("--components")]:
    for building in {buildings}:
        if (folder, building) not in {failing}:
            (dest / folder / "taskonomy" / building).mkdir(parents=True, exist_ok=True)
            (dest / folder / "taskonomy" / building / "file").touch()
sys.exit({code})
"""
LISTED = {"ihlen": "test", "hanson": "train", "darden": "val"}
LIST = "id,train,val,test\rhanson,1,0,0\rihlen,0,0,1\rdarden,0,1,0"
WHO = ("--accept-licence", "--name", "A", "--email", "a@example.org")


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """install(failing=..., code=...): a tool on the path, with its own lists beside it."""
    program = tmp_path / "venv" / "bin" / TOOL
    lists = tmp_path.joinpath(
        "venv/lib/python3.9/site-packages/omnidata_tools/dataset/starter_dataset",
        "component_datasets/taskonomy",
    )
    lists.mkdir(parents=True)
    (lists / "train_val_test_tiny.csv").write_text(LIST)
    program.parent.mkdir()
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    def install(failing=(), code=0):
        text = SCRIPT.format(
            python=sys.executable,
            place=tmp_path,
            buildings=list(LISTED),
            failing=list(failing),
            code=code,
        )
        program.write_text(text)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    return install


def command(tmp_path, *more) -> int:
    place = ["--dest", str(tmp_path / "data"), "--domains", "rgb", "normal"]
    return main(["download", "--subset", "tiny", *place, *more])


def test_the_tool_is_preferred_and_told_what_was_asked_for_with_checksums_on(
    tool, tmp_path, capsys
):
    tool()
    assert command(tmp_path, "--accept-licence") == 1
    assert "--name NAME --email ADDRESS" in capsys.readouterr().err
    assert command(tmp_path, *WHO) == 0
    assert "6 folders are here" in capsys.readouterr().out
    said = (tmp_path / "said").read_text()
    assert said.startswith("rgb normal --components taskonomy --subset tiny --dest")
    assert "--ignore_checksum False" in said and said.endswith("--agree_all")
    assert read_splits(tmp_path / "data" / "splits.csv") == LISTED


def test_a_folder_that_did_not_come_is_named_and_ends_with_code_one(tool, tmp_path, capsys):
    tool(failing=[("normal", "ihlen")])
    assert command(tmp_path, *WHO) == 1
    output = capsys.readouterr().err
    assert "1 of 6 folders did not come: normal/ihlen; the same command resumes" in output
    assert read_splits(tmp_path / "data" / "splits.csv") == LISTED


def test_a_folder_with_nothing_in_it_did_not_come(tool, tmp_path, capsys):
    tool(failing=[("rgb", "hanson")])
    (tmp_path / "data" / "rgb" / "taskonomy" / "hanson").mkdir(parents=True)
    assert command(tmp_path, *WHO) == 1
    assert "rgb/hanson" in capsys.readouterr().err


def test_what_the_release_itself_lacks_is_said_and_no_fault(tool, tmp_path, capsys):
    table = tmp_path / "list.csv"
    table.write_text(LIST.replace("\r", "\n") + "\ntomkins,1,0,0\n")
    tool()
    assert command(tmp_path, *WHO, "--splits", str(table)) == 0
    assert "not whole, as published: tomkins (no rgb)" in capsys.readouterr().err


def test_a_tool_that_fails_or_has_no_list_is_an_error(tool, tmp_path, capsys):
    tool(code=3)
    assert command(tmp_path, *WHO) == 1
    assert "ended with code 3" in capsys.readouterr().err
    assert main(["download", "--dest", str(tmp_path), "--subset", "fullplus", *WHO]) == 1
    assert "has no list of them" in capsys.readouterr().err
