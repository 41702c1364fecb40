"""Anatomy of the abdominal phantom: what lies where, in mm, and what it looks like on CT.

Coordinates: x to the patient's right, y to the front, z upwards, origin in the middle of the trunk at about
    the first
lumbar vertebra. Sizes are those of an average adult, scaled to the patient; HU are textbook values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmseg_ext.data.phantoms.random_fields import smooth_field
from mmseg_ext.data.phantoms.shapes import OUTSIDE, Grid, Vector, joined

ORGANS = ("aorta", "gallbladder", "left_kidney", "right_kidney", "liver", "pancreas", "spleen", "stomach")
"""Organs in the order of their ids, which start at 1; the eight of the Synapse multi-organ benchmark."""

AIR, LUNG, FAT, MUSCLE = -1000.0, -840.0, -105.0, 55.0
LUNG_FLOOR = 25.0
"""Height in mm below which there is no lung."""


@dataclass(frozen=True)
class Patient:
    """What makes one patient differ from another."""

    half_width: float
    half_depth: float
    fat: float
    """Thickness of the fat under the skin in mm."""
    phase: float
    """Time after contrast injection: 0 arterial, 1 portal venous."""
    missing: frozenset[str]
    """Organs the patient does not have."""


def draw_patient(rng: np.random.Generator) -> Patient:
    """Return a random patient."""
    build = rng.uniform(-1, 1)
    missing = set()
    if rng.random() < 0.2:
        missing.add("gallbladder")
    if rng.random() < 0.08:
        missing.add(str(rng.choice(["left_kidney", "right_kidney"])))
    return Patient(
        half_width=160 + 22 * build + rng.normal(0, 4),
        half_depth=112 + 17 * build + rng.normal(0, 4),
        fat=float(np.clip(17 + 9 * build + rng.normal(0, 3), 7, 32)),
        phase=rng.uniform(0, 1),
        missing=frozenset(missing),
    )


class Painter:
    """A scan being painted: later shapes cover earlier ones."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.hounsfield = np.full(grid.x.shape, AIR, np.float32)
        self.labels = np.zeros(grid.x.shape, np.uint8)

    def paint(self, distance: np.ndarray, value: float | np.ndarray, organ: str | None = None) -> None:
        """Cover the inside of a shape with a tissue; what is not an organ erases the labels below it."""
        share = self.grid.cover(distance)
        self.hounsfield += share * (value - self.hounsfield)
        self.labels[share >= 0.5] = ORGANS.index(organ) + 1 if organ else 0


def paint_patient(rng: np.random.Generator, painter: Painter, patient: Patient) -> None:
    """Paint a whole patient, from the outside in and from back to front."""
    grid = painter.grid
    texture = smooth_field(rng, grid.x.shape, (30, 30, 12))
    cavity = _trunk(painter, patient, texture)
    scale = np.array([patient.half_width / 160, patient.half_depth / 112, 1.0])
    context = _Inside(rng, painter, patient, cavity, texture, scale)
    _bowel(context)
    _skeleton(context)
    _digestive(context)
    _solid_organs(context)
    _vessels(context)


@dataclass(frozen=True)
class _Inside:
    """The cavity of the trunk and how to place organs in it."""

    rng: np.random.Generator
    painter: Painter
    patient: Patient
    cavity: np.ndarray
    texture: np.ndarray
    scale: np.ndarray

    def at(self, x: float, y: float, z: float, spread: float = 4.0) -> Vector:
        """Return a place, scaled to the patient and moved at random by `spread` mm."""
        moved = np.array([x, y, z]) * self.scale + self.rng.normal(0, spread, 3) * [0.7, 0.7, 1]
        return (float(moved[0]), float(moved[1]), float(moved[2]))

    def radii(self, x: float, y: float, z: float, spread: float = 0.08) -> Vector:
        """Return radii, scaled to the patient and by a random factor."""
        grown = np.array([x, y, z]) * self.scale**0.7 * np.exp(self.rng.normal(0, spread, 3).clip(-0.2, 0.2))
        return (float(grown[0]), float(grown[1]), float(grown[2]))

    def enhanced(self, arterial: float, portal: float, spread: float = 6.0) -> float:
        """Return the HU of a tissue in the patient's contrast phase."""
        return float(arterial + (portal - arterial) * self.patient.phase + self.rng.normal(0, spread))

    def organ(self, name: str, distance: np.ndarray, value: float | np.ndarray, grain: float = 5.0) -> None:
        """Paint an organ, if the patient has it, inside the cavity with a texture of `grain` HU."""
        if name not in self.patient.missing:
            self.painter.paint(np.maximum(distance, self.cavity + 2), value + grain * self.texture, name)


