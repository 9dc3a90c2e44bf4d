import { expect } from 'chai';
import { LEVEL, stateStatus, type NodeCondition } from '../../../src/ros/diagnosticStatuses.js';

describe('the diagnostic status of the state', () => {
  const condition: NodeCondition = {
    lifecycle: 'unconfigured',
    place: 'unknown',
    mode: '',
    error: '',
    loopMaxMs: 1,
  };
  const step = { text: 'TensorRT is building its engine (minutes each time)', seconds: 41.6 };

  it('tells the step of configure and its seconds', () => {
    const told = stateStatus('vpr_node', { ...condition, step });
    expect(told).to.include({ level: LEVEL.stale, message: `configuring: ${step.text}` });
    expect(told['values']).to.deep.include.members([
      { key: 'step', value: step.text },
      { key: 'step_s', value: '42' },
    ]);
  });

  it('tells an error first, and no step where there is none', () => {
    expect(stateStatus('vpr_node', { ...condition, step, error: 'no map' })).to.include({
      level: LEVEL.error,
      message: 'no map',
    });
    const idle = stateStatus('vpr_node', condition);
    expect(idle).to.include({ level: LEVEL.stale, message: 'unconfigured' });
    expect((idle['values'] as { key: string }[]).map(({ key }) => key)).not.to.include('step');
  });
});
