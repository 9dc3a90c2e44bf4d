import type { ElementType } from './Checkpoint.js';

/** A storage class of PyTorch by its pickled name. */
export const STORAGE_TYPES: ReadonlyMap<string, ElementType> = new Map([
  ['torch FloatStorage', 'float32'],
  ['torch HalfStorage', 'float16'],
  ['torch BFloat16Storage', 'bfloat16'],
  ['torch DoubleStorage', 'float64'],
  ['torch LongStorage', 'int64'],
  ['torch IntStorage', 'int32'],
  ['torch ShortStorage', 'int16'],
  ['torch CharStorage', 'int8'],
  ['torch ByteStorage', 'uint8'],
  ['torch BoolStorage', 'bool'],
]);

/** What calling a known global gives. */
export type GlobalKind =
  /** collections.OrderedDict() */
  | 'dictionary'
  /** torch._utils._rebuild_tensor_v2(storage, offset, size, stride, ...) */
  | 'tensor'
  /** torch._utils._rebuild_parameter(tensor, requires_grad, hooks) */
  | 'parameter'
  /** torch.Size(tuple) */
  | 'tuple'
  /** Known to occur in training files and of no use to us: stands for itself, keeps nothing. */
  | 'inert';

/**
 * Every global that a checkpoint may name. They are words to this reader: nothing is imported or called, and a word that is
 * not here ends the reading.
 */
export const PICKLE_GLOBALS: ReadonlyMap<string, GlobalKind> = new Map<string, GlobalKind>([
  ['collections OrderedDict', 'dictionary'],
  ['torch._utils _rebuild_tensor_v2', 'tensor'],
  ['torch._utils _rebuild_parameter', 'parameter'],
  ['torch Size', 'tuple'],
  ['collections defaultdict', 'dictionary'],
  ['builtins dict', 'dictionary'],
  ['__builtin__ dict', 'dictionary'],
  ['builtins list', 'tuple'],
  ['builtins set', 'tuple'],
  ['__builtin__ set', 'tuple'],
  ['numpy.core.multiarray scalar', 'inert'],
  ['numpy._core.multiarray scalar', 'inert'],
  ['numpy.core.multiarray _reconstruct', 'inert'],
  ['numpy._core.multiarray _reconstruct', 'inert'],
  ['numpy ndarray', 'inert'],
  ['numpy dtype', 'inert'],
  ['_codecs encode', 'inert'],
  ['argparse Namespace', 'inert'],
  ['torch device', 'inert'],
  ['torch float32', 'inert'],
  ['torch float16', 'inert'],
]);
