import { unsigned, VALUE_TYPE_BYTE, type Code, type ValueType } from './instructions.js';

function flatten(code: Code, bytes: number[] = []): number[] {
  for (const item of code) {
    if (typeof item === 'number') bytes.push(item);
    else flatten(item, bytes);
  }
  return bytes;
}

/** A parameter or local variable of a function under construction. */
export class Local {
  readonly get: Code;
  readonly #index: number[];

  constructor(index: number) {
    this.#index = unsigned(index);
    this.get = [0x20, this.#index];
  }

  set(value: Code): Code {
    return [value, 0x21, this.#index];
  }

  /** Sets it and leaves the value for the expression around. */
  tee(value: Code): Code {
    return [value, 0x22, this.#index];
  }
}

/** One exported function: parameters and locals are declared while the body is written. */
export class WasmFunction {
  readonly name: string;
  readonly parameterTypes: readonly ValueType[];
  readonly resultTypes: readonly ValueType[];
  readonly #localTypes: ValueType[] = [];
  #body: Code = [];

  constructor(name: string, parameterTypes: readonly ValueType[], resultTypes: readonly ValueType[]) {
    this.name = name;
    this.parameterTypes = parameterTypes;
    this.resultTypes = resultTypes;
  }

  parameter(index: number): Local {
    return new Local(index);
  }

  local(type: ValueType): Local {
    this.#localTypes.push(type);
    return new Local(this.parameterTypes.length + this.#localTypes.length - 1);
  }

  locals(type: ValueType, count: number): Local[] {
    return Array.from({ length: count }, () => this.local(type));
  }

  setBody(...body: Code[]): void {
    this.#body = body;
  }

  /** The entry of the code section, its length in front. */
  encode(): number[] {
    const locals = this.#localTypes.flatMap((type) => [1, VALUE_TYPE_BYTE[type]]);
    const body = [...unsigned(this.#localTypes.length), ...locals, ...flatten(this.#body), 0x0b];
    return [...unsigned(body.length), ...body];
  }
}
