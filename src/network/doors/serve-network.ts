import { Fault } from '../../kernel/faults.ts'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { formatWitness } from '../../protocol/proof/cosignature.ts'
import { logOrigin } from '../../protocol/proof/checkpoint.ts'
import { authenticateAssertion } from '../membership/authenticate.ts'
import type { NetworkDoor, NetworkParts } from './network-parts.ts'

/** Tiles never change; the checkpoint does. */
const FOR_EVER = 'public, max-age=31536000, immutable'

/** Who the network is, tokens, and its log. */
export function serveIdentity(door: NetworkDoor, parts: NetworkParts): void {
  const { name, version, keys, witness, authentication, accessTokens, log } = parts
  const witnessKey = formatWitness({ name: witness.name, key: witness.key.publicJwk })
  door.serve(NETWORK_API.network, () =>
    Promise.resolve({
      name,
      signing: keys.signing.publicJwk,
      logOrigin: logOrigin(name),
      witness: witnessKey,
      ...(keys.first ? { firstKeys: keys.first } : {}),
      rotations: [...keys.rotations],
      version,
    }),
  )
  door.serve(NETWORK_API.token, async ({ body }) => {
    const principal = await authenticateAssertion(authentication, body.assertion)
    return accessTokens.answer(principal.name)
  })
  door.serve(NETWORK_API.checkpoint, async () => {
    const note = await log.checkpoint()
    if (note === undefined)
      throw new Fault('fault.not_found', { what: 'Cannot give a checkpoint: the log is empty' })
    return new Response(note, {
      headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' },
    })
  })
  door.serve(NETWORK_API.tile, async ({ params }) => {
    const bytes = await log.readTile(`tile/${params.path}`)
    if (!bytes) throw new Fault('fault.not_found', { what: 'Cannot give the tile: it is not published' })
    return new Response(new Uint8Array(bytes), {
      headers: { 'content-type': 'application/octet-stream', 'cache-control': FOR_EVER },
    })
  })
}
