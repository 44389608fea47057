import { relay } from './relay.ts'
import type { Relay } from './relay.ts'

/** A line to a server on which, of each method and path, the first request is acted on and its answer lost, the third, and so on. */
export interface LosingLine extends Relay {
  /** How many answers were lost, by method and path. */
  readonly lost: ReadonlyMap<string, number>
}

/** Stands on a free loopback port before the server at `target`. */
export async function losingLine(target: string): Promise<LosingLine> {
  const lost = new Map<string, number>()
  const answered = new Map<string, number>()
  const isLosing = (request: string) => {
    const isOdd = count(answered, request) % 2 === 1
    if (isOdd) count(lost, request)
    return isOdd
  }
  const line = await relay(target, () => {
    let request = ''
    let isLost: boolean | undefined
    return {
      pass(chunk, from, hangUp) {
        if (from === 'client') {
          const begun = BEGINNING.exec(chunk.toString('latin1'))?.[1]
          if (begun !== undefined) [request, isLost] = [begun, undefined]
          return true
        }
        isLost ??= isLosing(request)
        if (isLost) hangUp()
        return !isLost
      },
    }
  })
  return Object.assign(line, { lost })
}

function count(counts: Map<string, number>, name: string): number {
  const next = (counts.get(name) ?? 0) + 1
  counts.set(name, next)
  return next
}

const BEGINNING = /^((?:GET|POST|PUT|DELETE) [^ ?]+)/
