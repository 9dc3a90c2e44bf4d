/**
 * Every kernel against FAISS on ragged maps, half of them random and half clustered: distances bit for bit, ids against
 * the scalar oracle.
 *
 *   npm run build && node bench/search/differential.mjs [MAPS, 2000]     (after compare.mjs, which makes the venv)
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readNpy } from '../../dist/src/core/npy.js';
import { SCAN_KERNELS } from '../../dist/src/hamming/scanKernels.js';
import { createCodeIndex } from '../../dist/src/search/createCodeIndex.js';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const PYTHON = path.join(HERE, '..', '..', '.cache', 'bench-search', 'venv', 'bin', 'python');
const K = 100;
const count = Number(process.argv[2] ?? 2000);

const folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-differential-'));
try {
  execFileSync(PYTHON, [path.join(HERE, 'peer.py'), 'maps', folder, '--n', String(count)], { stdio: 'inherit' });
  const load = (name) => readNpy(readFileSync(path.join(folder, `${name}.npy`)), name).data;
  const [sizes, codes, queries, wanted] = ['sizes', 'codes', 'queries', 'distances'].map(load);
  for (const kernel of ['scalar', ...Object.keys(SCAN_KERNELS)]) {
    let differences = 0;
    for (let map = 0, row = 0; map < count; row += sizes[map++]) {
      const n = sizes[map];
      const index = createCodeIndex(kernel, 1);
      index.append(codes.subarray(row * 64, (row + n) * 64), n);
      const query = queries.slice(map * 64, (map + 1) * 64);
      const [{ positions, distances }] = index.nearest(query, 1, K, [[0, n]]);
      const expected = wanted.subarray(map * K, map * K + Math.min(K, n));
      const ordered = positions.every(
        (position, i) => i === 0 || distances[i] > distances[i - 1] || position > positions[i - 1],
      );
      if (!ordered || distances.join() !== expected.join()) differences++;
      await index.close();
    }
    console.log(`${kernel.padEnd(20)} ${count} maps, ${differences} with distances other than FAISS's`);
    if (differences > 0) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
