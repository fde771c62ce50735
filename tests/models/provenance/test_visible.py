"""Data are seen through links, each of them once on a way."""

from models.provenance.visible import visible_folders


def seen(root):
    return {str(folder).removeprefix(str(root)): names for folder, names in visible_folders(root)}


def test_links_are_followed_and_hidden_names_left_out(tmp_path):
    root, away = tmp_path / "root", tmp_path / "away"
    for folder in (root / "b", root / ".hidden", away):
        folder.mkdir(parents=True)
    for file in (root / "b" / "2", root / "b" / "1", root / "b" / ".x", away / "3"):
        file.write_text("")
    (root / "a").symlink_to(away)
    (root / "gone").symlink_to(tmp_path / "nowhere")
    assert seen(root) == {"": ["gone"], "/a": ["3"], "/b": ["1", "2"]}
    assert list(seen(root)) == ["", "/a", "/b"]


def test_loops_end_and_two_links_to_one_folder_are_both_seen(tmp_path):
    for folder in ("a", "b", "store"):
        (tmp_path / folder).mkdir()
    (tmp_path / "store" / "file").write_text("")
    for folder, other in (("a", "b"), ("b", "a")):
        (tmp_path / folder / other).symlink_to(tmp_path / other)
        (tmp_path / folder / "up").symlink_to("..")
        (tmp_path / folder / "store").symlink_to(tmp_path / "store")
    paths = seen(tmp_path)
    assert {"/a/store", "/b/store", "/a/b/store", "/b/a/store", "/store"} <= set(paths)
    assert not [folder for folder in paths if "up" in folder or "/a/b/a" in folder]
