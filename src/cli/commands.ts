import type { Command } from './Command.js';

/** Every command, in the order of the help. Loaded on demand, so that `vpr --help` loads no native code. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  parameters: async () => (await import('./commands/parameters.js')).command,
  'sample render': async () => (await import('./commands/sampleRender.js')).command,
  'model build-default': async () => (await import('./commands/modelBuildDefault.js')).command,
};
