import { Fault } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { logOrigin } from '../../protocol/proof/checkpoint.ts'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { cosignCheckpoint, readWitnessed } from '../witness/cosign-checkpoint.ts'
import type { Witnessed } from '../witness/cosign-checkpoint.ts'
import { readShownCheckpoint } from '../witness/read-submission.ts'
import type { NetworkDoor, NetworkParts } from './network-parts.ts'

/** The network as a witness of its sites' logs (C2SP tlog-witness). */
export function serveWitness(door: NetworkDoor, { witness, events }: NetworkParts): void {
  door.serve(NETWORK_API.addCheckpoint, async ({ raw }) => {
    const body = await readShort(raw)
    const shown = body === undefined ? undefined : readShownCheckpoint(body)
    if (!shown) return text('The body is not "old SIZE", a proof, an empty line and a signed checkpoint', 400)
    const became = await cosignCheckpoint(witness, shown)
    const { origin, size } = shown.checkpoint
    if (became.kind !== 'cosigned') events.notCosigned({ origin, size, why: became.kind })
    return answerOf(became)
  })
  door.serve(NETWORK_API.witnessed, async ({ params }) => {
    const note = await readWitnessed(witness.db, logOrigin(params.site))
    if (note === undefined)
      throw new Fault('fault.not_found', { what: 'The witness has seen no checkpoint of this site' })
    return text(note, 200)
  })
}

function answerOf(became: Witnessed): Response {
  switch (became.kind) {
    case 'cosigned':
      return text(became.line, 200)
    case 'stale':
      return text(`${became.size}\n`, 409, 'text/x.tlog.size')
    case 'forked':
      return text('Another root was seen at this size', 409)
    case 'inconsistent':
      return text('The proof does not show the log that was seen to be the beginning of this one', 422)
    case 'malformed':
      return text('The old size is above that of the checkpoint', 400)
    case 'not-signed':
      return text('The checkpoint is not signed by the log that it names', 403)
    case 'unknown-log':
      return text('This is no log of a site of this network', 404)
  }
}

function text(body: string, status: number, type = 'text/plain; charset=utf-8'): Response {
  return new Response(body, { status, headers: { 'content-type': type, 'cache-control': 'no-store' } })
}

/** A body up to its bound; a longer one is none. */
async function readShort(request: Request): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of request.body ?? []) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > LIMITS.witnessRequestBytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
