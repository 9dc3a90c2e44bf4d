const EXTREMES = [0, 1, 0x7f, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0];

function mutateOnce(bytes: Uint8Array, random: () => number): Uint8Array {
  const at = random() % Math.max(1, bytes.length);
  const length = 1 + (random() % 64);
  switch (random() % 8) {
    case 0:
    case 1: {
      const out = Uint8Array.from(bytes);
      if (out.length > 0) out[at] = out[at]! ^ (1 << (random() % 8));
      return out;
    }
    case 2: {
      const out = Uint8Array.from(bytes);
      if (out.length > 0) out[at] = random() & 255;
      return out;
    }
    case 3:
    case 4: {
      const out = Uint8Array.from(bytes);
      const view = new DataView(out.buffer);
      if (at + 4 <= out.length) view.setUint32(at, EXTREMES[random() % EXTREMES.length]!, (random() & 1) === 0);
      return out;
    }
    case 5:
      return bytes.slice(0, at);
    case 6:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
    default:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at, at + length), ...bytes.subarray(at)]);
  }
}

/** The bytes with one to four random changes: bits, bytes and numbers set, pieces cut out or doubled, the end cut off. */
export function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  let out = bytes;
  for (let count = 1 + (random() % 4); count > 0; count--) out = mutateOnce(out, random);
  return out;
}
