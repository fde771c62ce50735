"""Parameters of the parts of the released data that were labelled differently."""

from __future__ import annotations

from dataclasses import dataclass

from beam_jobs.compare.frames import Frame


@dataclass(frozen=True)
class Component:
    """A part of the released data and the parameters it was labelled with. depth_units: codes a
    metre. texture_sigma: smoothing of edge_texture in pixels of a 512 image (differs between the
    released parts). keypoint_units: codes a metre by which the released 3D keypoints were made;
    HM3D's were made as if its depth had the scale of all others.
    """

    name: str
    depth_units: float
    texture_sigma: float
    keypoint_units: float = 512

    def words(self) -> str:
        """Returns the parameters in words."""
        return (
            f"{self.name}: {self.depth_units:g} depth codes a metre ({self.keypoint_units:g} for "
            f"3D keypoints), texture edges smoothed by {self.texture_sigma:g} of 512 pixels"
        )


COMPONENTS = {
    "taskonomy": Component("taskonomy", 512, 3.0),
    "replica": Component("replica", 512, 3.0),
    "hm3d": Component("hm3d", 8192, 0.5),
}
# Released frames that lie loose, without the name of their component.
LOOSE_FRAMES = {"point_202_view_5": "taskonomy", "point_47_view_25": "replica"}


def component_of(frame: Frame) -> str:
    """Returns the name of a frame's component, told by the folders that it lies in, else by its own
    name, else "taskonomy".
    """
    # the nearest folder first
    for part in frame.rgb.parent.parts[::-1]:
        if part in COMPONENTS:
            return part
    return LOOSE_FRAMES.get(frame.name, "taskonomy")
