"""A mesh as a scene that cameras look at: its colours, and what its pictures come to."""

from made_meshes import checkers

from beam_jobs.scenes.scans.mesh_file import read_mesh
from beam_jobs.scenes.scans.scan import Scan

WALL = "v 0 0 0\nv 4 0 0\nv 4 0 4\nv 0 0 4\nvt 0 0\nvt 1 0\nvt 1 1\n"


def test_a_picture_of_faces_without_area_alone_is_no_hindrance(tmp_path):
    checkers().save(tmp_path / "wall.png")
    (tmp_path / "a.mtl").write_text("newmtl bare\nnewmtl wall\nmap_Kd wall.png\n")
    faces = "usemtl bare\nf 1 2 3\nf 1 3 4\nusemtl wall\nf 1/1 2/2 1/3\n"
    (tmp_path / "room.obj").write_text(f"mtllib a.mtl\n{WALL}{faces}")
    mesh = read_mesh(tmp_path / "room.obj")
    assert len(mesh.pictures) == 1 and len(Scan(mesh).normal) == 2
