"""Decodes images inside the graph: JPEG and PNG bytes to what the networks were trained on.

The size of a picture is read from its header and judged before a pixel is decoded, since 50 KB of
PNG can unpack to gigabytes.
"""

from __future__ import annotations

from typing import Any

# Pixels; 24-megapixel cameras pass, a decoded picture stays below 96 MiB.
LARGEST_SIDE = 8192
LARGEST_AREA = 32 << 20
# pictures of a batch that are decoded in parallel, so that a batch of large ones stays bounded too
AT_ONCE = 4
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"


def decode(data: Any, size: int, images: int) -> Any:
    """Decodes strings [N] or [N, k] of JPEG or PNG to float [N, S, S, 3] or [N, k, S, S, 3] in [0,
    1], as ingest makes training images.

    A picture is cut square at its centre. Raises InvalidArgumentError, when it runs, for anything
    but JPEG and PNG, for damaged files and for pictures of more than LARGEST_SIDE pixels a side or
    LARGEST_AREA in all.
    """
    import tensorflow as tf

    # picture by picture: they differ in size, and only the small ones make a batch
    flat = tf.map_fn(
        lambda text: shrunk(pixels_of(text), size),
        tf.reshape(data, [-1]),
        fn_output_signature=tf.TensorSpec([size, size, 3], tf.float32),
        parallel_iterations=AT_ONCE,
    )
    return flat if images == 1 else tf.reshape(flat, [-1, images, size, size, 3])


def pixels_of(text: Any) -> Any:
    """Decodes a scalar string to uint8 [H, W, 3]; alpha is dropped, grey repeated."""
    import tensorflow as tf

    head = tf.strings.join([text, b"\0" * 33])  # substr refuses to read past the end
    is_jpeg = tf.equal(tf.strings.substr(head, 0, 3), _JPEG)
    is_png = tf.equal(tf.strings.substr(head, 0, 8), _PNG)
    # each header is read by its own rules, and only one of them is there
    sides = tf.cond(is_jpeg, lambda: jpeg_sides(text), lambda: png_sides(head))
    # the raw operation: `tf.debugging.Assert` would put a condition of functions around it
    kind_check = tf.raw_ops.Assert(
        condition=is_jpeg | is_png,
        data=["expected the bytes of a JPEG or PNG picture, got neither"],
        summarize=1,
    )
    # in 64 bits: two sides of 16 bits each may overflow 32
    area = tf.reduce_prod(tf.cast(sides, tf.int64))
    fits = tf.reduce_all((sides > 0) & (sides <= LARGEST_SIDE)) & (area <= LARGEST_AREA)
    # what is no picture at all is refused first: its "size" is made of random bytes
    with tf.control_dependencies([kind_check]):
        words = (
            f"expected a picture of at most {LARGEST_SIDE} pixels a side and {LARGEST_AREA} in "
            "all, got"
        )
        small = tf.raw_ops.Assert(
            condition=fits, data=[words, sides[0], "x", sides[1]], summarize=4
        )
    # decoding waits for both judgements: without the dependency it might run beside them
    with tf.control_dependencies([kind_check, small]):
        text = tf.identity(text)
    pixels = tf.cond(
        is_jpeg,
        # as OpenCV's decoder works, by which training pictures were read
        lambda: tf.io.decode_jpeg(text, 3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_png(text, 3),
    )
    # the decoders leave height and width open; three channels are certain
    return tf.ensure_shape(pixels, [None, None, 3])


def jpeg_sides(text: Any) -> Any:
    """Returns [width, height] int32 from the frame header of a JPEG."""
    import tensorflow as tf

    # the operation answers height, width, channels
    return tf.image.extract_jpeg_shape(text)[1::-1]


def png_sides(head: Any) -> Any:
    """Returns [width, height] int32 from IHDR of a PNG; a side that needs 32 bits comes out
    negative.
    """
    import tensorflow as tf

    # IHDR is always the first chunk: width and height are bytes 16 to 23
    return tf.io.decode_raw(tf.strings.substr(head, 16, 8), tf.int32, little_endian=False)


def shrunk(pixels: Any, size: int) -> Any:
    """Converts uint8 [H, W, 3] to float [S, S, 3] in [0, 1]: OpenCV's resize in TensorFlow's
    operations (models/examples/resize.py).

    By area where the picture is larger: equal to OpenCV's in every pixel, which rounds halves up at
    a ratio of exactly two and to even otherwise. Bilinear where it is smaller: within one code of
    OpenCV's fixed-point arithmetic.
    """
    import tensorflow as tf

    height = tf.shape(pixels)[0]
    width = tf.shape(pixels)[1]
    side = tf.minimum(height, width)
    top = (height - side) // 2
    left = (width - side) // 2
    square = pixels[None, top : top + side, left : left + side]

    def by_area() -> Any:
        mean = tf.raw_ops.ResizeArea(images=square, size=[size, size])
        # OpenCV has a kernel of its own for a ratio of two, which adds a half and cuts
        return tf.where(tf.equal(side, 2 * size), tf.floor(mean + 0.5), tf.round(mean))

    def between() -> Any:
        # a half before the cut: whole codes, as OpenCV's fixed-point arithmetic gives
        return tf.floor(
            tf.raw_ops.ResizeBilinear(images=square, size=[size, size], half_pixel_centers=True)
            + 0.5
        )

    # as numbers the network saw in training: of 8-bit pictures, over 255
    codes = tf.cond(side >= size, by_area, between)[0]
    return tf.ensure_shape(codes, [size, size, 3]) / 255
