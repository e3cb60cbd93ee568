const pending = new Set<() => void>();

process.on('exit', () => {
  for (const task of pending) task();
});

/**
 * Runs the synchronous `task` if this process exits before the function given back is called: a test that is cut
 * off never reaches the end of its `await using`, and must still leave nothing behind.
 */
export function atExit(task: () => void): () => void {
  pending.add(task);
  return () => pending.delete(task);
}
