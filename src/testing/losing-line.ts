import { relay } from './relay.ts'
import type { Relay } from './relay.ts'

/** A line to a server on which, of the requests on a kept connection, every second is acted on and its answer lost. */
export interface LosingLine extends Relay {
  /** How many answers were lost, by method and path. */
  readonly lost: ReadonlyMap<string, number>
}

/** Stands on a free loopback port before the server at `target`. */
export async function losingLine(target: string): Promise<LosingLine> {
  const lost = new Map<string, number>()
  const line = await relay(target, () => {
    let requests = 0
    let last = ''
    return {
      pass(chunk, from, hangUp) {
        const [, begun] = (from === 'client' && BEGINNING.exec(chunk.toString('latin1'))) || []
        if (begun !== undefined) {
          requests += 1
          last = begun
        }
        if (from === 'client' || requests < 2) return true
        lost.set(last, (lost.get(last) ?? 0) + 1)
        hangUp()
        return false
      },
    }
  })
  return Object.assign(line, { lost })
}

const BEGINNING = /^((?:GET|POST|PUT|DELETE) [^ ?]+)/
