import type { KeyObject } from 'node:crypto'
import { formatInstant } from '../../kernel/clock.ts'
import type { ExportKind, ExportRecord } from '../../protocol/rights/person-export.ts'
import { contractInForce } from '../contracts/contract-in-force.ts'
import { contractNamed } from '../contracts/contract-named.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { DataSetRecord } from '../datasets/data-set-store.ts'
import { retentionEnd } from '../../protocol/law/retention.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { SiteContext } from '../site-context.ts'
import { openedRows } from './opened-rows.ts'
import type { KnownPerson } from './person-reading.ts'

interface PersonInDataSet {
  readonly person: KnownPerson
  readonly key: KeyObject | undefined
  readonly record: DataSetRecord
  readonly wants: (kind: ExportKind) => boolean
}

/** What an export has of one data set: what it is, the name that the person has in it, and their rows, opened; nothing where they are not in it. */
export async function* dataSetRecords(
  site: SiteContext,
  { person, key, record, wants }: PersonInDataSet,
): AsyncGenerator<readonly ExportRecord[]> {
  const { manifest, describedAt } = record
  const { dataSet } = manifest
  if (!(await site.vault.people(dataSet)).has(person.number)) return
  const reading = wants('row') ? rowsOf(site, { person, dataSet }) : undefined
  // It fails where the rows come; until then, or if nobody reads so far, it must not end the process.
  reading?.catch(() => undefined)
  if (wants('dataSet')) {
    yield [
      {
        kind: 'dataSet',
        site: site.site,
        dataSet,
        manifest,
        describedAt: formatInstant(describedAt),
        keptUntil: formatInstant(retentionEnd(manifest.retention)),
        ...processingOf(site, manifest),
      },
    ]
  }
  if (wants('identity'))
    yield [{ kind: 'identity', site: site.site, issuer: person.issuer, dataSet, key: person.key }]
  for (const { places, rows } of (await reading) ?? []) {
    // Whoever else a row is about has a right of their own to what says who they are.
    const owners = places.map((one) => (one === person.number ? { key, personKey: person.key } : undefined))
    const hiddenCount = places.filter((one) => one !== undefined && one !== person.number).length
    yield* openedRows(rows, { manifest, ownersAt: () => owners, hiddenCount })
  }
}

/** Under which contract the custodian keeps a data set for its issuer. */
function processingOf(site: SiteContext, manifest: Manifest) {
  const contract = contractInForce(site, manifest, site.clock.now())
  return contract && { processing: { ...contractNamed(contract), processor: site.custodian } }
}

/** A person's rows in a data set, their own and those of their households, with the people whom they are about. */
async function rowsOf(
  { vault }: SiteContext,
  { person, dataSet }: { person: KnownPerson; dataSet: DataSetId },
) {
  const households = await vault.households()
  return Promise.all(
    households.numbersOf(person.number).map(async (number) => ({
      places: households.placesOf(number),
      rows: await vault.listRows(dataSet, number),
    })),
  )
}
