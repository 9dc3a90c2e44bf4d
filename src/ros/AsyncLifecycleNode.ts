/**
 * A lifecycle node whose transitions may take their time, on rclnodejs 2.2.0 exactly (package.json pins it): it leans on
 * internals of LifecycleNode and Node, all of them named in `LifecycleInternals`. What it changes:
 *
 * - Callbacks of rclnodejs' LifecycleNode are synchronous; a promise would be taken for a result code. Here a transition
 *   is triggered, the callback awaited while the event loop runs on, and the service answered when it is done.
 *   Transitions that are asked for meanwhile wait for their turn.
 * - An invalid transition throws inside the service callback and would end the process; here it is answered with false.
 * - Exceptions of other service callbacks (a parameter request for a name that does not exist) are logged.
 * - Parameter files address a node as `/ns/name`, `/**`, `/**\/name` or `name`; rclnodejs knows only the bare name and `/**`.
 */
import { messageOf } from '../core/VprError.js';
import { matchesNodeName } from './matchesNodeName.js';
import type {
  ParameterChangeResult,
  RosContext,
  RosModule,
  RosNode,
  RosParameter,
  RosServiceResponse,
} from './RosApi.js';

interface NativeState {
  readonly id: number;
  readonly label: string;
}

interface NativeOverrides {
  readonly name: string;
  readonly parameters: readonly RosParameter[];
}

/** Functions of the native module. */
export interface RosNative {
  getCurrentLifecycleState(machine: object): NativeState;
  getLifecycleTransitionByLabel(machine: object, label: string): Partial<NativeState>;
  getAvailableLifecycleTransitions(machine: object): readonly { readonly transition: NativeState }[];
  triggerLifecycleTransitionById(machine: object, id: number): NativeState | undefined;
  triggerLifecycleTransitionByLabel(machine: object, label: string): NativeState | undefined;
  getLifecycleTransitionIdToLabel(id: number): string;
  getParameterOverrides(context: object): readonly NativeOverrides[] | undefined;
}

interface LifecycleInternals extends RosNode {
  readonly _stateMachineHandle: object;
  readonly context: RosContext;
  execute(handles: unknown): void;
}

interface ChangeStateRequest {
  readonly transition: { readonly id: number; readonly label: string };
}

export type TransitionName = 'configure' | 'activate' | 'deactivate' | 'cleanup' | 'shutdown';

/** Each returns whether it succeeded; a rejection is an error. `shutdown` comes from any state. */
export interface LifecycleHandler {
  transition(name: TransitionName): Promise<boolean>;
  /** After a transition, with the state that the node is in now. */
  onState(label: string): void;
  /** Before parameters are set; rclnodejs' own checks come after, and only say that something is wrong. */
  checkParameters(parameters: readonly RosParameter[]): ParameterChangeResult;
  /** Something failed that is nobody's answer. */
  onError(sentence: string): void;
}

/** lifecycle_msgs/msg/State: the state in which a transition's callback runs. */
const TRANSITION_OF_STATE: ReadonlyMap<number, TransitionName> = new Map([
  [10, 'configure'],
  [11, 'cleanup'],
  [12, 'shutdown'],
  [13, 'activate'],
  [14, 'deactivate'],
]);
/** lifecycle_msgs/msg/Transition: results of a callback. */
const CALLBACK_SUCCESS = 97;
const CALLBACK_FAILURE = 98;
const CALLBACK_ERROR = 99;

export interface AsyncLifecycleNode extends RosNode {
  /** "unconfigured", "inactive", "active", "finalized", or a transition's "configuring", ... */
  readonly stateLabel: string;
  /** Runs a transition as if the service had been called; false when it failed or is not possible from here. */
  changeState(transition: TransitionName): Promise<boolean>;
}

type LifecycleNodeClass = new (name: string, namespace: string) => LifecycleInternals;

