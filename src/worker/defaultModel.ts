import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { VprError } from '../core/VprError.js';

/** Folder of the model that the package ships. Works from the compiled tree and from an installed one. */
export function defaultModelPath(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const candidate = path.join(folder, 'models', 'default');
    if (existsSync(path.join(candidate, 'model.json'))) return candidate;
    const parent = path.dirname(folder);
    if (parent === folder)
      throw new VprError('FILE_MISSING', 'Expected the default model in models/default of the package, got none');
    folder = parent;
  }
}
