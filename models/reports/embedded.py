"""Files inside the page: pictures as data URIs, and what the explorer's build made."""

from __future__ import annotations

import base64
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from models.reports.legends import legend_words
from models.reports.run_files import Facts, Run

BUILT = Path(__file__).parent / "explorer" / "built"
MOST_PICTURES = 8 << 20  # bytes, before base64 makes four of three
TYPES = {".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg"}


def data_uri(path: Path) -> str:
    return f"data:{TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def pictures(run: Run) -> tuple[list[Facts], int]:
    """(entries of pictures.json with every path below the run's folder replaced by its content, how
    many entries were left out: files that are gone, or beyond the page's room).
    """
    room = MOST_PICTURES
    shown: list[Facts] = []
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
        shown.append({**entry, "note": note, "rows": rows})
    return shown, len(run.pictures) - len(shown)


def with_content(folder: Path, cell: Facts) -> Facts:
    """a cell with its picture's content and size; one without a picture as it is."""
    if not cell.get("picture"):
        return cell
    path = folder / cell["picture"]
    return {**cell, "content": data_uri(path), "size": size_of(path)}


def size_of(path: Path) -> tuple[int, int] | None:
    """(width, height) in pixels, so that a page keeps the place of a picture that is not there yet;
    None for what is no picture after all.
    """
    try:
        with Image.open(path) as image:
            return image.size
    except UnidentifiedImageError:
        return None


def inside(folder: Path, path: str) -> Path | None:
    """the picture, if it is one and lies below the folder."""
    # links are followed first: what they lead to must lie below the folder, too
    file = (folder / path).resolve()
    is_picture = file.suffix in TYPES and file.is_file() and file.is_relative_to(folder.resolve())
    return file if is_picture else None


def script(name: str) -> str:
    """a built script, safe inside a <script> element."""
    # the text `</script>` would end the element, wherever it stands
    return (BUILT / name).read_text().replace("</", "<\\/")


def style() -> str:
    return (BUILT / "page.css").read_text()


def packed_file(name: str) -> str:
    """a built file that is gzip already, as base64."""
    return base64.b64encode((BUILT / name).read_bytes()).decode()
