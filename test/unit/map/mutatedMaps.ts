import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { VprError } from '../../../src/core/VprError.js';
import { MapExaminer } from '../../../src/map/MapExaminer.js';
import { PlaceMap } from '../../../src/map/PlaceMap.js';
import { salvageMap } from '../../../src/map/salvageMap.js';
import { verifyMap } from '../../../src/map/verifyMap.js';
import { uniformNumbers } from '../../../src/core/mulberry32.js';
import { withFolder } from './mapFixtures.js';

/** What happened to the mutated maps. */
export interface FuzzCount {
  /** Opened and gave everything without an error. */
  read: number;
  /** Refused with a VprError somewhere. */
  refused: number;
  /** Problems named by verify. */
  found: number;
}

/** One seeded mutation of a file: flipped bits, overwritten or swapped stretches, cuts, repetitions. */
export function mutate(bytes: Buffer, random: () => number): Buffer {
  let copy = Buffer.from(bytes);
  const upTo = (most: number): number => Math.floor(random() * most);
  for (let times = 1 + upTo(3); times > 0; times--) {
    const at = upTo(copy.length);
    const length = 1 + upTo(Math.min(300, copy.length - at));
    switch (upTo(7)) {
      case 0:
        for (let i = 0; i < 8; i++) copy[upTo(copy.length)]! ^= 1 << upTo(8);
        break;
      case 1:
        copy[at]! ^= 1 << upTo(8);
        break;
      case 2:
        copy.fill([0x00, 0xff, 0x7f, 0x80][upTo(4)]!, at, at + length);
        break;
      case 3:
        for (let i = at; i < at + length; i++) copy[i] = upTo(256);
        break;
      case 4:
        copy.copyWithin(at, upTo(copy.length), copy.length);
        break;
      case 5:
        // The first page holds header and schema: damage there reaches further than elsewhere.
        copy[upTo(Math.min(1024, copy.length))] = upTo(256);
        break;
      case 6:
        copy = copy.subarray(0, 1 + at);
        break;
    }
  }
  return copy;
}

function readAll(file: string): void {
  const map = PlaceMap.open(file, 'read');
  try {
    map.summary();
    map.sessions();
    map.matchCounts();
    map.places();
    for (const { referenceIds } of map.codes()) {
      const ids = referenceIds.filter((id) => map.placeOf(id) !== 0);
      map.readDescriptors(ids, new Float32Array(ids.length * map.dimension));
    }
    for (const { referenceId } of map.references()) map.thumbnail(referenceId);
  } finally {
    map.close();
  }
}

/** Runs a step that may fail with a VprError only, and within a second and a half of processor time. */
function allowed(what: string, work: () => void): boolean {
  const before = process.cpuUsage();
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof VprError) return false;
    throw new Error(`${what}: ${String(error)}`, { cause: error });
  } finally {
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6, what).to.be.below(1.5);
  }
}

/** Reads, verifies and salvages `times` mutations of a map: no crash, no hang, no error but VprError. */
export function fuzzMaps(bytes: Buffer, times: number, seed: number): FuzzCount {
  const random = uniformNumbers(seed);
  const count: FuzzCount = { read: 0, refused: 0, found: 0 };
  withFolder((folder) => {
    for (let i = 0; i < times; i++) {
      const file = path.join(folder, 'mutated.vpr');
      writeFileSync(file, mutate(bytes, random));
      const name = `mutation ${i} of seed ${seed}`;
      if (allowed(`reading ${name}`, () => readAll(file))) count.read++;
      else count.refused++;
      allowed(`verifying ${name}`, () => {
        count.found += verifyMap(file).problems.length;
      });
      // Salvage writes and verifies a file: dearer, so not each time.
      if (i % 20 === 0) {
        const target = path.join(folder, `salvaged-${i}.vpr`);
        allowed(`salvaging ${name}`, () => {
          const examiner = new MapExaminer(file);
          try {
            salvageMap(examiner, target);
          } finally {
            examiner.close();
          }
          expect(verifyMap(target).problems).to.deep.equal([]);
        });
      }
    }
  });
  return count;
}
