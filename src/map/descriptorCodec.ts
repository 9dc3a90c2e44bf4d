import type { Descriptor } from '../core/descriptor.js';
import { float16Bits, float16Values } from './float16.js';

/** How a map keeps descriptors: f32 exact; f16 half the size; int8 a quarter, with one scale a descriptor. */
export type DescriptorStorage = 'f32' | 'f16' | 'int8';
export const DESCRIPTOR_STORAGES: readonly DescriptorStorage[] = ['f32', 'f16', 'int8'];

/** Bytes of one stored descriptor of D values. */
export function storedBytes(storage: DescriptorStorage, dimension: number): number {
  return storage === 'f32' ? dimension * 4 : storage === 'f16' ? dimension * 2 : 4 + dimension;
}

/** Stored form of a descriptor, little-endian: D f32, D f16 (nearest even), or scale f32 followed by D int8. */
export function encodeDescriptor(storage: DescriptorStorage, descriptor: Descriptor): Uint8Array {
  const bytes = new Uint8Array(storedBytes(storage, descriptor.length));
  const view = new DataView(bytes.buffer);
  if (storage === 'f32') {
    descriptor.forEach((value, i) => view.setFloat32(4 * i, value, true));
  } else if (storage === 'f16') {
    descriptor.forEach((value, i) => view.setUint16(2 * i, float16Bits(value), true));
  } else {
    const largest = descriptor.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const scale = Math.fround(largest / 127);
    view.setFloat32(0, scale, true);
    // The clamp is for a scale that was rounded down, where largest / scale is just above 127.
    descriptor.forEach((value, i) =>
      view.setInt8(4 + i, scale === 0 ? 0 : Math.max(-127, Math.min(127, Math.round(value / scale)))),
    );
  }
  return bytes;
}

/** Writes the values of a stored descriptor to out[offset ...]; bytes.length must be storedBytes(storage, dimension). */
export function decodeDescriptor(
  storage: DescriptorStorage,
  bytes: Uint8Array,
  dimension: number,
  out: Float32Array,
  offset: number,
): void {
  if (bytes.length !== storedBytes(storage, dimension))
    throw new RangeError(`Expected ${storedBytes(storage, dimension)} bytes for a descriptor, got ${bytes.length}`);
  if (storage === 'f32') {
    // Copying bytes is right on little-endian machines only; Node runs on no other that this package supports.
    new Uint8Array(out.buffer, out.byteOffset + offset * 4, dimension * 4).set(bytes);
  } else if (storage === 'f16') {
    const values = float16Values();
    for (let i = 0; i < dimension; i++) out[offset + i] = values[bytes[2 * i]! | (bytes[2 * i + 1]! << 8)]!;
  } else {
    const scale = new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true);
    for (let i = 0; i < dimension; i++) out[offset + i] = scale * ((bytes[4 + i]! << 24) >> 24);
  }
}
