import { crc32 } from 'node:zlib';
import type { Reference } from '../core/reference.js';

/** CRC-32 (the polynomial of zlib and PNG) of an id, little-endian u32, followed by bytes. */
export function checksumOf(id: number, ...parts: readonly Uint8Array[]): number {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, id, true);
  let value = crc32(head);
  for (const part of parts) value = crc32(part, value);
  return value;
}

/** CRC-32 of texts, each preceded by its length in bytes (u32), so that ("ab", "c") and ("a", "bc") differ. */
export function checksumOfTexts(id: number, ...texts: readonly string[]): number {
  return checksumOf(id, ...texts.flatMap((text) => lengthAndBytes(text)));
}

function lengthAndBytes(text: string): Uint8Array[] {
  const bytes = Buffer.from(text, 'utf8');
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length, true);
  return [length, bytes];
}

/** Checksum of a reference's record; FORMAT.md lists the bytes. */
export function checksumOfReference(reference: Reference, codeCrc: number, hasThumbnail: boolean): number {
  const fixed = new DataView(new ArrayBuffer(4 + 4 + 8 + 1 + 7 * 8 + 4 + 1));
  fixed.setUint32(0, reference.placeId, true);
  fixed.setUint32(4, reference.sessionId, true);
  fixed.setBigInt64(8, reference.stampNs, true);
  if (reference.pose !== undefined) {
    fixed.setUint8(16, 1);
    // SQLite keeps -0.0 as 0: adding 0 makes both the same here too.
    [...reference.pose.position, ...reference.pose.orientation].forEach((value, i) =>
      fixed.setFloat64(17 + 8 * i, value + 0, true),
    );
  }
  fixed.setUint32(73, codeCrc, true);
  fixed.setUint8(77, hasThumbnail ? 1 : 0);
  return checksumOf(
    reference.referenceId,
    new Uint8Array(fixed.buffer),
    ...lengthAndBytes(reference.camera),
    ...lengthAndBytes(reference.label),
  );
}

/** Checksum of a row of match counts. */
export function checksumOfMatches(referenceId: number, matches: number, lastStampNs: bigint): number {
  const fixed = new DataView(new ArrayBuffer(12));
  fixed.setUint32(0, matches, true);
  fixed.setBigInt64(4, lastStampNs, true);
  return checksumOf(referenceId, new Uint8Array(fixed.buffer));
}
