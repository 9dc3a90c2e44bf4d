/**
 * How large outside data may be. A header that says more is refused before anything is allocated for it, so that no file
 * and no message can make the process ask for gigabytes.
 */

/** One serialised message: an 8-bit RGB image of MAX_IMAGE_PIXELS and its header fit. */
export const MAX_MESSAGE_BYTES = 512 * 1024 * 1024;
/** Width times height of one image: 12,000 x 12,000. */
export const MAX_IMAGE_PIXELS = 144_000_000;
/** Width or height of one image; JPEG's own limit. */
export const MAX_IMAGE_SIDE = 65_535;
/** One string inside a message: frame ids, encodings, formats. */
export const MAX_STRING_BYTES = 64 * 1024;
