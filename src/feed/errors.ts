/** There is no allowlist (yet): a feed without one is not given, as it would block what must not be blocked. */
export class FeedUnavailable extends Error {
  readonly code = 'ALLOWLIST_NOT_LOADED';
  constructor() {
    super('the allowlist is not loaded');
    this.name = 'FeedUnavailable';
  }
}
