import { VprError } from '../../core/VprError.js';
import { PickleBytes } from './PickleBytes.js';
import { PICKLE_GLOBALS, STORAGE_TYPES } from './pickleGlobals.js';
import { GlobalName, InertObject, PickledStorage, PickledTensor, type PickleValue } from './pickleValues.js';
import { MAX_AXES } from './StridedTensor.js';

/** A mark is no value: it only tells where on the stack a list of arguments begins. */
const MARK = Symbol('mark');

/**
 * Reads one pickle (protocols 0 to 4 as PyTorch writes them) as data. It knows a closed set of opcodes and the globals of
 * pickleGlobals.ts; any other is CHECKPOINT_UNSAFE, named. Nothing is executed. Each opcode makes at most one object, and what
 * a call copies of its arguments is counted, so time and memory are bounded by the pickle's bytes.
 */
export class PickleMachine {
  readonly #bytes: PickleBytes;
  readonly #where: string;
  readonly #stack: (PickleValue | typeof MARK)[] = [];
  readonly #memo = new Map<number, PickleValue>();
  readonly #start: number;
  #pairsCopied = 0;

  constructor(bytes: Uint8Array, where: string, start = 0) {
    this.#start = start;
    this.#bytes = new PickleBytes(bytes, where, start);
    this.#where = where;
  }

  /** Offset of the first byte after the pickle, once it is read. */
  get end(): number {
    return this.#bytes.at;
  }

  /** Throws CHECKPOINT_UNSAFE or CHECKPOINT_INVALID. */
  read(): PickleValue {
    for (;;) {
      const at = this.#bytes.at;
      const opcode = this.#bytes.u8();
      if (opcode === 0x2e) {
        const value = this.#pop();
        return value;
      }
      const step = OPCODES[opcode];
      if (step === undefined)
        throw new VprError(
          'CHECKPOINT_UNSAFE',
          `Expected a pickle opcode that checkpoints use, got 0x${opcode.toString(16).padStart(2, '0')} [${this.#where}, offset ${at}]`,
        );
      step(this);
    }
  }

