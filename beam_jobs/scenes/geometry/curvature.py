"""Computes principal curvatures of any triangle mesh, at its corners: normals are diffused over a
few centimetres, then every face gets a tensor.

Source: Rusinkiewicz, "Estimating Curvatures and Their Derivatives on Triangle Meshes", 3DPVT 2004,
sections 2 and 3; weights are face areas instead of Voronoi areas. Convex is positive on the side
that the faces look to.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models.tasks.arrays import Floats, Integers

CREASE = np.cos(np.radians(45))
# Cells of the grid of `welded`: what lies nearer than this is at one place in either cell.
APART = 0.25
STEEPEST = 200.0  # 1/m: the labels are clipped at 33 already
PAIRS = (
    (0, 0),
    (0, 1),
    (0, 2),
    (1, 1),
    (1, 2),
    (2, 2),
)  # entries of a symmetric tensor that are kept


class Seams(NamedTuple):
    """Pairs of half-edges that lie on each other. Half-edge 3 f + k runs from corner k of face f to
    the next corner. agree [p]: whether both faces are wound alike.
    """

    first: Floats
    second: Floats
    agree: Floats


def principal_curvatures(vertices: Floats, faces: Integers, radius: float = 0.035) -> Floats:
    """Returns [f, 3, 2] curvatures at the corners of the faces, larger first, 1/m.

    vertices [v, 3] metres, faces [f, 3] without degenerate ones. radius: normals are diffused to
    this distance, metres; detail below it is noise of scanners. Duplicate vertices (texture seams)
    count as one; so do faces that lie on each other, which some exporters write to show both sides
    (quads that are cut along either diagonal are two layers).

    An edge of more than 45 degrees whose two faces reach beyond `radius` is a crease, over which
    nothing is averaged: a wall of two triangles stays flat.
    """
    # scanners split vertices at the seams of textures: by number alone, a sphere would fall into
    # patches with borders
    names = welded(vertices)[faces]
    first, twin = np.unique(first_alike(names), return_inverse=True)
    curvature = of_surface(vertices[faces[first]].astype("float64"), names[first], radius)
    if len(first) == len(faces):
        return curvature
    return copied(curvature[twin], names[first][twin], names)


def of_surface(corner: Floats, names: Integers, radius: float) -> Floats:
    """Returns `principal_curvatures` of faces of which no two lie on each other. corner: [f, 3, 3]
    metres; names: [f, 3] of welded vertices.
    """
    spread = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    seams = paired(names, spread)
    # most meshes are wound alike throughout: the search over the graph is left out for them
    flipped = turned(seams, len(names)) if not seams.agree.all() else np.zeros(len(names), bool)
    spread = spread * np.where(flipped, -1.0, 1.0)[:, None]
    nodes = smooth_corners(names, corner, spread, seams, radius)
    normals = diffused(nodes, corner, spread, radius)
    tensors = face_tensors(corner, normals[nodes], spread)
    curvature = at_nodes(tensors, nodes, normals, spread)[nodes]
    # where a face was turned over, both curvatures change sign, and the smaller becomes the larger
    return np.where(flipped[:, None, None], -curvature[..., ::-1], curvature)


def first_alike(names: Integers) -> Integers:
    """Returns [f], the first face with the same three corners [f, 3], in whatever order; mostly the
    face itself.
    """
    corners = np.sort(names, axis=1)
    order = np.lexsort(corners.T[::-1])
    corners = corners[order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (corners[1:] != corners[:-1]).any(1)
    # two corners at one place: a sliver, whose corners cannot be told apart
    is_first |= (corners[:, :-1] == corners[:, 1:]).any(1)
    first = np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))
    alike = np.empty_like(order)
    alike[order] = order[first]
    return alike


def copied(curvature: Floats, names: Integers, corner_names: Integers) -> Floats:
    """Returns [f, 3, 2] curvatures at corners `corner_names` [f, 3], copied from those found at the
    same corners in another order, `names` [f, 3].
    """
    place = (corner_names[:, :, None] == names[:, None]).argmax(2)
    # a face in its own order keeps it, slivers with corners at one place too
    place[(corner_names == names).all(1)] = np.arange(3)
    against = (place[:, 1] - place[:, 0]) % 3 == 2
    curvature = np.take_along_axis(curvature, place[..., None], 1)
    return np.where(against[:, None, None], -curvature[..., ::-1], curvature)


def welded(vertices: Floats) -> Integers:
    """Returns [v], one number for all vertices at one place (to a millionth of the mesh's
    extent).
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    low = vertices.min(0)
    # 20 bits a coordinate: three of them fit into one int64, which sorts many times faster than
    # rows of three
    places = (vertices - low) / max(np.ptp(vertices, axis=0).max(), 1e-9) * ((1 << 20) - 1)
    grid = np.round(places).astype("int64")
    _, first, names = np.unique(
        grid[:, 0] << 42 | grid[:, 1] << 21 | grid[:, 2], return_index=True, return_inverse=True
    )
    names = names.reshape(-1)
    # rounding of float32, as of tiles with transforms of their own, may part what lies together
    # where two cells meet
    beside = places[first]
    near = np.flatnonzero((np.abs(beside - np.round(beside)) > 0.5 - APART).any(1))
    pairs = near[cKDTree(beside[near]).query_pairs(APART, output_type="ndarray")]
    if not len(pairs):
        return np.asarray(names)
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (len(first),) * 2)
    piece = connected_components(graph, False)[1]
    # by the lowest number of each piece: the order of the others stays as it was
    lowest = np.unique(piece, return_index=True)[1][piece]
    return np.asarray(np.unique(lowest[names], return_inverse=True)[1].reshape(-1))


