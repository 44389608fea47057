import { relay } from './relay.ts'

/** A place on the line between two processes that keeps every byte of both directions. */
export interface RecordingProxy extends AsyncDisposable {
  /** What is dialled instead of the server. */
  readonly url: string
  /** Everything that went by, one buffer a connection and direction. */
  recorded(): readonly Buffer[]
}

/** Stands on a free loopback port before the server at `target` and passes everything on. */
export async function recordingProxy(target: string): Promise<RecordingProxy> {
  const streams: Buffer[][] = []
  const line = await relay(target, () => {
    const kept = { client: [] as Buffer[], server: [] as Buffer[] }
    streams.push(kept.client, kept.server)
    return {
      pass(chunk, from) {
        kept[from].push(chunk)
        return true
      },
    }
  })
  return {
    url: line.url,
    recorded: () => streams.map((kept) => Buffer.concat(kept)),
    [Symbol.asyncDispose]: () => line[Symbol.asyncDispose](),
  }
}