  #push(value: PickleValue | typeof MARK): void {
    this.#stack.push(value);
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) throw this.#bytes.invalid('a value on the stack', 'none');
    return value;
  }

  #peek(): PickleValue {
    const value = this.#pop();
    this.#stack.push(value);
    return value;
  }

  #popToMark(): PickleValue[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw this.#bytes.invalid('a mark on the stack', 'none');
    const values = this.#stack.splice(mark);
    return values.slice(1) as PickleValue[];
  }

  #int(value: PickleValue | undefined, what: string): number {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      throw this.#bytes.invalid(
        `an integer from 0 for ${what}`,
        typeof value === 'number' ? String(value) : typeof value,
      );
    return value;
  }

  #ints(value: PickleValue | undefined, what: string): number[] {
    if (!Array.isArray(value)) throw this.#bytes.invalid(`a tuple for ${what}`, typeof value);
    if (value.length > MAX_AXES) throw this.#bytes.invalid(`at most ${MAX_AXES} values for ${what}`, `${value.length}`);
    return (value as readonly PickleValue[]).map((item) => this.#int(item, what));
  }

  #global(module: string, name: string): void {
    const full = `${module} ${name}`;
    const kind = STORAGE_TYPES.has(full) ? 'storage' : PICKLE_GLOBALS.get(full);
    if (kind === undefined)
      throw new VprError(
        'CHECKPOINT_UNSAFE',
        `Expected only globals that weights need, got ${module}.${name} [${this.#where}, offset ${this.#bytes.at}]`,
      );
    this.#push(new GlobalName(full, kind));
  }

  /** Applies a global to its arguments: REDUCE, NEWOBJ. */
  #call(): void {
    const args = this.#pop();
    const callee = this.#pop();
    if (!(callee instanceof GlobalName) || !Array.isArray(args))
      throw new VprError(
        'CHECKPOINT_UNSAFE',
        `Expected a known global to be called with a tuple, got something else [${this.#where}, offset ${this.#bytes.at}]`,
      );
    const [first, second, third, fourth] = args as readonly PickleValue[];
    switch (callee.kind) {
      case 'dictionary':
        this.#push(new Map(this.#pairs(first)));
        return;
      case 'tuple':
        this.#push(Array.isArray(first) ? first : []);
        return;
      case 'parameter':
        if (!(first instanceof PickledTensor)) throw this.#bytes.invalid('a tensor as parameter', typeof first);
        this.#push(first);
        return;
      case 'tensor':
        if (!(first instanceof PickledStorage)) throw this.#bytes.invalid('a storage for a tensor', typeof first);
        this.#push(
          new PickledTensor(
            first,
            this.#int(second, 'the storage offset'),
            this.#ints(third, 'the size'),
            this.#ints(fourth, 'the stride'),
          ),
        );
        return;
      case 'storage':
      case 'inert':
        this.#push(new InertObject(callee.name));
    }
  }

  /** OrderedDict([(key, value), ...]) or OrderedDict([[key, value], ...]). */
  #pairs(value: PickleValue | undefined): [PickleValue, PickleValue][] {
    if (!Array.isArray(value)) return [];
    // A list may be remembered and given to call after call, at a few bytes each: no file that was saved has a pair of
    // less than a byte.
    this.#pairsCopied += value.length;
    const bytesRead = this.#bytes.at - this.#start;
    if (this.#pairsCopied > bytesRead)
      throw this.#bytes.invalid(`at most ${bytesRead} pairs in as many bytes of pickle`, `${this.#pairsCopied}`);
    return (value as readonly PickleValue[]).map((pair) => {
      if (!Array.isArray(pair) || pair.length !== 2) throw this.#bytes.invalid('pairs of key and value', typeof pair);
      return [pair[0] as PickleValue, pair[1] as PickleValue];
    });
  }

  #persistent(): void {
    const id = this.#pop();
    if (!Array.isArray(id) || id[0] !== 'storage' || id.length < 5)
      throw this.#bytes.invalid("a persistent id ('storage', class, key, location, size)", typeof id);
    const [, storageClass, key, , elements] = id as readonly PickleValue[];
    const elementType = storageClass instanceof GlobalName ? STORAGE_TYPES.get(storageClass.name) : undefined;
    if (elementType === undefined || typeof key !== 'string')
      throw this.#bytes.invalid('a storage class and a key', `${typeof storageClass}, ${typeof key}`);
    this.#push(new PickledStorage(elementType, key, this.#int(elements, 'the element count of a storage')));
  }

  #setItems(target: PickleValue, items: readonly PickleValue[]): void {
    if (items.length % 2 !== 0) throw this.#bytes.invalid('pairs of key and value', `${items.length} values`);
    if (target instanceof InertObject) return;
    if (!(target instanceof Map)) throw this.#bytes.invalid('a dictionary to set items of', typeof target);
    for (let i = 0; i < items.length; i += 2) (target as Map<PickleValue, PickleValue>).set(items[i]!, items[i + 1]!);
  }

  #appendItems(target: PickleValue, items: readonly PickleValue[]): void {
    if (target instanceof InertObject) return;
    if (!Array.isArray(target)) throw this.#bytes.invalid('a list to append to', typeof target);
    for (const item of items) (target as PickleValue[]).push(item);
  }

  #long(bytes: Uint8Array): number | bigint {
    let value = 0n;
    // A number of n bytes costs n^2: no length or size needs more than 8.
    if (bytes.length > 64) throw this.#bytes.invalid('an integer of at most 64 bytes', `${bytes.length}`);
    for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    value = BigInt.asIntN(8 * bytes.length, value);
    return BigInt(Number.MIN_SAFE_INTEGER) <= value && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }

  #recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#bytes.invalid(`memo ${index}`, 'none');
    this.#push(value);
  }

  /** What each known opcode does; the names are those of Python's pickletools. */
  static readonly opcodes: Readonly<Record<number, (machine: PickleMachine) => void>> = {
    0x80: (m) => void m.#bytes.u8(), // PROTO
    0x95: (m) => void m.#bytes.u64(), // FRAME
    0x28: (m) => m.#push(MARK),
    0x30: (m) => void m.#stack.pop(), // POP
    0x31: (m) => void m.#popToMark(), // POP_MARK
    0x4e: (m) => m.#push(null),
    0x88: (m) => m.#push(true),
    0x89: (m) => m.#push(false),
    0x4a: (m) => m.#push(m.#bytes.i32()), // BININT
    0x4b: (m) => m.#push(m.#bytes.u8()), // BININT1
    0x4d: (m) => m.#push(m.#bytes.u16()), // BININT2
    0x8a: (m) => m.#push(m.#long(m.#bytes.take(m.#bytes.u8()))), // LONG1
    0x8b: (m) => m.#push(m.#long(m.#bytes.take(m.#bytes.i32()))), // LONG4
    0x47: (m) => m.#push(m.#bytes.f64()), // BINFLOAT
    0x58: (m) => m.#push(m.#bytes.text(m.#bytes.u32())), // BINUNICODE
    0x8c: (m) => m.#push(m.#bytes.text(m.#bytes.u8())), // SHORT_BINUNICODE
    0x8d: (m) => m.#push(m.#bytes.text(m.#bytes.u64())), // BINUNICODE8
    0x54: (m) => m.#push(m.#bytes.text(m.#bytes.i32())), // BINSTRING
    0x55: (m) => m.#push(m.#bytes.text(m.#bytes.u8())), // SHORT_BINSTRING
    0x42: (m) => m.#push(m.#bytes.take(m.#bytes.u32())), // BINBYTES
    0x43: (m) => m.#push(m.#bytes.take(m.#bytes.u8())), // SHORT_BINBYTES
    0x7d: (m) => m.#push(new Map()), // EMPTY_DICT
    0x5d: (m) => m.#push([]), // EMPTY_LIST
    0x29: (m) => m.#push([]), // EMPTY_TUPLE
    0x8f: (m) => m.#push([]), // EMPTY_SET
    0x64: (m) => {
      // DICT
      const items = m.#popToMark();
      const map = new Map<PickleValue, PickleValue>();
      m.#setItems(map, items);
      m.#push(map);
    },
    0x6c: (m) => m.#push(m.#popToMark()), // LIST
    0x74: (m) => m.#push(m.#popToMark()), // TUPLE
    0x85: (m) => m.#push([m.#pop()]), // TUPLE1
    0x86: (m) => {
      const second = m.#pop();
      m.#push([m.#pop(), second]);
    },
    0x87: (m) => {
      const third = m.#pop();
      const second = m.#pop();
      m.#push([m.#pop(), second, third]);
    },
    0x61: (m) => {
      // APPEND
      const item = m.#pop();
      m.#appendItems(m.#peek(), [item]);
    },
    0x65: (m) => {
      // APPENDS
      const items = m.#popToMark();
      m.#appendItems(m.#peek(), items);
    },
    0x90: (m) => {
      // ADDITEMS
      const items = m.#popToMark();
      m.#appendItems(m.#peek(), items);
    },
    0x73: (m) => {
      // SETITEM
      const value = m.#pop();
      const key = m.#pop();
      m.#setItems(m.#peek(), [key, value]);
    },
    0x75: (m) => {
      // SETITEMS
      const items = m.#popToMark();
      m.#setItems(m.#peek(), items);
    },
    0x71: (m) => void m.#memo.set(m.#bytes.u8(), m.#peek()), // BINPUT
    0x72: (m) => void m.#memo.set(m.#bytes.u32(), m.#peek()), // LONG_BINPUT
    0x94: (m) => void m.#memo.set(m.#memo.size, m.#peek()), // MEMOIZE
    0x68: (m) => m.#recall(m.#bytes.u8()), // BINGET
    0x6a: (m) => m.#recall(m.#bytes.u32()), // LONG_BINGET
    0x63: (m) => {
      // GLOBAL
      const module = m.#bytes.line();
      m.#global(module, m.#bytes.line());
    },
    0x93: (m) => {
      // STACK_GLOBAL
      const name = m.#pop();
      m.#global(String(m.#pop()), String(name));
    },
    0x51: (m) => m.#persistent(), // BINPERSID
    0x52: (m) => m.#call(), // REDUCE
    0x81: (m) => m.#call(), // NEWOBJ
    // BUILD: the state of OrderedDict (its _metadata), arrays and namespaces is of no use here.
    0x62: (m) => void m.#pop(),
  };
}

const OPCODES = PickleMachine.opcodes;