def paired(names: Integers, spread: Floats) -> Seams:
    """Returns the edges that exactly two faces share, and of an edge that four faces share the two
    pairs that continue each other, as in the two layers of a surface that is there twice. spread
    [f, 3]: the faces' normals.
    """
    start, end = names.ravel(), np.roll(names, -1, 1).ravel()
    # both ends in one number, the smaller first: an edge has the same in either face
    edge = np.minimum(start, end) * (names.max() + 1) + np.maximum(start, end)
    order = np.argsort(edge, kind="stable")
    heads = np.flatnonzero(np.diff(edge[order], prepend=-1))
    faces = np.diff(heads, append=len(order))
    # an edge of one face is a border; of three, or more than four, no surface: neither tells how
    # neighbours are wound
    two = heads[faces == 2]
    layered = layers(order[heads[faces == 4][:, None] + np.arange(4)], start, end, spread)
    first = np.concatenate([order[two], layered[:, 0]])
    second = np.concatenate([order[two + 1], layered[:, 1]])
    # two faces that are wound alike run through their common edge in opposite directions
    return Seams(first, second, start[first] == end[second])


def layers(halves: Integers, start: Integers, end: Integers, spread: Floats) -> Integers:
    """Returns [p, 2] pairs of the half-edges [e, 4] of edges that four faces share: those that are
    wound alike and bend least, if they bend less than a crease.
    """
    normal = spread[halves // 3]
    normal = normal / np.linalg.norm(normal, axis=2, keepdims=True)
    ways = np.array([[[0, 1], [2, 3]], [[0, 2], [1, 3]], [[0, 3], [1, 2]]])
    one, other = ways[..., 0], ways[..., 1]
    bend = (normal[:, one] * normal[:, other]).sum(-1)
    bend[start[halves[:, one]] != end[halves[:, other]]] = -1.0
    least = bend.min(2)
    best = least.argmax(1)
    smooth = np.flatnonzero(least.max(1) > CREASE)
    return np.asarray(halves[smooth[:, None, None], ways[best[smooth]]].reshape(-1, 2))


def turned(seams: Seams, count: int) -> Floats:
    """Returns [count] bool, the faces to turn over so that neighbours are wound alike; the lowest
    face of every connected piece stays.
    """
    from scipy.sparse import coo_matrix, csr_matrix
    from scipy.sparse.csgraph import breadth_first_order, connected_components

    # half-edges are numbered 3 f + k
    one, other = seams.first // 3, seams.second // 3
    rows, columns = np.concatenate([one, other]), np.concatenate([other, one])
    graph = csr_matrix((np.ones(len(rows)), (rows, columns)), (count, count))
    seeds = np.unique(connected_components(graph, False)[1], return_index=True)[1]
    # an added root is joined to one face of every piece, so that a single search reaches all
    rooted = coo_matrix(
        (
            np.ones(len(rows) + len(seeds)),
            (np.concatenate([rows, np.full(len(seeds), count)]), np.concatenate([columns, seeds])),
        ),
        (count + 1,) * 2,
    )
    order, before = breadth_first_order(rooted.tocsr(), count)
    against = csr_matrix((np.tile(~seams.agree, 2).astype("int8"), (rows, columns)), (count, count))
    children = order[1:]
    parents = before[children]
    sign_changes = np.zeros(len(children), bool)
    inner = parents < count
    sign_changes[inner] = np.asarray(against[parents[inner], children[inner]]).ravel() > 0
    # Python's own lists: what follows goes face by face, where NumPy's items are slow
    result = [False] * (count + 1)
    # in the order of the search a parent is settled before its children
    for child, parent, differs in zip(children.tolist(), parents.tolist(), sign_changes.tolist()):
        result[child] = result[parent] != differs
    return np.array(result[:count])


def smooth_corners(
    names: Integers, corner: Floats, spread: Floats, seams: Seams, radius: float
) -> Floats:
    """Returns [f, 3], the node of every corner: corners at one vertex share a node unless creases
    lie between them.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    one, other = seams.first // 3, seams.second // 3
    # twice the face's area, as long as the cross product: over an edge's length that is the height
    area = np.linalg.norm(spread, axis=1)
    length = (
        np.linalg.norm(corner[one, (seams.first + 1) % 3] - corner[one, seams.first % 3], axis=1)
        + 1e-12
    )
    bend = (spread[one] * spread[other]).sum(1) / (area[one] * area[other])
    # a small step between two fine faces may be noise of the scanner; only between faces that reach
    # further than the radius is it a crease
    smooth = (bend > CREASE) | (np.minimum(area[one], area[other]) / length < radius)
    first, second = seams.first[smooth], seams.second[smooth]

    def after(half: Integers) -> Integers:
        """Returns the next corner of the same triangle."""
        return half // 3 * 3 + (half + 1) % 3

    # half-edges that start at one vertex (the faces are wound against each other) join crosswise
    alike = names.ravel()[first] == names.ravel()[second]
    starts = np.where(alike, second, after(second))
    ends = np.where(alike, after(second), second)
    rows, columns = np.concatenate([first, after(first)]), np.concatenate([starts, ends])
    graph = coo_matrix((np.ones(len(rows), bool), (rows, columns)), (names.size, names.size))
    return connected_components(graph, False)[1].reshape(names.shape)


def diffused(
    nodes: Floats, corner: Floats, spread: Floats, radius: float, most: int = 60
) -> Floats:
    """Returns [n, 3] unit normals of the nodes: weighted by area, then averaged with their
    neighbours' (Gaussian in the edge's length) until they have spread to `radius`.
    """
    from scipy.sparse import csr_matrix, diags, identity

    sums = [np.bincount(nodes.ravel(), np.repeat(spread[:, k], 3)) for k in range(3)]
    normals = np.asarray(np.stack(sums, 1), "float64")
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-20
    length = np.linalg.norm(np.roll(corner, -1, 1) - corner, axis=-1).ravel()
    # a neighbour further off than two radii would weigh below e^-2
    short = length < 2 * radius
    if not short.any():
        return normals
    start, end = nodes.ravel()[short], np.roll(nodes, -1, 1).ravel()[short]
    near = np.exp(-0.5 * (length[short] / radius) ** 2)
    weight = csr_matrix(
        (np.tile(near, 2), (np.concatenate([start, end]), np.concatenate([end, start]))),
        (len(normals),) * 2,
    ) + identity(len(normals))
    weight = weight @ diags(
        np.bincount(nodes.ravel(), np.repeat(np.linalg.norm(spread, axis=1), 3))
    )  # a vertex weighs as much as its faces' area, so that plates stay flat
    weight = diags(1 / np.asarray(weight.sum(1)).ravel()) @ weight
    # each step adds to the variance, so that the number of steps grows with the square of the
    # radius over an edge
    for _ in range(int(np.clip(round((radius / np.median(length[short])) ** 2 / 2), 1, most))):
        normals = weight @ normals
    return normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-20)


def face_tensors(corner: Floats, normal: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Returns the second fundamental form [f, 3] (uu, uv, vv) of every face, and its frame [f, 2,
    3], by least squares over the three edges (equation 4 of the paper).
    """
    # edge k runs from corner k to the next, and turn k is the difference of the same corners'
    # normals: equation 4 needs them in pairs
    edges = np.roll(corner, -1, 1) - corner
    turns = np.roll(normal, -1, 1) - normal
    size = np.linalg.norm(edges, axis=-1).max(
        1
    )  # without a unit, so that the system is conditioned alike at every scale
    u = edges[:, 0] / np.linalg.norm(edges[:, 0], axis=1, keepdims=True)
    v = np.cross(spread / np.linalg.norm(spread, axis=1, keepdims=True), u)
    eu, ev = (np.einsum("fkc,fc->fk", edges, axis) / size[:, None] for axis in (u, v))
    nu, nv = (np.einsum("fkc,fc->fk", turns, axis) for axis in (u, v))
    uu, uv, vv = (eu * eu).sum(1), (eu * ev).sum(1), (ev * ev).sum(1)
    zero = np.zeros_like(uu)
    # the normal equations of uu, uv, vv; the tiny diagonal keeps slivers, whose edges are parallel,
    # solvable
    system = np.stack([uu, uv, zero, uv, uu + vv, uv, zero, uv, vv], -1).reshape(
        -1, 3, 3
    ) + 1e-9 * np.eye(3)
    right_side = np.stack([(eu * nu).sum(1), (ev * nu + eu * nv).sum(1), (ev * nv).sum(1)], -1)
    return np.linalg.solve(system, right_side[..., None])[..., 0] / size[:, None], np.stack(
        [u, v], 1
    )


