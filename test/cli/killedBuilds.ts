import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { VprError } from '../../src/core/VprError.js';
import { PlaceMap } from '../../src/map/PlaceMap.js';
import { verifyMap } from '../../src/map/verifyMap.js';
import { uniformNumbers } from '../../src/core/mulberry32.js';

const VPR = path.resolve('bin/vpr.mjs');
const IMAGES = 1000;
/** Kills come after up to this many references, and up to this long after them. */
const MOST_REFERENCES = 60;
const LONGEST_WAIT_MS = 200;

/** JPEG of coloured blocks: another picture for each seed. */
export async function picture(seed: number): Promise<Buffer> {
  const random = uniformNumbers(seed);
  const side = 16;
  const blocks = Buffer.from(Array.from({ length: side * side * 3 }, () => Math.floor(random() * 256)));
  return sharp(blocks, { raw: { width: side, height: side, channels: 3 } })
    .resize(160, 120, { kernel: 'nearest', fit: 'fill' })
    .jpeg()
    .toBuffer();
}

async function manyImages(folder: string): Promise<readonly string[]> {
  mkdirSync(folder);
  const names = Array.from({ length: IMAGES }, (_, i) => `${String(i).padStart(4, '0')}.jpg`);
  for (const [i, name] of names.entries())
    if (i < 2) writeFileSync(path.join(folder, name), await picture(100 + i));
    else linkSync(path.join(folder, names[i % 2]!), path.join(folder, name));
  return names;
}

/** References that another process sees now: what it sees is committed. */
function committedIn(file: string): number {
  try {
    const map = PlaceMap.open(file, 'read');
    try {
      return map.size;
    } finally {
      map.close();
    }
  } catch (error) {
    // Between two of its steps a file that is being made may not be there yet.
    if (error instanceof VprError && error.code === 'MAP_MISSING') return 0;
    throw error;
  }
}

/** Runs `vpr map build`, kills it so long after so many references; returns how many had been seen by then. */
async function buildUntilKilled(images: string, map: string, references: number, waitMs: number): Promise<number> {
  const child = spawn(process.execPath, [VPR, 'map', 'build', images, map, '--set', 'keyframe.interval_s=0'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let isRunning = true;
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve())).then(() => (isRunning = false));
  while (isRunning && !existsSync(map)) await sleep(1);
  let seen = 0;
  while (isRunning && (seen = committedIn(map)) < references) await sleep(10);
  await sleep(waitMs);
  child.kill('SIGKILL');
  await ended;
  return seen;
}

/**
 * Kills `vpr map build` `times` times at random moments: the map opens each time, holds every reference that another
 * process saw before the kill, and grows on with `vpr map append`'s way of opening.
 */
export async function survivesBuildKills(times: number, seed: number): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'vpr-killed-'));
  try {
    const images = path.join(folder, 'images');
    const names = await manyImages(images);
    const random = uniformNumbers(seed);
    let cutOff = 0;
    let withReferences = 0;
    for (let run = 0; run < times; run++) {
      const file = path.join(folder, `${run}.vprmap`);
      const references = Math.floor(random() * MOST_REFERENCES);
      const seen = await buildUntilKilled(images, file, references, random() * LONGEST_WAIT_MS);
      const map = PlaceMap.open(file, run % 2 === 0 ? 'read' : 'append');
      expect(map.size, `run ${run}`).to.be.at.least(seen);
      expect([...map.references()].map(({ label }) => label)).to.deep.equal(names.slice(0, map.size));
      if (map.size < IMAGES) cutOff++;
      if (seen > 0) withReferences++;
      const { size } = map;
      map.close();
      expect(verifyMap(file)).to.deep.include({ references: size, whole: size, problems: [] });
    }
    expect(cutOff, 'builds that the kill cut off').to.equal(times);
    expect(withReferences, 'builds that had committed something').to.be.greaterThan(times / 2);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
