/** Caps on what a settings file and its values may hold. Ours: each is far above what a real installation needs. */
export const configLimits = {
  fileBytesMax: 64 * 1024,
  seedsMax: 64,
  nameCharactersMax: 64,
  /** POSIX PATH_MAX on Linux. */
  pathCharactersMax: 4_096,
  tokensCharactersMax: 64 * 1024,
  webhookAllowMax: 64,
} as const;
