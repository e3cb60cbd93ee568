import { expect, test } from 'vitest';
import { defaultLimits } from '../../../mesh/limits.ts';
import { descriptorLimit, fileDescriptorWarning } from '../../../mesh/transport/descriptors.ts';

test('a limit that is too low for the peer cap is told of, with the one that is enough', () => {
  const limits = { ...defaultLimits, peersMax: 300 };
  expect(fileDescriptorWarning(limits, 1_028)).toBeUndefined();
  expect(fileDescriptorWarning(limits, 1_027)).toMatch(/1027 files.*about 299 peers.*ulimit -n 1028/);
  expect(fileDescriptorWarning(limits, 64)).toMatch(/about 0 peers/);
});

test.runIf(process.platform === 'linux')('Linux says how many this process may have', () => {
  expect(descriptorLimit()).toBeGreaterThan(0);
});
