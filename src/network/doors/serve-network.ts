import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { formatWitness } from '../../protocol/proof/cosignature.ts'
import { logOrigin } from '../../protocol/proof/checkpoint.ts'
import { serveLog } from '../../transparency/serve-log.ts'
import { authenticateAssertion } from '../membership/authenticate.ts'
import type { NetworkDoor, NetworkParts } from './network-parts.ts'

/** Who the network is, tokens, and its log. */
export function serveIdentity(door: NetworkDoor, parts: NetworkParts): void {
  const { name, version, keys, witness, authentication, accessTokens, log } = parts
  const witnessKey = formatWitness({ name: witness.keys.name, key: witness.keys.key.publicJwk })
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
  serveLog(door, { checkpoint: () => log.checkpoint(), tile: (path) => log.readTile(`tile/${path}`) })
}
