"""Paeth's row filter of PNG undone a pixel at a time: all its bytes in one vector register.

Every pixel needs the one before it, so compilers find nothing to vectorise along a row, and most
rows of photographs and maps are filtered so. The few instructions that a pixel takes are written
here for LLVM, which numba compiles with, and so for any processor: half the time of the same rule
byte by byte.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

LANES = 4  # bytes that are read and written at once: of a pixel, and what is then written again


@intrinsic
def undo_paeth(typing: Any, row: Any, above: Any, line: Any, step: Any) -> tuple[Any, Any]:
    """Writes the pixels of a row under Paeth's filter, whose first is written already (PNG
    specification, section 9.4), as far as LANES bytes from where they begin lie within the row.
    row: the filtered bytes; above: the line above; all uint8 [at least LANES bytes], contiguous.
    step: bytes of a pixel, at most LANES.
    """

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        arrays = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args[:3], values[:3], strict=True)
        ]
        row_at, above_at, line_at = (array.data for array in arrays)
        step = values[3]
        narrow = ir.VectorType(ir.IntType(8), LANES)
        # sums of three bytes, and their differences
        wide = ir.VectorType(ir.IntType(16), LANES)
        three = ir.Constant(wide, [3] * LANES)
        byte = ir.Constant(wide, [255] * LANES)

        def place(start: Any, at: Any) -> Any:
            return builder.bitcast(builder.gep(start, [at]), narrow.as_pointer())

        def pixel(start: Any, at: Any) -> Any:
            return builder.zext(builder.load(place(start, at), align=1), wide)

        first = ir.Constant(step.type, 0)
        left = cgutils.alloca_once_value(builder, pixel(line_at, first))
        corner = cgutils.alloca_once_value(builder, pixel(above_at, first))
        end = builder.sub(arrays[0].nitems, ir.Constant(step.type, LANES - 1))
        with cgutils.for_range_slice(builder, step, end, step) as (at, _):
            a = builder.load(left)
            b = pixel(above_at, at)
            c = builder.load(corner)
            # the rule of `png_rows.nearest`
            ordered = builder.icmp_signed("<", a, b)
            least = builder.select(ordered, a, b)
            most = builder.select(ordered, b, a)
            edge = builder.sub(builder.sub(builder.mul(three, c), b), a)
            inner = builder.select(builder.icmp_signed("<=", most, edge), least, c)
            nearest = builder.select(builder.icmp_signed("<=", edge, least), most, inner)
            written = builder.and_(builder.add(pixel(row_at, at), nearest), byte)
            builder.store(builder.trunc(written, narrow), place(line_at, at), align=1)
            builder.store(written, left)
            builder.store(b, corner)
        return context.get_dummy_value()

    return types.void(row, above, line, step), code
