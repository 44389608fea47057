import { Fault } from '../kernel/faults.ts'
import type { Door } from '../kernel/http/door.ts'
import { LOG_API } from '../protocol/http/log-endpoints.ts'

/** What a door gives of a log. */
interface ServedLog {
  /** `undefined` before the first receipt. */
  checkpoint(): Promise<string | undefined>
  /** A tile by its path after `/tile/`. */
  tile(path: string): Promise<Uint8Array | undefined>
}

/** A full tile never changes, and a partial one is replaced by one of a longer name. */
const FOR_EVER = 'public, max-age=31536000, immutable'

/** Serves a log at a door as static files. */
export function serveLog<Caller>(door: Pick<Door<Caller>, 'serve'>, log: ServedLog): void {
  door.serve(LOG_API.checkpoint, async () => {
    const note = await log.checkpoint()
    if (note === undefined)
      throw new Fault('fault.not_found', { what: 'Cannot give a checkpoint: the log is empty' })
    return new Response(note, {
      headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' },
    })
  })
  door.serve(LOG_API.tile, async ({ params }) => {
    const bytes = await log.tile(params.path)
    if (!bytes) throw new Fault('fault.not_found', { what: 'Cannot give the tile: it is not published' })
    return new Response(new Uint8Array(bytes), {
      headers: { 'content-type': 'application/octet-stream', 'cache-control': FOR_EVER },
    })
  })
}
