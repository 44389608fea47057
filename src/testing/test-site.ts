import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../kernel/clock.ts'
import type { Clock } from '../kernel/clock.ts'
import { readKeyFile } from '../kernel/crypto/key-file.ts'
import { silentLog } from '../kernel/log.ts'
import { systemRandom } from '../kernel/random.ts'
import { ok } from '../kernel/result.ts'
import { manifestSchema } from '../protocol/data-set.ts'
import { grantRequestSchema } from '../protocol/consent/grant.ts'
import { dataSetIdSchema } from '../protocol/wire.ts'
import type { WireManifest } from '../sdk/issuer.ts'
import { contractRequestSchema } from '../protocol/law/processing-contract.ts'
import { recordContract } from '../site/contracts/change-contracts.ts'
import { siteSettingsSchema } from '../site/config.ts'
import type { SiteSettings } from '../site/config.ts'
import { giveGrants } from '../site/consent/give-grants.ts'
import { describeDataSet } from '../site/datasets/describe-data-set.ts'
import { importFile } from '../site/datasets/import-file.ts'
import type { FileSource } from '../site/datasets/spool-file.ts'
import { initSite } from '../site/init-site.ts'
import { openSite } from '../site/open-site.ts'
import type { SiteContext } from '../site/site-context.ts'
import { lookupDigest } from '../site/vault/keys/lookup-digest.ts'
import { csvOf, testGrant, testManifest, testProcessing } from './test-population.ts'
import type { TestPerson } from './test-population.ts'
import { testDatabaseUrl } from './test-postgres.ts'
import { evidenceOf } from './test-trade.ts'

/** Everything of a site below its doors, with nothing that serves: for what may be stopped at any step. */
export interface BareSite extends AsyncDisposable {
  readonly root: string
  readonly site: SiteContext
  readonly settings: SiteSettings
  /** Closes it and opens it again on what is on disk; `stopped` runs in between. */
  reopen(stopped?: () => Promise<void>): Promise<SiteContext>
  /** Describes a data set, imports people into it and has all of them grant everything for research. */
  fill(facts: {
    dataSet: string
    people: readonly TestPerson[]
    manifest?: Partial<WireManifest>
    batch?: string
    hasGrants?: boolean
  }): Promise<void>
  /** Imports a CSV file, and throws where it is not taken. */
  bring(facts: { dataSet: string; batch: string; file: FileSource }): Promise<void>
  /** The number of a person of the issuer `federation`; -1 for nobody. */
  numberOf(personKey: string): Promise<number>
}

/** Makes a site on the PostgreSQL that tests share. */
export async function bareSite(clock: Clock = systemClock): Promise<BareSite> {
  const root = await mkdtemp(join(tmpdir(), 'hedgerow-bare-'))
  const networkUrl = 'http://127.0.0.1:1'
  await initSite(root, { site: 'galway', custodian: 'edgeworks', territory: 'IE', networkUrl })
  const key = await readKeyFile(join(root, 'keys', 'operator.jwk'))
  await writeFile(join(root, 'evidence.jws'), evidenceOf({ site: 'galway', territory: 'IE', clock, key }))
  const settings = siteSettingsSchema.parse({
    site: 'galway',
    custodian: 'edgeworks',
    territory: 'IE',
    network: { url: networkUrl },
    databaseUrl: (await testDatabaseUrl('site')).reveal(),
    vault: { memoryMb: 256, threads: 1 },
  })
  let opened = new AsyncDisposableStack()
  const open = () =>
    openSite({ root, settings, log: silentLog, clock, random: systemRandom }, opened, () => undefined)
  let site = await open()
  await recordContract(site, contractRequestSchema.parse(testProcessing()), { by: 'issuer:federation' })
  return {
    root,
    get site() {
      return site
    },
    settings,
    async reopen(stopped = () => Promise.resolve()) {
      await opened.disposeAsync()
      await stopped()
      opened = new AsyncDisposableStack()
      site = await open()
      return site
    },
    async fill({ dataSet, people, manifest = {}, batch = 'first', hasGrants = true }) {
      const described = manifestSchema.parse(testManifest(dataSet, manifest))
      await describeDataSet(site, described)
      await site.offersChanged()
      await importInto(site, { dataSet, batch, file: { stream: new Blob([csvOf(people)]).stream() } })
      if (!hasGrants) return
      const grants = people.map(({ id }) => grantRequestSchema.parse(testGrant(dataSet, id)))
      await giveGrants(site.consent, grants, { by: 'issuer:federation' })
    },
    bring: (facts) => importInto(site, facts),
    async numberOf(personKey) {
      const lookup = lookupDigest(site.keys.lookup, { issuer: 'federation', personKey })
      return (await site.vault.findPeople([lookup]))[0] ?? -1
    },
    async [Symbol.asyncDispose]() {
      await opened.disposeAsync()
      await rm(root, { recursive: true, force: true })
    },
  }
}

async function importInto(
  site: SiteContext,
  { dataSet, batch, file }: { dataSet: string; batch: string; file: FileSource },
): Promise<void> {
  const imported = await importFile(
    {
      ...site,
      receipts: site.log,
      directory: site.root,
      keys: site.personKeys,
      lookupKeys: site.keys.lookup,
      threads: 1,
      noteRows: (tx, facts) => site.partitions.noteChange(tx, facts),
    },
    { dataSet: dataSetIdSchema.parse(dataSet), batch, format: 'csv', file, mayStore: () => ok(undefined) },
  )
  if (!imported.ok) throw new Error(`The file of ${dataSet} was not taken: ${imported.error.code}`)
}
