import type { RosModule, RosQos } from './RosApi.js';

export type Reliability = 'system_default' | 'reliable' | 'best_effort';
export type Durability = 'system_default' | 'transient_local' | 'volatile';

/** rmw_qos_history_policy_e: keep last. */
const KEEP_LAST = 1;
/** rmw_qos_reliability_policy_e and rmw_qos_durability_policy_e, by value. */
const RELIABILITY: readonly Reliability[] = ['system_default', 'reliable', 'best_effort'];
const DURABILITY: readonly Durability[] = ['system_default', 'transient_local', 'volatile'];

export function createQos(ros: RosModule, depth: number, reliability: Reliability, durability: Durability): RosQos {
  return new ros.QoS(KEEP_LAST, depth, RELIABILITY.indexOf(reliability), DURABILITY.indexOf(durability));
}

/** Results: every one arrives, for those who listen. */
export function resultQos(ros: RosModule): RosQos {
  return createQos(ros, 10, 'reliable', 'volatile');
}

/** State and map: who comes late gets the last one. */
export function latchedQos(ros: RosModule): RosQos {
  return createQos(ros, 1, 'reliable', 'transient_local');
}

function nameOf(names: readonly string[], value: number | string): string {
  return typeof value === 'number' ? (names[value] ?? `policy ${value}`) : value.toLowerCase();
}

/** "best_effort, volatile" of an endpoint's profile. */
export function describeQos(profile: {
  readonly reliability: number | string;
  readonly durability: number | string;
}): string {
  return `${nameOf(RELIABILITY, profile.reliability)}, ${nameOf(DURABILITY, profile.durability)}`;
}

/** Why a publisher's messages cannot reach a subscription that asks for more than it offers; undefined when they can. */
export function incompatibility(
  asked: { readonly reliability: Reliability; readonly durability: Durability },
  offered: { readonly reliability: number | string; readonly durability: number | string },
): string | undefined {
  if (asked.reliability === 'reliable' && nameOf(RELIABILITY, offered.reliability) === 'best_effort')
    return 'this subscription is reliable, the publisher best_effort';
  if (asked.durability === 'transient_local' && nameOf(DURABILITY, offered.durability) === 'volatile')
    return 'this subscription is transient_local, the publisher volatile';
  return undefined;
}
