import { PlaceMap } from '../../map/PlaceMap.js';
import { outdatedCalibration } from '../../worker/confidenceFor.js';
import type { Command } from '../Command.js';

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export const command: Command = {
  name: 'map info',
  summary: 'Say what a map holds.',
  positionals: 'MAP',
  positionalCount: [1, 1],
  options: {
    json: { type: 'boolean', description: 'print one JSON object' },
    places: { type: 'boolean', description: 'list the places too' },
    stale: {
      type: 'boolean',
      description: 'list the references that were never accepted as a match (counted in mapping and slam mode)',
    },
  },
  run(args) {
    const map = PlaceMap.open(args.positionals[0]!, 'read');
    try {
      const summary = map.summary();
      const counts = map.matchCounts();
      const perSession = new Map<number, number>();
      const cameras = new Set<string>();
      let withPose = 0;
      const stale: { referenceId: number; placeId: number; label: string }[] = [];
      for (const { referenceId, placeId, label, sessionId, camera, pose } of map.references()) {
        perSession.set(sessionId, (perSession.get(sessionId) ?? 0) + 1);
        cameras.add(camera);
        if (pose !== undefined) withPose++;
        if (args.flag('stale') && !counts.has(referenceId)) stale.push({ referenceId, placeId, label });
      }
      const sessions = map
        .sessions()
        .map((session) => ({ ...session, references: perSession.get(session.sessionId) ?? 0 }));
      const info = {
        ...summary,
        calibration: summary.calibration === '' ? null : (JSON.parse(summary.calibration) as unknown),
        binarizer: map.meta.binarizer.kind,
        poseKind: map.meta.poseKind,
        childFrame: map.meta.childFrame,
        cameras: [...cameras],
        referencesWithPose: withPose,
        matchedReferences: counts.size,
        sessionList: sessions,
        ...(args.flag('places') ? { placeList: map.places() } : {}),
        ...(args.flag('stale') ? { staleReferences: stale } : {}),
      };
      if (args.flag('json')) {
        process.stdout.write(`${JSON.stringify(info, undefined, 2)}\n`);
        return Promise.resolve(0);
      }
      const perReference =
        summary.references === 0 ? '' : `, ${Math.round(summary.bytesOnDisk / summary.references)} bytes a reference`;
      const lines = [
        ['map', summary.path],
        ['format', `version ${summary.formatVersion}, ${megabytes(summary.bytesOnDisk)}${perReference}`],
        ['model', `${summary.modelName} (sha256 ${summary.modelSha256.slice(0, 12)})`],
        ['descriptors', `${summary.descriptorDimension} values, ${summary.storage}`],
        ['codes', map.meta.binarizer.kind === 'model' ? "by the model's own rule" : "by this map's own projection"],
        [
          'calibration',
          outdatedCalibration(summary) ?? (summary.calibration === '' ? "the model's default" : "this map's own"),
        ],
        ['references', `${summary.references} in ${summary.places} places, ${withPose} with pose`],
        [
          'poses',
          `${info.poseKind}, frame '${summary.mapFrame}'${info.childFrame === '' ? '' : `, of '${info.childFrame}'`}`,
        ],
        ['cameras', info.cameras.join(', ') || 'none'],
        ['matched', `${counts.size} references were accepted as a match at least once`],
        ...sessions.map(({ sessionId, name, source, references }) => [
          `session ${sessionId}`,
          `${name}: ${references} references${source === '' ? '' : ` from ${source}`}`,
        ]),
        ...(info.placeList ?? []).map(({ placeId, label, references, pose }) => [
          `place ${placeId}`,
          `${label} (${references})${pose === undefined ? '' : ` at ${pose.position.map((v) => v.toFixed(2)).join(', ')}`}`,
        ]),
        ...stale.map(({ referenceId, placeId, label }) => [`stale ${referenceId}`, `place ${placeId}, ${label}`]),
      ] as const;
      const width = lines.reduce((most, [name]) => Math.max(most, name!.length), 0);
      process.stdout.write(lines.map(([name, text]) => `${name!.padEnd(width)}  ${text}\n`).join(''));
      return Promise.resolve(0);
    } finally {
      map.close();
    }
  },
};