def _trunk(painter: Painter, patient: Patient, texture: np.ndarray) -> np.ndarray:
    """Paint skin, fat and the muscle wall; return the signed distance to the cavity inside."""
    grid = painter.grid
    a, b = patient.half_width, patient.half_depth
    skin = grid.cylinder((0, 0), (a, b), 2.3)
    painter.paint(skin, 10)
    painter.paint(skin + 2.5, FAT + 6 * texture)
    wall = grid.cylinder((0, -0.12 * patient.fat), (a - patient.fat * 1.1, b - patient.fat), 2.2)
    painter.paint(wall, MUSCLE + 6 * texture)
    cavity = wall + 11
    painter.paint(cavity, FAT + 8 * texture)
    # Above the diaphragm the cavity is lung; the diaphragm stands highest in the middle of each side.
    dome = joined(
        grid.ellipsoid((0.42 * a, 5, -40), (0.62 * a, 0.86 * b, 128)),
        grid.ellipsoid((-0.42 * a, 5, -40), (0.6 * a, 0.86 * b, 118)),
        30,
    )
    lung = np.maximum(cavity, np.maximum(-dome, LUNG_FLOOR - grid.z))
    painter.paint(lung, LUNG + 25 * texture)
    painter.paint(np.maximum(cavity + 6, grid.ellipsoid((-12, 38, 118), (58, 52, 50))), 110)
    return np.where(grid.z > LUNG_FLOOR, np.maximum(cavity, dome), cavity)


def _bowel(inside: _Inside) -> None:
    """Paint loops of small bowel and the colon: neighbours that look like organs and are none."""
    rng, painter, grid = inside.rng, inside.painter, inside.painter.grid
    for _ in range(18):
        centre = inside.at(rng.uniform(-85, 75), rng.uniform(-5, 78), rng.uniform(-100, -22))
        radius = rng.uniform(12, 19)
        radii = (radius * rng.uniform(1, 2), radius, radius * rng.uniform(1, 1.6))
        loop = grid.ellipsoid(centre, radii, rng.uniform(0, np.pi))
        painter.paint(np.maximum(loop, inside.cavity + 2), rng.uniform(30, 75))
        painter.paint(np.maximum(loop + 4, inside.cavity + 2), rng.uniform(5, 35) + 8 * inside.texture)
    for side, top in ((1, -18), (-1, 10)):
        places = ((108, -18, -110), (110, -12, -50), (100, 8, top))
        path = [inside.at(side * x, y, z, 3) for x, y, z in places]
        colon = np.maximum(grid.tube(path, [24, 20, 19]), inside.cavity + 2)
        painter.paint(colon, 45)
        painter.paint(colon + 3.5, -30 + 60 * inside.texture)
        painter.paint(np.maximum(colon + 4, path[1][1] + 4 - grid.y), -880)


def _skeleton(inside: _Inside) -> None:
    """Paint back muscles, vertebrae and ribs."""
    painter, grid, scale = inside.painter, inside.painter.grid, inside.scale
    middle, depth = float(-50 * scale[1]), float(scale[1])
    for side in (1, -1):
        erector = grid.cylinder((side * 33.0, -80 * depth), (32, 21))
        painter.paint(erector, MUSCLE + 6 * inside.texture)
        psoas = grid.tube([(side * 26.0, middle + 4, 0.0), (side * 36.0, middle + 8, -110.0)], [8, 24])
        painter.paint(psoas, MUSCLE + 4 * inside.texture)
        crus = grid.tube([(side * 14.0, middle + 27, 10.0), (side * 17.0, middle + 24, 90.0)], [6, 7])
        painter.paint(crus, MUSCLE)
    in_level = np.cos((grid.z - inside.rng.uniform(0, 34)) * (2 * np.pi / 34))
    disc = np.clip((in_level - 0.72) / 0.15, 0, 1)
    body = grid.cylinder((0, middle), (23, 17))
    painter.paint(body, 430 - 320 * disc)
    painter.paint(body + 3, 190 + 25 * inside.texture - 100 * disc)
    arch = grid.cylinder((0, middle - 26 * depth), (16, 12))
    painter.paint(arch, 380 - 250 * disc)
    for side in (1, -1):
        transverse = grid.cylinder((side * 27.0, middle - 27), (17, 5))
        painter.paint(np.where(in_level < -0.35, transverse, OUTSIDE), 330)
    spinous = grid.cylinder((0, middle - 44 * depth), (4.5, 13))
    painter.paint(np.where(in_level < 0.3, spinous, OUTSIDE), 360)
    painter.paint(grid.cylinder((0, middle - 26 * depth), (9, 8)), 30)
    _ribs(inside)


def _ribs(inside: _Inside) -> None:
    """Paint ribs as oblique bars in the muscle wall, lower in front than at the back."""
    grid = inside.painter.grid
    angle = np.arctan2(np.abs(grid.x), -grid.y)
    height = grid.z + 42 * angle
    bar = np.abs((height + inside.rng.uniform(0, 30)) % 30 - 15) - 5.5
    wall = np.abs(np.maximum(inside.cavity, -60) - 4) - 4.0
    # The lowest ribs end half way round the trunk, the upper ones turn into cartilage in front.
    end = 10 * (angle - np.clip(1.35 + grid.z / 90, 0.6, 2.2))
    rib = np.maximum(np.maximum(bar, wall), np.maximum(end, 10 * (0.5 - angle)))
    inside.painter.paint(rib, 420)
    inside.painter.paint(rib + 3, 230)


