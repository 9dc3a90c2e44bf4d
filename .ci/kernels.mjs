/**
 * Writes the WebAssembly kernels of src/hamming from their source in src/hamming/assembly (compiled to dist first).
 * --check: writes nothing, exit code 1 where a committed file is not what the source gives.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KERNEL_SOURCES, kernelFileText } from '../dist/src/hamming/assembly/kernels.js';

const check = process.argv.includes('--check');
for (const name of Object.keys(KERNEL_SOURCES)) {
  const file = fileURLToPath(new URL(`../src/hamming/${name}.ts`, import.meta.url));
  const text = kernelFileText(name);
  if (!check) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${file} is not what src/hamming/assembly gives: run 'npm run kernels'`);
    process.exitCode = 1;
  }
}
