import type { Command } from 'commander'
import { systemClock } from '../../kernel/clock.ts'
import { lockDirectory } from '../../kernel/directory-lock.ts'
import { PeerRefusal } from '../../kernel/http/call-json.ts'
import { silentLog } from '../../kernel/log.ts'
import { systemRandom } from '../../kernel/random.ts'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { siteIdSchema } from '../../protocol/wire.ts'
import type { SiteId } from '../../protocol/wire.ts'
import { httpClient } from '../../sdk/http-client.ts'
import type { HttpClient } from '../../sdk/http-client.ts'
import { loadSiteSettings, siteDirectory } from '../../site/config.ts'
import { noteRotation, readSiteKeys, rotateOperatorKey } from '../../site/site-keys.ts'
import { onlySite, siteRoot, siteSettingsHere } from '../connect.ts'
import { WrongUse } from '../failures.ts'
import { rotateKeyFiles } from './rotate-key-files.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { progress, say } from '../terminal.ts'
import { perform, verb } from '../verb.ts'

interface RotateOptions {
  readonly network?: string
  readonly json?: boolean
}

/** `hedgerow site rotate-key`: new keys for a site, by a statement that the old ones sign (docs/decisions/0009). */
export function addRotateKeyVerb(site: Command, session: Session): void {
  verb(site, {
    name: 'rotate-key [name]',
    summary: 'replace the keys of a site that is stopped by new ones, signed with the old',
    example: 'hedgerow site rotate-key galway',
  })
    .option('--network <url>', 'address of the network; absent: that of the site')
    .action((name: string | undefined, options: RotateOptions) =>
      perform(session, () => rotateKey(session, { name, options })),
    )
  verb(site, {
    name: 'rotate-operator-key [name]',
    summary: 'replace the key of the operator of a site that is stopped',
    example: 'hedgerow site rotate-operator-key galway',
  }).action((name: string | undefined, options: { json?: boolean }) =>
    perform(session, () => rotateOperator(session, { name, options })),
  )
  verb(site, {
    name: 'rotate-master-key [name]',
    summary:
      'replace the key under which a site that is stopped keeps those of people, and what else is under it',
    example: 'hedgerow site rotate-master-key galway',
  }).action((name: string | undefined, options: { json?: boolean }) =>
    perform(session, () => rotateMaster(session, { name, options })),
  )
}

async function rotateOperator(
  session: Session,
  { name, options }: { name: string | undefined; options: { json?: boolean } },
): Promise<void> {
  const site = siteNamed(name ?? (await onlySite(session)))
  if (!(await siteSettingsHere(session, site)))
    throw new WrongUse(`Keys are rotated where the site is: "${site}" is not on this machine`)
  const root = siteRoot(session, site)
  const directory = siteDirectory(root).keys
  // A site that runs would go on letting the old key in.
  await using held = new AsyncDisposableStack()
  held.use(await lockDirectory(root))
  const { now } = await rotateOperatorKey(directory)
  show(session, {
    json: options.json,
    value: { site, operator: now },
    print: () =>
      say(
        session.terminal,
        `The operator of ${site} has a new key; start the site again, and copy "${directory}" to your backup. The old key lets nobody in; statements of place that it signed stay in force until they end`,
      ),
  })
}

async function rotateMaster(
  session: Session,
  { name, options }: { name: string | undefined; options: { json?: boolean } },
): Promise<void> {
  const site = siteIdSchema.parse(name ?? (await onlySite(session)))
  if (!(await siteSettingsHere(session, site)))
    throw new WrongUse(`Keys are rotated where the site is: "${site}" is not on this machine`)
  const root = siteRoot(session, site)
  const directory = siteDirectory(root)
  const settings = await loadSiteSettings({ directory, environment: session.environment, flags: {} })
  // A site that runs would go on with the old key in its memory, and wrap new people's keys under it.
  await using held = new AsyncDisposableStack()
  held.use(await lockDirectory(root))
  const { rotateMasterKey } = await import('../../site/rotate-master-key.ts')
  const line = progress(session.terminal)
  const { keys, wrappingMs, isRewritten, isLogRecycled } = await rotateMasterKey({
    root,
    settings,
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
    onProgress: (done) => line.show(`${done} keys of people are under the new key`),
  }).finally(() => line.end())
  const keysPerSecond = Math.round(keys / Math.max(0.001, wrappingMs / 1_000))
  show(session, {
    json: options.json,
    value: { site, keys, keysPerSecond, isRewritten, isLogRecycled },
    print: () => {
      say(
        session.terminal,
        `${site} has a new master key: ${keys} keys of people are under it, ${keysPerSecond} a second, and the old one is destroyed. Start the site again, copy "${directory.keys}" to your backup, and make a new backup`,
      )
      if (!isRewritten || !isLogRecycled)
        say(
          session.terminal,
          'The database still holds what was under the old one: its administrator has to run VACUUM FULL and recycle the write-ahead log',
        )
    },
  })
}

async function rotateKey(
  session: Session,
  { name, options }: { name: string | undefined; options: RotateOptions },
): Promise<void> {
  const site = siteNamed(name ?? (await onlySite(session)))
  const settings = await siteSettingsHere(session, site)
  if (!settings) throw new WrongUse(`Keys are rotated where the site is: "${site}" is not on this machine`)
  const root = siteRoot(session, site)
  const directory = siteDirectory(root).keys
  // A site that runs would go on with the old keys, which the network no longer lets in.
  await using held = new AsyncDisposableStack()
  held.use(await lockDirectory(root))
  const { clock, ids } = session
  const { url, name: network } = settings.network
  const server = { url: options.network ?? url, name: network }
  // A site does not start while a statement waits: so none is begun while nobody is there to take it.
  const anybody = httpClient({ server, clock, ids })
  await anybody.call(NETWORK_API.network)
  const { environment } = session
  const whole = await loadSiteSettings({ directory: siteDirectory(root), environment, flags: {} })
  const { leaveSiteLog } = await import('../../site/leave-log.ts')
  await rotateKeyFiles({
    directory,
    name: site,
    now: clock.now(),
    leaveLog: () => leaveSiteLog({ root, settings: whole, log: silentLog, clock }),
    taken: () => takenBy(anybody, site),
    note: (rotation) => noteRotation(directory, { site, rotation }),
    submit: async (rotation, key) => {
      const client = httpClient({ server, caller: { issuer: site, key }, clock, ids, keepsToken: true })
      await client.call(NETWORK_API.rotateSiteKeys, { params: { id: site }, body: { rotation } })
    },
  })
  const { signing, sealing } = await readSiteKeys(directory)
  show(session, {
    json: options.json,
    value: { site, keys: { signing: signing.publicJwk, sealing: sealing.publicJwk } },
    print: () =>
      say(
        session.terminal,
        `${site} has new keys; start it again. Copy "${directory}" to your backup: the old ones stay in "retired", for what was signed and sealed with them`,
      ),
  })
}

/** Nothing of a site that the network does not know. */
async function takenBy(client: HttpClient, site: SiteId): Promise<readonly string[]> {
  const told = client.call(NETWORK_API.logKeys, { params: { site } })
  const { rotations } = await told.catch((thrown: unknown) => {
    if (thrown instanceof PeerRefusal && thrown.status === 404) return { rotations: [] }
    throw thrown
  })
  return rotations
}

function siteNamed(name: string): SiteId {
  const named = siteIdSchema.safeParse(name)
  if (named.success) return named.data
  throw new WrongUse(`Keys are rotated where the site is: there can be no site "${name}"`)
}
