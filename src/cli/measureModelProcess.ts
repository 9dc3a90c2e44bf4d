/** The child of measureModel: opens one model, runs it, sends ModelCosts and ends. */
import { OnnxExtractor } from '../inference/OnnxExtractor.js';
import { readModelManifest } from '../inference/readModelManifest.js';
import { goldenTensor } from '../inference/selfTest.js';
import type { ModelCosts } from './measureModel.js';
import { peakResidentBytes } from './peakResidentBytes.js';

const [folder, threads, runs] = process.argv.slice(2) as [string, string, string];
const manifest = readModelManifest(folder);
const extractor = await OnnxExtractor.open(folder, manifest, {
  provider: 'cpu',
  deviceId: 0,
  threads: Number(threads),
});
const tensor = goldenTensor(manifest, 1);
await extractor.extract(tensor);
const milliseconds: number[] = [];
const cpuMilliseconds: number[] = [];
for (let i = 0; i < Number(runs); i++) {
  const before = process.cpuUsage();
  const startMs = performance.now();
  await extractor.extract(tensor);
  milliseconds.push(performance.now() - startMs);
  const { user, system } = process.cpuUsage(before);
  cpuMilliseconds.push((user + system) / 1000);
}
await extractor.close();
const costs: ModelCosts = { milliseconds, cpuMilliseconds, peakResidentBytes: peakResidentBytes() };
process.send!(costs);
process.disconnect();
