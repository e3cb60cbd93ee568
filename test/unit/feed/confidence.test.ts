import { describe, expect, test } from 'vitest';
import { agreed, decayed, shownConfidence } from '../../../src/feed/confidence.ts';

describe('providers that agree', () => {
  test.each([
    ['one alone is believed as it is', [8], 8],
    ['one alone below the middle too', [3.25], 3.25],
    ['two that are confident are more so together', [8, 8], 8.6],
    ['three that are fairly confident are confident', [7, 7, 7], 8.08],
    ['two that are fairly confident are not yet', [7, 7], 7.6],
    ['a dozen coin flips are one', Array.from({ length: 12 }, () => 5), 5],
    ['who doubts takes nothing away', [9, 1, 0], 9],
    ['what is certain stays so', [10, 9], 10],
    ['nobody is confident of nothing', [], 0],
  ])('%s', (_, confidences, expected) => {
    expect(shownConfidence(agreed(confidences))).toBe(expected);
  });

  test('never below the highest, never above 10, whatever the order', () => {
    for (let i = 0; i < 500; i++) {
      const confidences = Array.from({ length: 1 + (i % 7) }, (_, j) => ((i * 37 + j * 53) % 101) / 10);
      const together = agreed(confidences);
      expect(together).toBeGreaterThanOrEqual(Math.max(...confidences) - 1e-9);
      expect(together).toBeLessThanOrEqual(10);
      expect(agreed([...confidences].reverse())).toBe(together);
    }
  });

  test('one more that is surer than a coin flip raises what is not certain', () => {
    expect(agreed([8, 8, 5.5])).toBeGreaterThan(agreed([8, 8]));
  });
});

describe('decay', () => {
  test.each([
    ['ipv4', 7, 10],
    ['ipv4', 91, 5],
    ['ipv4', 175, 2.5],
    ['fqdn', 15, 10],
    ['fqdn', 195, 5],
    ['sha256', 45, 10],
    ['sha256', 765, 5],
  ] as const)('%s: after %i days a 10 is a %d', (itype, days, expected) => {
    expect(decayed(10, itype, days)).toBeCloseTo(expected, 10);
  });

  test('at the default confidence an 8 stays a week, a 9 the whole window of addresses', () => {
    expect(shownConfidence(decayed(8, 'ipv4', 7))).toBe(8);
    expect(shownConfidence(decayed(8, 'ipv4', 8))).toBeLessThan(8);
    expect(shownConfidence(decayed(9, 'ipv4', 21))).toBeGreaterThanOrEqual(8);
    expect(shownConfidence(decayed(9, 'fqdn', 45))).toBeGreaterThanOrEqual(8);
  });
});
