import { relay } from './relay.ts'

/** A line to a server that can be cut, and on which answers can be lost after the server has acted. */
export interface BreakableLine extends AsyncDisposable {
  /** What is dialled instead of the server. */
  readonly url: string
  /** From now on nobody gets through, and who is on the line is cut off. */
  cut(): void
  mend(): void
  /** From now on requests that hold this text get through, and the line breaks before their answer comes. */
  loseAnswersTo(text: string): void
}

/** Stands on a free loopback port before the server at `target`. */
export async function breakableLine(target: string): Promise<BreakableLine> {
  let isCut = false
  let lost: string | undefined
  const line = await relay(target, () => {
    if (isCut) return undefined
    let isLost = false
    return {
      pass(chunk, from, hangUp) {
        if (from === 'client' && lost !== undefined && chunk.includes(lost)) isLost = true
        if (from === 'client' || !isLost) return true
        hangUp()
        return false
      },
    }
  })
  return {
    url: line.url,
    cut() {
      isCut = true
      line.cutAll()
    },
    mend() {
      isCut = false
      lost = undefined
    },
    loseAnswersTo(text) {
      lost = text
    },
    [Symbol.asyncDispose]: () => line[Symbol.asyncDispose](),
  }
}
