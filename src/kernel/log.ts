import { pino } from 'pino'
import { systemClock } from './clock.ts'

/** Structured operator log. Records carry ids and counts, never rows, question text, policy values or secrets. */
export interface Log {
  info(event: string, facts?: Record<string, string | number | boolean | undefined>): void
  warn(event: string, facts?: Record<string, string | number | boolean | undefined>): void
  error(event: string, facts?: Record<string, string | number | boolean | undefined>): void
}

/** How long a record may lie before it is written: what happens meanwhile goes with it. */
const TOGETHER_MS = 20
/** From here on it is written at once. */
const TOGETHER_BYTES = 8 * 1024

/**
 * JSON lines on standard error; `service` stands in every record. Records of ordinary events are written together: a trip to
 * the thread pool for each would come between an answer and whoever waits for it. Warnings and errors take what is there along
 * at once, and so does the end of the process.
 */
export function jsonLog({ service, level }: { service: string; level: string }): Log {
  const destination = pino.destination({ dest: 2, minLength: TOGETHER_BYTES, sync: false })
  const logger = pino({ level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime }, destination)
  // While a write is under way, `flush()` does nothing: what was said meanwhile is written as soon as that one is done.
  let isWanted = false
  const flush = () => {
    isWanted = true
    destination.flush()
  }
  destination.on('drain', () => {
    if (!isWanted) return
    isWanted = false
    destination.flush()
  })
  let isDue = false
  const writeSoon = () => {
    if (isDue) return
    isDue = true
    void systemClock.sleep(TOGETHER_MS).then(() => {
      isDue = false
      flush()
    })
  }
  return {
    info(event, facts) {
      logger.info(facts ?? {}, event)
      writeSoon()
    },
    warn(event, facts) {
      logger.warn(facts ?? {}, event)
      flush()
    },
    error(event, facts) {
      logger.error(facts ?? {}, event)
      flush()
    },
  }
}

/** Says nothing; for tests and for the library half. */
export const silentLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