/** Creates the node. `handler` is asked for transitions only after this has returned. */
export function createAsyncLifecycleNode(
  ros: RosModule,
  native: RosNative,
  name: string,
  handler: LifecycleHandler,
): AsyncLifecycleNode {
  const Base = ros.lifecycle.LifecycleNode as LifecycleNodeClass;

  class PatchedLifecycleNode extends Base implements AsyncLifecycleNode {
    #queue: Promise<unknown> = Promise.resolve();

    get stateLabel(): string {
      return native.getCurrentLifecycleState(this._stateMachineHandle).label;
    }

    changeState(transition: TransitionName): Promise<boolean> {
      return this.#enqueue(() => this.#idOf(transition));
    }

    override execute(handles: unknown): void {
      try {
        super.execute(handles);
      } catch (error) {
        handler.onError(messageOf(error));
      }
    }

    override setParametersAtomically(parameters: readonly RosParameter[]): ParameterChangeResult {
      const result = handler.checkParameters(parameters);
      return result.successful ? super.setParametersAtomically(parameters) : result;
    }

    // Overrides LifecycleNode._onChangeState; rclnodejs awaits what a service callback returns.
    async _onChangeState({ transition }: ChangeStateRequest, response: RosServiceResponse): Promise<void> {
      const wanted = (): number | undefined =>
        transition.label === '' ? transition.id : this.#idOf(transition.label as TransitionName);
      response.send({ success: await this.#enqueue(wanted) });
    }

    // Overrides Node._getNativeParameterOverrides, which the constructor of Node calls.
    _getNativeParameterOverrides(): Map<string, RosParameter> {
      const overrides = new Map<string, RosParameter>();
      const all = native.getParameterOverrides(ros.Context.defaultContext().handle) ?? [];
      const ownName = this.getFullyQualifiedName();
      // Wildcards first, so that what names the node wins.
      const matching = all.filter((entry) => matchesNodeName(entry.name, ownName));
      matching.sort((a, b) => Number(b.name.includes('*')) - Number(a.name.includes('*')));
      for (const { parameters } of matching)
        for (const { name: parameter, type, value } of parameters)
          overrides.set(parameter, new ros.Parameter(parameter, type, value));
      return overrides;
    }

    /** Id of a transition by its label, among those that are possible now: shutdown has one id for each state. */
    #idOf(label: string): number | undefined {
      return native
        .getAvailableLifecycleTransitions(this._stateMachineHandle)
        .find(({ transition }) => transition.label === label)?.transition.id;
    }

    #enqueue(idOf: () => number | undefined): Promise<boolean> {
      const run = this.#queue.then(() => this.#run(idOf()));
      this.#queue = run.catch(() => undefined);
      return run;
    }

    async #run(id: number | undefined): Promise<boolean> {
      const possible = native.getAvailableLifecycleTransitions(this._stateMachineHandle);
      if (id === undefined || !possible.some(({ transition }) => transition.id === id)) {
        const names = possible.map(({ transition }) => transition.label).join(', ');
        handler.onError(
          `Expected one of the transitions ${names} in state ${this.stateLabel}, got ${id ?? 'another one'}`,
        );
        return false;
      }
      const during = native.triggerLifecycleTransitionById(this._stateMachineHandle, id);
      const transition = during === undefined ? undefined : TRANSITION_OF_STATE.get(during.id);
      handler.onState(this.stateLabel);
      const code = transition === undefined ? CALLBACK_SUCCESS : await this.#callback(transition);
      this.#finish(code);
      // An error leads to ErrorProcessing; a node that has let go of everything may start over from Unconfigured.
      if (code === CALLBACK_ERROR) this.#finish(CALLBACK_SUCCESS);
      handler.onState(this.stateLabel);
      return code === CALLBACK_SUCCESS;
    }

    async #callback(transition: TransitionName): Promise<number> {
      try {
        return (await handler.transition(transition)) ? CALLBACK_SUCCESS : CALLBACK_FAILURE;
      } catch (error) {
        handler.onError(`${transition} failed: ${messageOf(error)}`);
        return CALLBACK_ERROR;
      }
    }

    #finish(code: number): void {
      native.triggerLifecycleTransitionByLabel(this._stateMachineHandle, native.getLifecycleTransitionIdToLabel(code));
    }
  }

  return new PatchedLifecycleNode(name, '');
}