def _digestive(inside: _Inside) -> None:
    """Paint liver and stomach."""
    rng, painter, grid = inside.rng, inside.painter, inside.painter.grid
    right = grid.ellipsoid(inside.at(82, -2, 22), inside.radii(68, 84, 72))
    left = grid.ellipsoid(inside.at(4, 52, 48), inside.radii(78, 34, 34), rng.normal(0.1, 0.08))
    liver = joined(right, left, 22)
    inside.organ("liver", liver, inside.enhanced(72, 115))
    for _ in range(5):
        # Portal and hepatic veins: brighter than the liver once the contrast has come round.
        start = inside.at(35, 15, 25)
        end = inside.at(rng.uniform(40, 110), rng.uniform(-45, 50), rng.uniform(10, 75))
        vein = np.where(painter.labels == ORGANS.index("liver") + 1, grid.tube([start, end], [5.5, 2.0]), OUTSIDE)
        painter.paint(vein, inside.enhanced(75, 165), "liver")
    body = [inside.at(-52, 5, 72), inside.at(-66, 28, 40), inside.at(-50, 55, 12), inside.at(-8, 62, -4)]
    stomach = grid.tube(body, [30, rng.uniform(30, 40), rng.uniform(22, 30), 16])
    inside.organ("stomach", stomach, inside.enhanced(80, 95))
    content = float(rng.choice([rng.uniform(5, 40), rng.uniform(150, 260)], p=[0.7, 0.3]))
    inside.organ("stomach", stomach + 5, content, 14)
    level = float(rng.uniform(45, 75) * inside.scale[1])
    inside.organ("stomach", np.maximum(stomach + 5, level - grid.y), -940, 0)


def _solid_organs(inside: _Inside) -> None:
    """Paint spleen, kidneys, pancreas and gallbladder."""
    rng, grid = inside.rng, inside.painter.grid
    spleen = grid.ellipsoid(inside.at(-112, -32, 36), inside.radii(27, 46, 46), rng.normal(-0.25, 0.1))
    inside.organ("spleen", spleen, inside.enhanced(118, 122))
    for name, side, height in (("left_kidney", -1, -12), ("right_kidney", 1, -28)):
        _kidney(inside, name, side, inside.at(side * 66, -44, height))
    pancreas_path = [
        inside.at(36, 20, -22, 3), inside.at(26, 30, -6, 3), inside.at(0, 36, 4, 3),
        inside.at(-34, 22, 12, 3), inside.at(-66, 2, 20, 3), inside.at(-86, -12, 26, 3),
    ]  # fmt: skip
    thickness = rng.uniform(0.85, 1.2)
    pancreas = grid.tube(pancreas_path, [thickness * radius for radius in (15, 14, 10, 11, 11, 8)])
    inside.organ("pancreas", pancreas + 2.5 * inside.texture, inside.enhanced(108, 88), 10)
    gallbladder = grid.ellipsoid(inside.at(52, 46, -14), inside.radii(15, 20, 25, 0.15), rng.normal(0, 0.4))
    inside.organ("gallbladder", gallbladder, rng.uniform(4, 18), 3)


def _kidney(inside: _Inside, name: str, side: int, centre: Vector) -> None:
    """Paint a kidney: cortex, medulla, and the fat of the sinus that opens towards the spine."""
    if name in inside.patient.missing:
        return
    painter, grid, rng = inside.painter, inside.painter.grid, inside.rng
    radii = inside.radii(29, 31, 54)
    turn = -side * rng.uniform(0.3, 0.6)
    kidney = grid.ellipsoid(centre, radii, turn)
    painter.paint(kidney - 7, FAT)
    medial = (centre[0] - side * 0.62 * radii[0], centre[1] + 0.25 * radii[1], centre[2])
    sinus = grid.ellipsoid(medial, (0.6 * radii[0], 0.3 * radii[1], 0.4 * radii[2]), turn)
    kidney = np.maximum(kidney, -sinus)
    inside.organ(name, kidney, inside.enhanced(185, 190))
    inside.organ(name, kidney + 8, inside.enhanced(95, 165) + 12 * inside.texture)


def _vessels(inside: _Inside) -> None:
    """Paint the vena cava and the aorta in front of the spine."""
    painter, grid, scale = inside.painter, inside.painter.grid, inside.scale
    front = float(-50 * scale[1] + 17)
    cava: list[Vector] = [(22, front + 9, -120), (23, front + 10, -20), (28, front + 22, 90)]
    painter.paint(grid.tube(cava, [10, 11, 13]), inside.enhanced(70, 150))
    wiggle = [float(value) for value in inside.rng.normal(0, 3, 3)]
    aorta: list[Vector] = [
        (-9 + wiggle[0], front + 10, -120),
        (-10 + wiggle[1], front + 11, 0),
        (-8 + wiggle[2], front + 9, 110),
    ]
    radius = inside.rng.uniform(9, 12.5)
    inside.organ("aorta", grid.tube(aorta, [0.85 * radius, radius, 1.1 * radius]), inside.enhanced(320, 160), 3)
