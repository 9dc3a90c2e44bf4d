import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PlaceMap } from '../../../src/map/PlaceMap.js';
import { verifyMap } from '../../../src/map/verifyMap.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';
import { sampleReference } from './mapFixtures.js';

const CHILD = fileURLToPath(new URL('./appendUntilKilled.js', import.meta.url));

/** Runs a process, kills it with SIGKILL so long after its first line, returns the lines that it said. */
async function killed(args: readonly string[], afterMs: number): Promise<string[]> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const spoke = new Promise<void>((resolve) =>
    child.stdout.on('data', (chunk: Buffer) => (chunks.push(chunk), resolve())),
  );
  await Promise.race([spoke, ended]);
  await sleep(afterMs);
  child.kill('SIGKILL');
  await ended;
  // The last line may have been cut by the kill: a line without its end was not said.
  return Buffer.concat(chunks).toString().split('\n').slice(0, -1);
}

/** One map, killed `times` times while it grows: it opens each time and holds every reference that was committed. */
export async function survivesKills(times: number, seed: number): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'vpr-crash-'));
  const file = path.join(folder, 'map.vpr');
  const random = uniformNumbers(seed);
  let committed = 0;
  let grew = 0;
  let withLog = 0;
  try {
    for (let run = 0; run < times; run++) {
      const lines = await killed([CHILD, file], random() * 120);
      if (lines.length > 0) committed = Number(lines[lines.length - 1]);
      if ((statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) withLog++;
      const map = PlaceMap.open(file, run % 2 === 0 ? 'read' : 'append');
      // The process may die between the commit and its line, so there may be more than was said, never less.
      expect(map.size, `run ${run}`).to.be.at.least(committed);
      expect(map.size - committed).to.be.at.most(40);
      if (map.size > committed || lines.length > 0) grew++;
      const ids = [...map.codes()].flatMap(({ referenceIds }) => [...referenceIds]);
      expect(ids).to.deep.equal(Array.from({ length: map.size }, (_, i) => i + 1));
      const last = map.reference(map.size);
      expect(last.label).to.equal(sampleReference(map.size - 1).label);
      committed = map.size;
      map.close();
    }
    expect(grew, 'runs in which the map grew').to.equal(times);
    expect(withLog, 'runs that left a log behind').to.be.greaterThan(times / 2);
    expect(verifyMap(file)).to.deep.include({ references: committed, whole: committed, problems: [] });
    PlaceMap.open(file, 'append').close();
    expect(readdirSync(folder)).to.deep.equal(['map.vpr']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
