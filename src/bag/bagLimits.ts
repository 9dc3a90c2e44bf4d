/** One chunk of an mcap file, compressed or not. Writers use 1 to 8 MiB; a chunk holds at least one message. */
export const MAX_CHUNK_BYTES = 576 * 1024 * 1024;
/** Chunks that are unpacked while the caller still works on those before them. */
export const MAX_AHEAD_BYTES = 64 * 1024 * 1024;
/** Chunks that overlap in time are merged in memory up to this; beyond it messages come in file order. */
export const MAX_MERGE_BYTES = 256 * 1024 * 1024;
/** The summary at the end of an mcap file: one index record a chunk. */
export const MAX_SUMMARY_BYTES = 256 * 1024 * 1024;
/** One message that is not an image: poses, transforms. */
export const MAX_SMALL_MESSAGE_BYTES = 4 * 1024 * 1024;
/** metadata.yaml, poses.csv. */
export const MAX_TEXT_FILE_BYTES = 256 * 1024 * 1024;
/** Frames that are tried on the way from the base to the map in a transform tree. */
export const MAX_FRAMES = 1000;
/** Transforms in one TF message. */
export const MAX_TRANSFORMS = 10_000;
