import { systemClock } from '../kernel/clock.ts'
import type { Clock } from '../kernel/clock.ts'
import { idSource } from '../kernel/id.ts'
import type { IdSource } from '../kernel/id.ts'
import { systemRandom } from '../kernel/random.ts'
import type { Random } from '../kernel/random.ts'
import { processTerminal, say } from './terminal.ts'
import type { Terminal } from './terminal.ts'
import { jsonText } from './json-output.ts'

/** What every verb works with. */
export interface Session {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly terminal: Terminal
  readonly clock: Clock
  readonly random: Random
  readonly ids: IdSource
  /** The directory of networks, sites and members: `HEDGEROW_HOME`, else `.hedgerow` here. */
  readonly home: string
  /** Whether `--json` was typed: then a failure is a document too. */
  readonly isJson?: boolean
  /** Ended by Ctrl-C. */
  readonly signal: AbortSignal
}

/** The session of this process. */
export function processSession(
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Session {
  return {
    environment,
    terminal: processTerminal(environment),
    clock: systemClock,
    random: systemRandom,
    ids: idSource(systemClock, systemRandom),
    home: homeOf(environment),
    signal,
  }
}

/** A setting without a text is none, as everywhere. */
function homeOf({ HEDGEROW_HOME: home = '' }: Session['environment']): string {
  return home === '' ? '.hedgerow' : home
}

/** Prints a result once: as JSON for programs, else by the verb's own words. */
export function show<T>(
  { terminal }: Session,
  { json, value, print }: { json: boolean | undefined; value: T; print: (value: T) => void },
): void {
  if (json === true) say(terminal, jsonText(value))
  else print(value)
}
