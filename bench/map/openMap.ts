/**
 * Opens a map of a million places: time to a searchable map (meta, ids, all codes, checked) against a plain read of a file
 * of the same codes, and the bytes a reference costs on disk and in memory.
 * Usage: node dist/bench/map/openMap.js [REFERENCES] [DIMENSION] [FOLDER]
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CODE_BYTES } from '../../src/core/binaryCode.js';
import type { NewReference } from '../../src/core/reference.js';
import { PlaceMap } from '../../src/map/PlaceMap.js';

const REPEATS = 5;

/** Seeded 32-bit words: xorshift. */
function words(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function build(file: string, count: number, dimension: number): number {
  const map = PlaceMap.create(file, {
    modelName: 'bench',
    modelSha256: '0'.repeat(64),
    descriptorDimension: dimension,
    storage: 'int8',
    mapFrame: 'map',
    poseKind: 'mapFromBase',
    childFrame: 'base_link',
    binarizer: { kind: 'model' },
  });
  map.beginSession('bench', '');
  const next = words(1);
  const startMs = performance.now();
  for (let first = 0; first < count; first += 8192) {
    const batch = Array.from({ length: Math.min(8192, count - first) }, (_, i): NewReference => {
      const code = new Uint8Array(new Uint32Array(CODE_BYTES / 4).map(next).buffer);
      const descriptor = Float32Array.from({ length: dimension }, () => next() / 2 ** 32 - 0.5);
      return {
        placeId: first + i + 1,
        label: `image ${first + i}`,
        camera: 'front',
        stampNs: BigInt(first + i) * 1_000_000_000n,
        pose: { position: [first + i, 0, 0], orientation: [0, 0, 0, 1] },
        code,
        descriptor,
      };
    });
    map.appendReferences(batch);
  }
  map.close();
  return performance.now() - startMs;
}

/** Shortest, mean and standard deviation of the repeats, and the processor time of one (a busy machine stretches only the former). */
function timed(work: () => void): string {
  const cpuBefore = process.cpuUsage();
  const times = Array.from({ length: REPEATS }, () => {
    const startMs = performance.now();
    work();
    return performance.now() - startMs;
  });
  const cpu = process.cpuUsage(cpuBefore);
  const cpuMs = (cpu.user + cpu.system) / 1000 / REPEATS;
  const mean = times.reduce((sum, time) => sum + time, 0) / REPEATS;
  const deviation = Math.sqrt(times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / REPEATS);
  return `${Math.min(...times).toFixed(0)} ms least, ${mean.toFixed(0)} +- ${deviation.toFixed(0)} ms, ${cpuMs.toFixed(0)} ms of processor time`;
}

function readPlain(file: string): void {
  const descriptor = openSync(file, 'r');
  const chunk = new Uint8Array(4096 * CODE_BYTES);
  while (readSync(descriptor, chunk) > 0);
  closeSync(descriptor);
}

const count = Number(process.argv[2] ?? 1_000_000);
const dimension = Number(process.argv[3] ?? 16);
const folder = mkdtempSync(path.join(process.argv[4] ?? os.tmpdir(), 'vpr-bench-'));
try {
  const file = path.join(folder, 'map.vprmap');
  const plain = path.join(folder, 'codes.bin');
  const say = (text: string): boolean => process.stdout.write(`${text}\n`);
  say(
    `${os.cpus().length} x ${os.cpus()[0]?.model ?? 'unknown'}, Node ${process.version}, ${count} references, D = ${dimension} (int8)`,
  );
  const buildMs = build(file, count, dimension);
  say(`append in batches of 8192: ${((buildMs * 1000) / count).toFixed(1)} us a reference`);
  writeFileSync(plain, new Uint8Array(count * CODE_BYTES));
  const before = process.memoryUsage().rss;
  let codes = 0;
  const whole = timed(() => {
    const map = PlaceMap.open(file, 'read');
    for (const block of map.codes()) codes += block.codes.length;
    map.close();
  });
  if (codes !== REPEATS * count * CODE_BYTES)
    throw new Error(`Expected ${count} codes, got ${codes / CODE_BYTES / REPEATS}`);
  say(`open and load all codes, checked: ${whole}`);
  say(`open alone: ${timed(() => PlaceMap.open(file, 'read').close())}`);
  say(`plain read of ${count * CODE_BYTES} bytes: ${timed(() => readPlain(plain))}`);
  const map = PlaceMap.open(file, 'read');
  const rows = new Float32Array(100 * dimension);
  const random = words(7);
  say(
    `100 random descriptors: ${timed(() => {
      const ids = Uint32Array.from({ length: 100 }, () => 1 + (random() % count)).sort();
      map.readDescriptors(ids, rows);
    })}`,
  );
  map.close();
  say(
    `${(statSync(file).size / count).toFixed(0)} bytes a reference on disk; process grew by ${((process.memoryUsage().rss - before) / 1e6).toFixed(0)} MB`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
