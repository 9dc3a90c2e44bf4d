import { VprError } from '../../core/VprError.js';
import { ByteSource } from './ByteSource.js';
import type { Checkpoint, CheckpointTensor } from './Checkpoint.js';
import { PickledTensor, type PickleValue } from './pickleValues.js';
import { looksLikeSafetensors, readSafetensors } from './readSafetensors.js';
import { looksLikeLegacyTorch, readTorchLegacy, readTorchZip, type TorchFile } from './readTorch.js';
import { StridedTensor } from './StridedTensor.js';

/** Where training scripts put the weights, in the order in which they are looked for. */
const WRAPPERS = ['model_state_dict', 'state_dict', 'model'] as const;

/** Under which a file that holds one tensor and no dictionary gives it. */
export const BARE_TENSOR = 'tensor';

/** The dictionary whose values are tensors: the file's own, or the one under a wrapper's key. */
function findStateDict(root: PickleValue, where: string): ReadonlyMap<PickleValue, PickleValue> {
  if (root instanceof PickledTensor) return new Map([[BARE_TENSOR, root]]);
  let dictionary: PickleValue = root;
  for (let depth = 0; depth < 3; depth++) {
    if (!(dictionary instanceof Map)) break;
    const map: ReadonlyMap<PickleValue, PickleValue> = dictionary;
    const wrapper = WRAPPERS.find((name) => map.get(name) instanceof Map);
    if (wrapper === undefined) {
      if ([...map.values()].some((value) => value instanceof PickledTensor)) return map;
      break;
    }
    dictionary = map.get(wrapper)!;
  }
  throw new VprError(
    'CHECKPOINT_INVALID',
    `Expected a state dict (bare, or under ${WRAPPERS.join(', ')}), got a file without one [${where}]`,
  );
}

function tensorsOf(file: TorchFile, where: string): Map<string, CheckpointTensor> {
  const tensors = new Map<string, CheckpointTensor>();
  for (const [key, value] of findStateDict(file.root, where)) {
    if (typeof key !== 'string')
      throw new VprError('CHECKPOINT_INVALID', `Expected text keys, got ${typeof key} [${where}]`);
    // Modules may save extra state that is no tensor; what a network needs it asks for by name.
    if (!(value instanceof PickledTensor)) continue;
    const { storage, offset, shape, strides } = value;
    tensors.set(key, new StridedTensor(file.storageOf(storage), shape, { offset, strides, where: `${where}: ${key}` }));
  }
  return tensors;
}

/** DataParallel puts `module.` before the key, or before a part of it (pool.module.weight). Throws on keys that collide. */
function withoutModulePrefixes(
  tensors: ReadonlyMap<string, CheckpointTensor>,
  where: string,
): Map<string, CheckpointTensor> {
  const renamed = new Map<string, CheckpointTensor>();
  for (const [key, tensor] of tensors) {
    const name = key.replace(/(^|\.)module\./g, '$1');
    if (renamed.has(name))
      throw new VprError('CHECKPOINT_INVALID', `Expected keys that differ, got '${name}' twice [${where}]`);
    renamed.set(name, tensor);
  }
  return renamed;
}

/** Reads the directory of a checkpoint: which tensors it has and where. Their elements stay in the file. */
export function readCheckpoint(source: ByteSource): Checkpoint {
  const start = source.read(0, Math.min(16, source.size), 'the first bytes');
  let tensors: ReadonlyMap<string, CheckpointTensor>;
  if (start[0] === 0x50 && start[1] === 0x4b) tensors = tensorsOf(readTorchZip(source), source.name);
  else if (looksLikeLegacyTorch(start)) tensors = tensorsOf(readTorchLegacy(source), source.name);
  else if (looksLikeSafetensors(start)) tensors = readSafetensors(source);
  else
    throw new VprError(
      'CHECKPOINT_INVALID',
      `Expected a checkpoint (torch.save zip or legacy, safetensors), got a file of another kind [${source.name}]`,
    );
  return { name: source.name, tensors: withoutModulePrefixes(tensors, source.name), close: () => source.close() };
}

/** Opens a checkpoint file. Throws FILE_UNREADABLE, CHECKPOINT_INVALID, CHECKPOINT_UNSAFE. The caller closes it. */
export function openCheckpoint(file: string): Checkpoint {
  const source = ByteSource.open(file);
  try {
    return readCheckpoint(source);
  } catch (error) {
    source.close();
    throw error;
  }
}
