import type { RosEndpoint } from './RosApi.js';
import { describeQos } from './qos.js';

/** Whether nothing has come for longer than the watchdog allows. Times in ms of one monotonic clock. */
export function isSilent(lastArrivalMs: number, nowMs: number, watchdogS: number): boolean {
  return nowMs - lastArrivalMs > watchdogS * 1000;
}

export interface Silence {
  /** What is silent: "camera 'front'", "pose_topic". */
  readonly name: string;
  readonly topic: string;
  readonly expectedType: string;
  readonly publishers: readonly RosEndpoint[];
  readonly silentS: number;
  /** Age of the last message's stamp by the node's clock. */
  readonly lastStampAgeS: number | undefined;
  readonly incompatibleQos: string | undefined;
  readonly lastInvalid: string | undefined;
}

/** One sentence that lets a user find out why a topic is silent: what was expected, who publishes what, how. */
export function describeSilence(silence: Silence): string {
  const publishers = silence.publishers.map((publisher) => {
    const name = `${publisher.node_namespace.replace(/\/$/, '')}/${publisher.node_name}`;
    return `${name} (${publisher.topic_type}, ${describeQos(publisher.qos_profile)})`;
  });
  return [
    `${silence.name} is silent for ${silence.silentS.toFixed(1)} s: expected ${silence.expectedType} on ${silence.topic}`,
    publishers.length === 0 ? 'nobody publishes there' : `publishers: ${publishers.join('; ')}`,
    ...(silence.incompatibleQos === undefined ? [] : [`incompatible QoS: ${silence.incompatibleQos}`]),
    ...(silence.lastInvalid === undefined ? [] : [`last message refused: ${silence.lastInvalid}`]),
    ...(silence.lastStampAgeS === undefined ? [] : [`last stamp ${silence.lastStampAgeS.toFixed(1)} s ago`]),
  ].join(', ');
}
