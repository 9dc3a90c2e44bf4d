import { expect } from 'chai';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PlaceMap } from '../../src/map/PlaceMap.js';
import { verifyMap } from '../../src/map/verifyMap.js';
import { sampleMeta } from '../unit/map/mapFixtures.js';
import { picture, survivesBuildKills } from './killedBuilds.js';

const VPR = path.resolve('bin/vpr.mjs');
const DATA = process.env['VPR_DATA'] ?? '../shared/data';

function vpr(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [VPR, ...args], { encoding: 'utf8' });
}

describe('vpr map build and append', () => {
  let folder: string;
  let images: string;
  const inFolder = (name: string): string => path.join(folder, name);

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'vpr-build-'));
    images = inFolder('images');
    mkdirSync(images);
    const rows = ['name,x,y,yaw'];
    for (let i = 0; i < 8; i++) {
      writeFileSync(path.join(images, `${i}.jpg`), await picture(i));
      rows.push(`${i}.jpg,${i * 0.4},0,0`);
    }
    writeFileSync(path.join(images, '4.jpg'), readFileSync(path.join(images, '4.jpg')).subarray(0, 300));
    writeFileSync(path.join(images, 'poses.csv'), `${rows.join('\n')}\n`);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('build takes key frames by distance, skips and counts a broken picture, says what it did', () => {
    const map = inFolder('town.vpr');
    // Images every 0.4 m, key frames every 0.8 m: 0, 2, (4 is broken) 5, 7.
    const result = vpr('map', 'build', images, map, '--set', 'keyframe.distance_m=0.8', '--session', 'noon');
    expect(result.stderr).to.match(/^skipped: .*4\.jpg/m);
    expect(result.status).to.equal(0);
    expect(result.stdout).to.match(/^4 references from 8 images in [\d.]+ s, 1 skipped \(1 IMAGE_INVALID\)$/m);
    const opened = PlaceMap.open(map, 'read');
    expect([...opened.references()].map(({ label }) => label)).to.deep.equal(['0.jpg', '2.jpg', '5.jpg', '7.jpg']);
    expect(opened.meta).to.include({ poseKind: 'mapFromCamera', mapFrame: 'map', storage: 'f16' });
    expect(opened.sessions()[0]).to.include({ name: 'noon' });
    // Places take in what is within 2 m of their first image.
    expect([1, 2, 3, 4].map((id) => opened.placeOf(id))).to.deep.equal([1, 1, 1, 2]);
    expect(opened.thumbnail(1)!.subarray(0, 2)).to.deep.equal(Buffer.from([0xff, 0xd8]));
    opened.close();
    expect(vpr('map', 'build', images, map).stderr).to.match(/got one that exists .*MAP_EXISTS/);
  });

  it('append adds a session whose references join the places of the map', () => {
    const map = inFolder('grown.vpr');
    expect(vpr('map', 'build', images, map, '--limit', '4').status).to.equal(0);
    const result = vpr(
      'map',
      'append',
      images,
      map,
      '--set',
      'keyframe.distance_m=0',
      '--set',
      'keyframe.angle_deg=0',
      '--json',
    );
    const { references, map: grown } = JSON.parse(result.stdout) as {
      references: number;
      map: { sessions: number; places: number };
    };
    expect([references, grown.sessions, grown.places]).to.deep.equal([7, 2, 2]);
    expect(verifyMap(map).problems).to.deep.equal([]);
  });

  it('append refuses a map of another model, with both names', () => {
    const map = inFolder('other.vpr');
    PlaceMap.create(map, sampleMeta()).close();
    const result = vpr('map', 'append', images, map);
    expect(result.status).to.equal(1);
    expect(result.stderr).to.match(
      /Expected a map built with the model '.+' .*, got one built with 'sample-model' .*MAP_OTHER_MODEL/,
    );
  });

  it('leaves no map behind when there is nothing to build from, and says why', () => {
    const map = inFolder('none.vpr');
    const empty = inFolder('empty');
    mkdirSync(empty);
    const results = [
      vpr('map', 'build', inFolder('nowhere'), map),
      vpr('map', 'build', empty, map),
      vpr('map', 'build', images, inFolder(path.join('no', 'such', 'folder.vpr'))),
      vpr('map', 'build', images, map, '--model', inFolder('nowhere')),
    ];
    expect(results.map(({ status }) => status)).to.deep.equal([1, 1, 1, 1]);
    for (const { stderr } of results) expect(stderr).to.match(/^vpr map build: Expected .*, got .* \([A-Z_]+\)$/m);
    expect(existsSync(map)).to.equal(false);
    expect(vpr('map', 'build', images).status).to.equal(2);
  });

  it('build leaves a map that opens when it is killed, with everything that was committed', () =>
    survivesBuildKills(4, 6)).timeout(120_000);

  it('builds from a stereo bag with both cameras', function () {
    const bag = path.join(DATA, 'bags', 'euroc_micro_jpeg_sqlite');
    if (!existsSync(bag)) {
      console.warn(`SKIPPED: map build from a bag needs ${bag} (set VPR_DATA)`);
      this.skip();
    }
    const map = inFolder('euroc.vpr');
    expect(vpr('map', 'build', bag, map).status).to.equal(0);
    const opened = PlaceMap.open(map, 'read');
    const cameras = [...opened.references()].map(({ camera }) => camera);
    expect(cameras.filter((camera) => camera === 'cam0').length).to.equal(
      cameras.filter((camera) => camera === 'cam1').length,
    );
    expect(opened.summary().places).to.equal(opened.size / 2);
    opened.close();
    expect(vpr('map', 'verify', map).status).to.equal(0);
  });
});
