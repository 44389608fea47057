import type { Log } from '../kernel/log.ts'

/** A log that keeps its lines as they would be written. */
export interface RecordingLog extends Log {
  readonly lines: readonly string[]
}

/** Makes an empty log. */
export function recordingLog(): RecordingLog {
  const lines: string[] = []
  const note =
    (level: string): Log['info'] =>
    (event, facts = {}) => {
      lines.push(JSON.stringify({ level, ...facts, msg: event }))
    }
  return { lines, info: note('info'), warn: note('warn'), error: note('error') }
}
