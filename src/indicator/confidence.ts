/** What each step of confidence means: one scale for every kind of indicator. Values between two steps are allowed. */
export const confidenceScale: readonly { readonly value: number; readonly meaning: string }[] = [
  { value: 10, meaning: 'Certain: confirmed by an analyst or by the malware itself.' },
  { value: 9, meaning: 'Very confident: seen directly, by more than one method.' },
  { value: 8, meaning: 'Confident: safe to block. Feeds start here.' },
  { value: 7, meaning: 'Fairly confident: a good source, not yet confirmed. Alert on it.' },
  { value: 6, meaning: 'More likely malicious than not.' },
  { value: 5, meaning: 'A coin flip: reported, nothing known for or against. The default.' },
  { value: 4, meaning: 'Doubtful: an indirect sign only.' },
  { value: 3, meaning: 'Weak: a shared or often reused resource.' },
  { value: 2, meaning: 'Unlikely: context only.' },
  { value: 1, meaning: 'Very unlikely: kept because it was asked about.' },
  { value: 0, meaning: 'Unknown: derived from something else, judged by nobody.' },
];
