/**
 * The part of rclnodejs that the node uses, as types of our own: src/ros compiles where rclnodejs (an optional
 * dependency) is not installed. Messages are plain objects with the field names of the .msg files; 64-bit integers are
 * bigint.
 */

export type RosMessage = Record<string, unknown>;

export interface RosPublisher {
  readonly topic: string;
  readonly subscriptionCount: number;
  publish(message: RosMessage | Buffer): void;
}

export interface RosSubscription {
  readonly topic: string;
  readonly publisherCount: number;
}

export interface RosServiceResponse {
  send(response: RosMessage): void;
}

export interface RosClient {
  isServiceServerAvailable(): boolean;
  sendRequest(request: RosMessage, callback: (response: RosMessage) => void): void;
}

export interface RosGuardCondition {
  trigger(): void;
}

export interface RosLogger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  fatal(message: string): void;
}

export interface RosParameter {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

export interface ParameterChangeResult {
  readonly successful: boolean;
  readonly reason: string;
}

/** A publisher or subscription of anyone on a topic. */
export interface RosEndpoint {
  readonly node_name: string;
  readonly node_namespace: string;
  readonly topic_type: string;
  readonly qos_profile: { readonly reliability: number | string; readonly durability: number | string };
}

export interface RosTopic {
  readonly name: string;
  readonly types: readonly string[];
}

export interface RosQos {
  readonly depth: number;
}

export interface RosEntityOptions {
  readonly qos?: RosQos | string;
  /** Deliver serialised messages (Buffer), not objects. */
  readonly isRaw?: boolean;
}

export interface RosSubscriptionEvents {
  incompatibleQos: ((event: RosMessage) => void) | null;
  messageLost: ((event: RosMessage) => void) | null;
}

export interface RosNode {
  name(): string;
  namespace(): string;
  getFullyQualifiedName(): string;
  getLogger(): RosLogger;
  now(): { readonly nanoseconds: bigint };
  spin(timeoutMs?: number): void;
  destroy(): void;
  resolveTopicName(name: string): string;
  createPublisher(type: string, topic: string, options?: RosEntityOptions): RosPublisher;
  createSubscription(
    type: string,
    topic: string,
    options: RosEntityOptions,
    callback: (message: never) => void,
    events?: RosSubscriptionEvents,
  ): RosSubscription;
  createService(
    type: string,
    name: string,
    options: RosEntityOptions,
    callback: (request: never, response: RosServiceResponse) => Promise<void>,
  ): object;
  createClient(type: string, name: string): RosClient;
  createGuardCondition(callback: () => void): RosGuardCondition;
  destroyPublisher(publisher: RosPublisher): void;
  destroySubscription(subscription: RosSubscription): void;
  destroyService(service: object): void;
  destroyClient(client: RosClient): void;
  getTopicNamesAndTypes(): readonly RosTopic[];
  getPublishersInfoByTopic(topic: string): readonly RosEndpoint[];
  getParameterOverrides(): readonly RosParameter[];
  declareParameter(parameter: RosParameter, descriptor: object, ignoreOverrides: boolean): unknown;
  setParametersAtomically(parameters: readonly RosParameter[]): ParameterChangeResult;
  hasParameter(name: string): boolean;
  getParameter(name: string): RosParameter;
  addPostSetParametersCallback(callback: (parameters: readonly RosParameter[]) => void): void;
}

export interface RosContext {
  readonly handle: object;
}

/** The default export of rclnodejs. */
export interface RosModule {
  init(context?: RosContext, argv?: readonly string[]): Promise<void>;
  shutdown(): void;
  isShutdown(): boolean;
  removeSignalHandlers(): void;
  require(name: string): Record<string, unknown>;
  removeROSArgs(argv: readonly string[]): readonly string[];
  readonly Node: new (name: string) => RosNode;
  readonly Context: { defaultContext(): RosContext };
  readonly QoS: new (history: number, depth: number, reliability: number, durability: number) => RosQos;
  readonly Parameter: new (name: string, type: number, value: unknown) => RosParameter;
  readonly ParameterDescriptor: new (
    name: string,
    type: number,
    description: string,
    readOnly: boolean,
    range?: object,
  ) => { additionalConstraints: string; toMessage(): RosMessage };
  readonly FloatingPointRange: new (from: number, to: number, step: number) => object;
  readonly IntegerRange: new (from: bigint, to: bigint, step: bigint) => object;
  readonly SubscriptionEventCallbacks: new () => RosSubscriptionEvents;
  readonly lifecycle: { readonly LifecycleNode: unknown };
}
