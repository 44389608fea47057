import { pino } from 'pino'

/** Structured operator log. Records carry ids and counts, never rows, question text, policy values or secrets. */
export interface Log {
  info(event: string, facts?: Record<string, string | number | boolean | undefined>): void
  warn(event: string, facts?: Record<string, string | number | boolean | undefined>): void
  error(event: string, facts?: Record<string, string | number | boolean | undefined>): void
}

/** JSON lines on standard error; `service` stands in every record. */
export function jsonLog({ service, level }: { service: string; level: string }): Log {
  const logger = pino(
    { level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination(2),
  )
  return {
    info: (event, facts) => logger.info(facts ?? {}, event),
    warn: (event, facts) => logger.warn(facts ?? {}, event),
    error: (event, facts) => logger.error(facts ?? {}, event),
  }
}

/** Says nothing; for tests and for the library half. */
export const silentLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
