import type { Command } from './Command.js';

/** Every command, in the order of the help. Loaded on demand, so that `vpr --help` loads no native code. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  'map build': async () => (await import('./commands/mapBuild.js')).command,
  'map append': async () => (await import('./commands/mapAppend.js')).command,
  'map info': async () => (await import('./commands/mapInfo.js')).command,
  'map verify': async () => (await import('./commands/mapVerify.js')).command,
  'map merge': async () => (await import('./commands/mapMerge.js')).command,
  'map diff': async () => (await import('./commands/mapDiff.js')).command,
  'map remove': async () => (await import('./commands/mapRemove.js')).command,
  'map replace-region': async () => (await import('./commands/mapReplaceRegion.js')).command,
  'map migrate': async () => (await import('./commands/mapMigrate.js')).command,
  'map export': async () => (await import('./commands/mapExport.js')).command,
  replay: async () => (await import('./commands/replay.js')).command,
  tune: async () => (await import('./commands/tune.js')).command,
  parameters: async () => (await import('./commands/parameters.js')).command,
  demo: async () => (await import('./commands/demo.js')).command,
  eval: async () => (await import('./commands/eval.js')).command,
  'sample render': async () => (await import('./commands/sampleRender.js')).command,
  'model info': async () => (await import('./commands/modelInfo.js')).command,
  'model verify': async () => (await import('./commands/modelVerify.js')).command,
  'model bench': async () => (await import('./commands/modelBench.js')).command,
  'model build-default': async () => (await import('./commands/modelBuildDefault.js')).command,
  'model import': async () => (await import('./commands/modelImport.js')).command,
  'bench search': async () => (await import('./commands/benchSearch.js')).command,
  'model list': async () => (await import('./commands/modelList.js')).command,
  'model fit-hash': async () => (await import('./commands/modelFitHash.js')).command,
};
