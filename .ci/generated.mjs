/**
 * Rewrites every committed text that comes from another source: SIMD kernels, parameter documentation, default
 * configuration, recognition tables. Needs the compiled dist/. --check: writes nothing, exit code 1 where a committed text is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { comparisonMarkdown, costsMarkdown, networksMarkdown } from '../dist/bench/models/tables.js';
import {
  ablationTable,
  domainShiftTable,
  hashTable,
  heldOutTable,
  heldOutViewsTable,
  recognitionTable,
  shortlistTable,
  trunksTable,
} from '../bench/peers/tables.mjs';
import { confidenceTables } from '../dist/bench/confidence/resultTables.js';
import { encodingTable } from './encodingTable.mjs';
import { parametersMarkdown, parametersYaml } from '../dist/src/config/documentation.js';
import { KERNEL_SOURCES } from '../dist/src/hamming/assembly/kernels.js';
import { IMAGE_KERNEL_SOURCES } from '../dist/src/image/assembly/kernels.js';
import { kernelFileText } from '../dist/src/simd/kernelFileText.js';

const ROOT = path.resolve(import.meta.dirname, '..');

/** The text with what stands between <!-- name --> and <!-- /name --> replaced. */
function withSection(text, name, section) {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start < 0 || end < start) throw new Error(`Expected ${open} ... ${close} in the text, got none`);
  return `${text.slice(0, start + open.length)}\n${section.trim()}\n${text.slice(end)}`;
}

const withSections = (committed, sections) =>
  Object.entries(sections).reduce((text, [name, table]) => withSection(text, name, table()), committed);

const kernelFiles = (folder, sources) =>
  Object.fromEntries(
    Object.entries(sources).map(([name, source]) => [
      `${folder}/${name}.ts`,
      () => kernelFileText(folder, name, source()),
    ]),
  );

const GENERATED = {
  ...kernelFiles('src/hamming', KERNEL_SOURCES),
  ...kernelFiles('src/image', IMAGE_KERNEL_SOURCES),
  'config/vpr_node.yaml': () => parametersYaml(),
  'src/bag/README.md': (committed) => withSection(committed, 'encodings', encodingTable()),
  'README.md': (committed) =>
    withSections(committed, {
      parameters: parametersMarkdown,
      'bench:recognition': recognitionTable,
      'bench:models': () => comparisonMarkdown('bench/models/comparison.json'),
    }),
  'models/README.md': (committed) =>
    withSections(committed, {
      networks: networksMarkdown,
      costs: () => costsMarkdown('bench/models/costs.json'),
      comparison: () => comparisonMarkdown('bench/models/comparison.json'),
      recognition: recognitionTable,
      shortlist: shortlistTable,
      'held-out': heldOutTable,
      hashing: hashTable,
      'domain-shift': domainShiftTable,
      'held-out-views': heldOutViewsTable,
      trunks: trunksTable,
      ablation: ablationTable,
    }),
  'bench/confidence/README.md': (committed) =>
    withSections(committed, { results: () => confidenceTables(path.join(ROOT, 'bench/confidence/results')) }),
};

const check = process.argv.includes('--check');
for (const [name, generate] of Object.entries(GENERATED)) {
  const file = path.join(ROOT, name);
  const committed = readFileSync(file, 'utf8');
  const text = generate(committed);
  if (text === committed) continue;
  process.stderr.write(`${name} is ${check ? "not what its source gives: run 'npm run generate'" : 'rewritten'}\n`);
  if (check) process.exitCode = 1;
  else writeFileSync(file, text);
}
