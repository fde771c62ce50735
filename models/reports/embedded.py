"""Embeds files in the page: pictures as data URIs, and the files of the explorer's build."""

from __future__ import annotations

import base64
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from models.reports.legends import legend_words
from models.reports.run_files import Run
from models.taxonomy.facts import Facts

BUILT = Path(__file__).parent / "explorer" / "built"
MOST_PICTURES = 8 << 20  # bytes, before base64 makes them a third larger
TYPES = {".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg"}


def data_uri(path: Path) -> str:
    return f"data:{TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def pictures(run: Run) -> tuple[list[Facts], int]:
    """Returns (entries of pictures.json with the content of every picture inside, number of entries
    left out). Entries are left out if a file is missing or lies outside the run's folder, or if the
    page has no more room.
    """
    room = MOST_PICTURES
    entries: list[Facts] = []
    for entry in run.pictures:
        paths = [cell["picture"] for row in entry["rows"] for cell in row if cell.get("picture")]
        files = [inside(run.folder, path) for path in paths]
        if any(file is None for file in files):
            continue
        room -= sum(file.stat().st_size for file in files if file)
        if room < 0:
            break
        rows = [[with_content(run.folder, cell) for cell in row] for row in entry["rows"]]
        note = legend_words(entry["task"], entry.get("note", ""))
        entries.append({**entry, "note": note, "rows": rows})
    return entries, len(run.pictures) - len(entries)


def with_content(folder: Path, cell: Facts) -> Facts:
    """Returns a cell with its picture's content and size; a cell without a picture is unchanged."""
    if not cell.get("picture"):
        return cell
    path = folder / cell["picture"]
    return {**cell, "content": data_uri(path), "size": size_of(path)}


def size_of(path: Path) -> tuple[int, int] | None:
    """Returns (width, height) in pixels, so that a page can reserve a picture's place before it is
    loaded; None for a file that is no picture.
    """
    try:
        with Image.open(path) as image:
            return image.size
    except UnidentifiedImageError:
        return None


def inside(folder: Path, path: str) -> Path | None:
    """Returns the path of a picture if it exists and lies below the folder, otherwise None."""
    # links are followed first, because their targets must lie below the folder, too
    file = (folder / path).resolve()
    is_picture = file.suffix in TYPES and file.is_file() and file.is_relative_to(folder.resolve())
    return file if is_picture else None


def script(name: str) -> str:
    """Returns a built script, made safe inside a <script> element."""
    # the text `</script>` would end the element even inside a string
    return (BUILT / name).read_text().replace("</", "<\\/")


def style() -> str:
    return (BUILT / "page.css").read_text()


def packed_file(name: str) -> str:
    """Returns a built file, which is gzip already, as base64."""
    return base64.b64encode((BUILT / name).read_bytes()).decode()
