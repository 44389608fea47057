import { once } from 'node:events'
import type { Fault } from './faults.ts'

/**
 * Lets a server serve until the signal is aborted, and stops it then. When it cannot go on it is stopped as well, and
 * what ended it is thrown: whoever runs it sees why, and starts it anew on what is on disk.
 */
export async function serveUntil(
  signal: AbortSignal,
  server: AsyncDisposable & { readonly ended: Promise<Fault> },
): Promise<void> {
  const aborted = signal.aborted ? Promise.resolve(undefined) : once(signal, 'abort').then(() => undefined)
  const fault = await Promise.race([aborted, server.ended])
  if (fault === undefined) return server[Symbol.asyncDispose]()
  try {
    await server[Symbol.asyncDispose]()
  } catch {
    // What does not close any more for want of its database says nothing new.
  }
  throw fault
}
