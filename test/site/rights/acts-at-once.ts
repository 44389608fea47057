import { setTimeout } from 'node:timers/promises'
import { seededRandom } from '../../../src/demo/seeded-random.ts'
import { ok } from '../../../src/kernel/result.ts'
import { dataSetIdSchema, memberIdSchema } from '../../../src/protocol/wire.ts'
import { makeBackup } from '../../../src/site/backup/make-backup.ts'
import { findDataSet } from '../../../src/site/datasets/data-set-store.ts'
import { importFile } from '../../../src/site/datasets/import-file.ts'
import { importRows } from '../../../src/site/datasets/import-rows.ts'
import { sweepRetention } from '../../../src/site/retention/sweep-retention.ts'
import { completeErasures } from '../../../src/site/rights/complete-erasures.ts'
import { correctPerson } from '../../../src/site/rights/correct-person.ts'
import { erasePerson } from '../../../src/site/rights/erase-person.ts'
import { exportPerson } from '../../../src/site/rights/export-person.ts'
import type { SiteContext } from '../../../src/site/site-context.ts'
import { lookupDigest } from '../../../src/site/vault/keys/lookup-digest.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import type { Act, BroughtRow, Happened } from './expected-rows.ts'

/* Everything that changes people's rows at a site, all of it at the same time. */

export const study = dataSetIdSchema.parse('study')
const federation = memberIdSchema.parse('federation')
const PEOPLE = 40
const HEADER = 'id,name,country,birth_date,height,score,note'
/** Ends at once, by the terms of the data set; the other one stays. */
const [ENDED, STAYS] = ['2026-01-01', '2026-02-09']

/** Does what there is to do until it is told that it is enough; says of each act when it begins and how it ends. */
export async function actAtOnce(
  site: SiteContext,
  { seed, isOver, say }: { seed: string; isOver: () => boolean; say: (happened: Happened) => void },
): Promise<void> {
  const random = seededRandom(seed, 'acts')
  const below = (count: number) => Math.floor(random.next() * count)
  const key = () => `k-${below(PEOPLE)}`
  let latest: readonly BroughtRow[] = []
  /** Mostly somebody whose rows are on their way. */
  const keyOnItsWay = () => (latest[below(latest.length * 1.5)] ?? { key: key() }).key
  let acts = 0
  let corrected = Promise.resolve()
  const act = async (what: Act) => {
    acts += 1
    const id = `${seed}-${acts}`
    say({ id, begins: what })
    try {
      await carryOut(site, what)
      say({ id, ended: 'done' })
    } catch (error) {
      say({ id, ended: error instanceof Error ? `${error.name}: ${error.message}` : String(error) })
    }
  }
  const batchOf = (rowsMax: number) => {
    const batch = `${seed}-b${acts + 1}`
    const rows = Array.from({ length: 1 + below(rowsMax) }, (_, row): BroughtRow => {
      return { key: key(), marker: `${batch}r${row}`, isEnding: random.next() < 0.4 }
    })
    if (rowsMax > 10) latest = rows
    return { batch, rows }
  }
  const kinds: readonly (readonly [pauseMs: number, next: () => Promise<void>])[] = [
    [5, () => act({ kind: 'file', ...batchOf(200) })],
    [10, () => act({ kind: 'rows', ...batchOf(3) })],
    [20, () => act({ kind: 'erase', key: keyOnItsWay() })],
    // One after the other, so that it is known which comes last.
    [5, () => (corrected = act({ kind: 'correct', key: keyOnItsWay(), score: 1 + below(99) }))],
    [30, () => act({ kind: 'sweep' })],
    [40, () => act({ kind: 'complete' })],
    [10, () => act({ kind: 'export', key: key() })],
    [2, () => act({ kind: 'look' })],
    [150, () => act({ kind: 'backup' })],
  ]
  await Promise.all(
    kinds.map(async ([pauseMs, next]) => {
      while (!isOver()) {
        await setTimeout(below(2 * pauseMs))
        await next()
      }
    }),
  )
  await corrected
}

/** One act, to its end. */
export async function carryOut(site: SiteContext, act: Act): Promise<void> {
  const importing = {
    ...site,
    receipts: site.log,
    directory: site.root,
    keys: site.personKeys,
    lookupKeys: site.keys.lookup,
    threads: 1,
    // Long files come in parts.
    partRows: 40,
    noteRows: (...told: Parameters<typeof site.partitions.noteChange>) => site.partitions.noteChange(...told),
  }
  const mayStore = () => ok(undefined)
  const numberOf = async (key: string) =>
    (
      await site.vault.findPeople([lookupDigest(site.keys.lookup, { issuer: federation, personKey: key })])
    )[0] ?? -1
  switch (act.kind) {
    case 'file': {
      const lines = act.rows.map(
        ({ key, marker, isEnding }) => `${key},Name,${marker},${isEnding ? ENDED : STAYS},1.7,0,note`,
      )
      const file = { stream: new Blob([`${HEADER}\n${lines.join('\n')}\n`]).stream() }
      await importFile(importing, { dataSet: study, batch: act.batch, format: 'csv', file, mayStore })
      return
    }
    case 'rows': {
      const known = await findDataSet(site.db, study)
      if (!known) throw new Error('The data set is not there')
      const rows = act.rows.map(({ key, marker, isEnding }) => ({
        id: key,
        name: 'Name',
        country: marker,
        birth_date: isEnding ? ENDED : STAYS,
        height: 1.7,
        score: 0,
        note: 'note',
      }))
      const { manifest, manifestDigest: policy } = known
      await importRows(importing, { manifest, policy, batch: act.batch, rows, mayStore })
      return
    }
    case 'erase': {
      const person = await numberOf(act.key)
      if (person < 0) throw new Error('Nobody to erase')
      const nameMark = digestOf(act.key)
      await erasePerson(site, {
        person,
        issuer: federation,
        reason: 'request',
        requestedBy: 'operator',
        nameMark,
      })
      return
    }
    case 'correct': {
      const person = await numberOf(act.key)
      if (person < 0) throw new Error('Nobody to correct')
      const set = { score: act.score }
      await correctPerson(site, {
        person,
        issuer: federation,
        requestedBy: 'operator',
        dataSet: study,
        set,
        where: {},
      })
      return
    }
    case 'sweep':
      await sweepRetention(site)
      return
    case 'complete':
      await completeErasures(site)
      return
    case 'export': {
      const number = await numberOf(act.key)
      if (number < 0) throw new Error('Nobody to export')
      const people = [{ key: act.key, number, issuer: federation }]
      const keys = await site.personKeys.keysOf(site.db, [number])
      for await (const some of exportPerson(site, {
        people,
        keys,
        madeFor: 'person',
        receipt: Promise.resolve(1),
      }))
        void some
      return
    }
    case 'look': {
      const outcome = await site.vault.run(
        { sql: 'select distinct "_p" from ds_study' },
        { timeoutMs: 10_000, rowsMax: 10_000 },
      )
      if (!outcome.ok) throw new Error(outcome.error.code)
      for (const [person] of outcome.value.rows()) {
        // Rows of whoever is forgotten go in the same moment, and none come afterwards.
        if ((await site.vault.lookupOf(Number(person))) !== undefined) continue
        const { rowCount } = await site.vault.listRows(study, Number(person))
        if (rowCount > 0) throw new Error('There are rows of somebody who is forgotten')
      }
      return
    }
    case 'backup':
      await makeBackup(site)
  }
}
