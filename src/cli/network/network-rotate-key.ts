import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { lockDirectory } from '../../kernel/directory-lock.ts'
import { silentLog } from '../../kernel/log.ts'
import { loadNetworkSettings, networkDirectory } from '../../network/config.ts'
import type { NetworkDirectory } from '../../network/config.ts'
import { rotateNetworkKeys, rotateNetworkOperatorKey } from '../../network/network-keys.ts'
import { formatWitness } from '../../protocol/proof/cosignature.ts'
import { WrongUse } from '../failures.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say } from '../terminal.ts'
import { perform, verb } from '../verb.ts'

interface RotateOptions {
  readonly config?: string
  readonly json?: boolean
}

/** `hedgerow network rotate-key`: new keys for a network, by a statement that the old ones sign (docs/decisions/0009). */
export function addNetworkRotateVerbs(network: Command, session: Session): void {
  verb(network, {
    name: 'rotate-key',
    summary: 'replace the signing and the witness key of a network that is stopped, signed with the old',
    example: 'hedgerow network rotate-key',
  })
    .option('--config <file>', 'settings; absent: config.yaml of the network')
    .action((options: RotateOptions) => perform(session, () => rotate(session, options)))
  verb(network, {
    name: 'rotate-operator-key',
    summary: 'replace the key of the operator of a network that is stopped',
    example: 'hedgerow network rotate-operator-key',
  }).action((options: RotateOptions) => perform(session, () => rotateOperator(session, options)))
}

async function rotate(session: Session, { config, json }: RotateOptions): Promise<void> {
  const directory = networkHere(session)
  const own = existsSync(directory.config) ? directory.config : undefined
  const settings = await loadNetworkSettings({
    file: config ?? own,
    environment: session.environment,
    flags: {},
  })
  // A network that runs would go on signing with the old keys.
  await using held = new AsyncDisposableStack()
  held.use(await lockDirectory(directory.root))
  const place = { directory: directory.keys, network: settings.name }
  const { clock } = session
  const { leaveNetworkLog } = await import('../../network/leave-log.ts')
  const { signing, witness, rotations } = await rotateNetworkKeys(place, (keys) =>
    leaveNetworkLog({ root: directory.root, settings, log: silentLog, clock }, keys),
  )
  const name = `hedgerow/${settings.name}/witness`
  show(session, {
    json,
    value: {
      network: settings.name,
      signing: signing.publicJwk,
      witness: formatWitness({ name, key: witness.publicJwk }),
      rotations: rotations.length,
    },
    print: () =>
      say(
        session.terminal,
        `${settings.name} has new keys; start it again, and copy "${directory.keys}" to your backup. Sites and members who saw the old ones follow; the old secrets are wiped`,
      ),
  })
}

async function rotateOperator(session: Session, { json }: RotateOptions): Promise<void> {
  const directory = networkHere(session)
  // A network that runs would go on letting the old key in.
  await using held = new AsyncDisposableStack()
  held.use(await lockDirectory(directory.root))
  const operator = await rotateNetworkOperatorKey(directory.keys)
  show(session, {
    json,
    value: { operator },
    print: () =>
      say(
        session.terminal,
        `The operator of the network has a new key; start the network again, and copy "${directory.keys}" to your backup. The old key lets nobody in`,
      ),
  })
}

function networkHere({ home }: Session): NetworkDirectory {
  const directory = networkDirectory(join(home, 'network'))
  if (existsSync(join(directory.keys, 'signing.jwk'))) return directory
  throw new WrongUse(`Keys are rotated where the network is: there is none in "${directory.root}"`)
}
