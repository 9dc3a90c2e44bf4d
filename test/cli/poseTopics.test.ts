import { expect } from 'chai';
import { PlaceMap } from '../../src/map/PlaceMap.js';
import { GOOD, inFolder, useFolder } from '../unit/bag/bagFixtures.js';
import { vpr } from './vpr.js';

/** The drive of the sample bags: x = t, y = 2 t, yaw = 0.1 t; map from odom 10 m in x; the camera 0.2 m ahead, 1 m up. */
describe('vpr with poses from transforms and fixes', () => {
  useFolder();

  for (const [what, options, meta, xOf] of [
    ['in the frames of REP-105', [], { mapFrame: 'map', childFrame: 'base_link' }, (t: number) => t + 10],
    [
      'in named frames',
      ['--pose-frames', 'odom,base_link'],
      { mapFrame: 'odom', childFrame: 'base_link' },
      (t: number) => t,
    ],
    [
      'of a sensor',
      ['--pose-frames', '/map,/camera'],
      { mapFrame: 'map', childFrame: 'camera' },
      (t: number) => t + 10 + 0.2 * Math.cos(0.1 * t),
    ],
  ] as const)
    it(`map build takes poses ${what} from /tf`, () => {
      const file = inFolder('town.vprmap');
      const { status, stderr } = vpr(['map', 'build', `${GOOD}/db3`, file, '--pose-topic', '/tf', ...options]);
      expect([status, stderr]).to.deep.equal([0, '']);
      const map = PlaceMap.open(file, 'read');
      expect(map.meta).to.include(meta);
      expect(map.size).to.be.greaterThan(5);
      for (const { stampNs, pose } of map.references())
        expect(pose!.position[0]).to.be.closeTo(xOf(Number(stampNs) / 1e9 - 100), 1e-4);
      map.close();
    });

  it('map build takes metres from satellite fixes', () => {
    const file = inFolder('town.vprmap');
    expect(vpr(['map', 'build', `${GOOD}/db3`, file, '--pose-topic', '/fix']).status).to.equal(0);
    const map = PlaceMap.open(file, 'read');
    expect(map.meta.mapFrame).to.equal('utm');
    const [first] = [...map.references()];
    // 48 N 11 E in zone 32: 150 km east of the central meridian, 5320 km north of the equator.
    expect(first!.pose!.position[0]).to.be.within(640_000, 660_000);
    expect(first!.pose!.position[1]).to.be.within(5_310_000, 5_330_000);
    map.close();
  });

  it('replay and eval judge by the frames that are asked for', () => {
    const map = inFolder('town.vprmap');
    const tf = ['--pose-topic', '/tf', '--pose-frames', 'odom,base_link'];
    expect(vpr(['map', 'build', `${GOOD}/db3`, map, ...tf, '--set', 'keyframe.distance_m=0']).status).to.equal(0);
    const judged = (...frames: readonly string[]): { recall: Record<string, number>; queries: number } => {
      const truth = ['--ground-truth-topic', '/tf', '--positive-distance', '1', '--odometry-topic', '/tf'];
      const run = vpr(['replay', `${GOOD}/db3`, '--map', map, ...truth, ...frames, '--json']);
      expect(run.status, run.stderr).to.equal(0);
      return (JSON.parse(run.stdout) as { evaluation: { recall: Record<string, number>; queries: number } }).evaluation;
    };
    // In the map frame the truth lies 10 m beside the references, which were mapped in the odometry frame.
    expect(judged('--pose-frames', 'odom,base_link').recall['1']).to.be.greaterThan(0.8);
    expect(judged().recall['1'] ?? 0).to.be.lessThan(0.5);
    const both = [`${GOOD}/db3`, `${GOOD}/mcap_zstd.mcap`];
    const evaluated = vpr(['eval', ...both, '--distance', '1', ...tf, '--json']);
    expect(evaluated.status, evaluated.stderr).to.equal(0);
    expect(JSON.parse(evaluated.stdout)).to.deep.include({ queries: 63, queriesWithoutPositives: 0 });
  });

  it('says which frames there are, and what the option wants', () => {
    const build = (frames: string): ReturnType<typeof vpr> =>
      vpr(['map', 'build', `${GOOD}/db3`, inFolder('x.vprmap'), '--pose-topic', '/tf', '--pose-frames', frames]);
    const missing = build('earth,base_link');
    expect(missing.stderr).to.match(
      /Expected transforms from base_link up to earth, got none that lead there among base_link, camera, map, odom/,
    );
    expect(missing.status).to.equal(1);
    for (const frames of ['map', 'map,', 'a,b,c']) {
      const { status, stderr } = build(frames);
      expect(stderr).to.contain(`Expected MAP,BASE for --pose-frames, got '${frames}'`);
      expect(status).to.equal(2);
    }
  });
});