def at_nodes(
    forms: tuple[Floats, Floats], nodes: Floats, normals: Floats, spread: Floats
) -> Floats:
    """Returns [n, 2] principal curvatures at the nodes: the faces' forms, with their frames turned
    onto the node's tangent plane (section 3), averaged by area.
    """
    form, frame = forms
    area = np.linalg.norm(spread, axis=1)
    face_normal = spread / area[:, None]
    total = np.zeros((6, len(normals)))
    for k in range(3):
        # by vertices of the smoothed surface, not of the mesh: a crease splits a vertex into
        # several nodes
        normal = normals[nodes[:, k]]
        # 1 + cosine is the denominator of the smallest turn from one normal to the other, and 0 for
        # opposite ones
        bend = np.maximum(1 + (face_normal * normal).sum(1), 0.2)
        u, v = (
            axis - ((axis * normal).sum(1) / bend)[:, None] * (face_normal + normal)
            for axis in (frame[:, 0], frame[:, 1])
        )
        for place, (i, j) in enumerate(PAIRS):
            entry = (
                form[:, 0] * u[:, i] * u[:, j]
                + form[:, 1] * (u[:, i] * v[:, j] + v[:, i] * u[:, j])
                + form[:, 2] * v[:, i] * v[:, j]
            )
            total[place] += np.bincount(nodes[:, k], entry * area, len(normals))
    total /= np.bincount(nodes.ravel(), np.repeat(area, 3), len(normals)) + 1e-20
    tensor = np.empty((len(normals), 3, 3))
    for place, (i, j) in enumerate(PAIRS):
        tensor[:, i, j] = tensor[:, j, i] = total[place]
    return eigenvalues(tensor, normals)


def eigenvalues(tensor: Floats, normals: Floats) -> Floats:
    """Returns [n, 2] eigenvalues, larger first, of the tensors [n, 3, 3] within the planes of the
    normals.
    """
    # of the three axes the one least along the normal: their cross product never vanishes
    least = np.eye(3)[np.abs(normals).argmin(1)]
    u = np.cross(normals, least)
    u /= np.linalg.norm(u, axis=1, keepdims=True) + 1e-20
    v = np.cross(normals, u)
    uu, uv, vv = (np.einsum("ni,nij,nj->n", a, tensor, b) for a, b in ((u, u), (u, v), (v, v)))
    middle = (uu + vv) / 2
    # eigenvalues of a symmetric 2 x 2 matrix: middle +- spread, the larger first by construction
    spread = np.hypot((uu - vv) / 2, uv)
    return np.clip(np.stack([middle + spread, middle - spread], 1), -STEEPEST, STEEPEST)
