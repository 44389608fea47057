import type { Clock } from './clock.ts'

/**
 * Runs something that may take at most `timeoutMs`: its signal is aborted then, or when `outer` is. Nothing is left
 * running afterwards that would keep a process alive.
 */
export async function withDeadline<T>(
  { clock, timeoutMs, outer }: { clock: Clock; timeoutMs: number; outer?: AbortSignal | undefined },
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController()
  const done = new AbortController()
  void clock.sleep(timeoutMs, done.signal).then(() => deadline.abort())
  try {
    return await act(outer === undefined ? deadline.signal : AbortSignal.any([deadline.signal, outer]))
  } finally {
    // With a reason of our own: one would be made otherwise, with all that an exception has.
    done.abort('done')
  }
}
