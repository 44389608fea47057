import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import { digestOf } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Log } from '../../kernel/log.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Random } from '../../kernel/random.ts'
import type { Secret } from '../../kernel/secret.ts'
import type { Receipt } from '../../protocol/proof/receipt.ts'
import type { SiteSettings } from '../config.ts'
import { openSite } from '../open-site.ts'
import { completeErasures } from '../rights/complete-erasures.ts'
import { erasePerson } from '../rights/erase-person.ts'
import { sweepRetention } from '../retention/sweep-retention.ts'
import { findErasure } from '../rights/erasure-store.ts'
import { readForgotten } from '../rights/forgotten-list.ts'
import type { Forgotten } from '../rights/forgotten-list.ts'
import type { SiteContext } from '../site-context.ts'
import { forgottenListPath } from './backup-places.ts'
import { heldUntil } from './backups.ts'
import { doAgain } from './do-again.ts'
import type { DoneAgain } from './do-again.ts'
import type { Done } from './done-since.ts'
import { accountForAnswers } from './account-for-answers.ts'
import type { AccountedAnswers } from './account-for-answers.ts'
import type { LogProof } from './continue-log.ts'
import type { TakenBack } from './kept-apart.ts'
import { requireNewest } from './require-newest.ts'
import { readReserved } from './reserve-numbers.ts'
import { listEntries } from './safe.ts'
import type { Safe } from './safe.ts'
import { takeBackAgain } from './take-back-again.ts'
import type { BackupMarks, TakenBackAgain } from './take-back-again.ts'

/** What a restored site holds, what was proven of it and what was done again. */
export interface RestoreFigures extends LogProof, TakenBackAgain, AccountedAnswers, DoneAgain {
  /** Receipts that the backup itself holds. */
  readonly logSize: number
  /** Receipts after the backup by their kind: acknowledged, and not in what was restored. */
  readonly receiptsAfter: Readonly<Record<string, number>>
  readonly erasures: number
  readonly people: number
  /** Rows of each data set. */
  readonly rows: Readonly<Record<string, number>>
}

/** A site that was put back as it was, and what has happened since. */
export interface PutBack {
  readonly draft: string
  readonly settings: SiteSettings
  readonly databaseUrl: Secret<string> | undefined
  readonly safe: Safe
  readonly backup: string
  readonly logSize: number
  readonly proof: LogProof
  readonly receiptsAfter: readonly Receipt[]
  /** Who was struck out of the backup's people. */
  readonly struckOut: readonly { readonly person: number; readonly erasure: string }[]
  readonly takenBack: readonly TakenBack[]
  readonly done: readonly Done[]
  readonly marks: BackupMarks
  readonly forgottenList: string | undefined
  /** The safe may lack what it has receipts of, but for erasures. */
  readonly mayMiss: boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/**
 * Does again, in a site that was put back, all that may not be undone: erases who was erased, takes back what was taken
 * back, and removes the traces from its files. It works by the site's own acts, on a safe of its own that is thrown
 * away, and ends with a signed receipt that says what is not there.
 *
 * @throws Fault `fault.backup_safe` when the list of erased people is not there, or lacks an erasure that a receipt names
 */
export async function bringUpToDate(putBack: PutBack): Promise<RestoreFigures> {
  const { draft, safe, settings, proof } = putBack
  const own = join(draft, 'restoring')
  const list = await readList(putBack)
  await using opened = new AsyncDisposableStack()
  const site = await openSite(
    {
      root: draft,
      settings: {
        ...settings,
        databaseUrl: putBack.databaseUrl,
        backup: { ...settings.backup, safe: own },
        erasure: { ...settings.erasure, forgottenList: join(own, 'forgotten.ndjson') },
      },
      log: putBack.log,
      clock: putBack.clock,
      random: putBack.random,
      isRestoring: true,
    },
    opened,
    () => undefined,
  )
  await requireNewest(site.db, { ...putBack, list }, { mayMiss: putBack.mayMiss })
  await site.vault.skipNumbers(await reservedFor(site, safe))
  const erasures = await eraseAgain(site, { list, struckOut: putBack.struckOut })
  const again = await takeBackAgain(site, { lines: putBack.takenBack, marks: putBack.marks })
  const erased = new Set(list.map(({ key }) => key))
  const made = await doAgain(site, { done: putBack.done, erased })
  const told = await accountForAnswers(site, { receipts: putBack.receiptsAfter, backup: putBack.backup })
  // Backups hold whom they held, whatever the safe of this moment says.
  const backups = {
    ...site.backups,
    heldUntil: async (deletedAt: Parameters<typeof heldUntil>[1]) =>
      heldUntil(await listEntries(safe), deletedAt),
  }
  // What has ended since is swept again, and whoever is left without rows with it.
  await sweepRetention(site)
  await completeErasures({ ...site, backups })
  await site.db.transaction().execute(async (tx) => {
    await sql`
      insert into restoration (backup, restored_ms) values (${putBack.backup}, ${site.clock.now()})`.execute(
      tx,
    )
    await site.log.issue(tx, [
      {
        kind: 'restore',
        backup: putBack.backup,
        logSize: putBack.logSize,
        logKnown: proof.logKnown,
        logMissing: proof.logMissing,
      },
    ])
  })
  await site.log.publish()
  const figures = {
    ...proof,
    ...again,
    ...told,
    ...made,
    erasures,
    logSize: putBack.logSize,
    ...(await countData(site)),
  }
  await opened.disposeAsync()
  await rm(own, { recursive: true, force: true })
  return { ...figures, receiptsAfter: countKinds(putBack.receiptsAfter) }
}

/** Numbers are reserved before they are given: a safe that has fewer is an older one, by which some would be given again. */
async function reservedFor({ vault }: SiteContext, safe: Safe): Promise<number> {
  const [reserved, given] = [await readReserved(safe), await vault.personCount()]
  if (reserved >= given) return reserved
  throw new Fault('fault.backup_safe', {
    what: `Cannot restore: the safe is not the newest; it has ${reserved} numbers of people, and the backup ${given}`,
  })
}

async function readList({ safe, settings, forgottenList }: PutBack): Promise<readonly Forgotten[]> {
  const path = forgottenList ?? forgottenListPath(safe.directory, settings)
  const list = await readForgotten(path)
  if (list) return list
  throw new Fault('fault.backup_safe', {
    what: `Cannot restore without the list of erased people: it is not at "${path}"; say where it is with --forgotten`,
  })
}

/** Erases everybody who was erased after the backup, under the id that their certificate has. */
async function eraseAgain(
  site: SiteContext,
  { list, struckOut }: Pick<PutBack, 'struckOut'> & { list: readonly Forgotten[] },
): Promise<number> {
  const byErasure = new Map(list.map((line) => [line.erasure, line]))
  const toErase = new Map(struckOut.map(({ person, erasure }) => [person, erasure]))
  // Whoever is on the list and neither struck out nor erased in the record: the safe's file of keys is an older copy.
  const done = new Set([...toErase.values(), ...(await erasuresOf(site.db, list))])
  const byKey = new Map(list.filter(({ erasure }) => !done.has(erasure)).map((line) => [line.key, line]))
  for (const [key, person] of await site.personKeys.findByMarks(site.db, new Set(byKey.keys()))) {
    const line = byKey.get(key)
    if (line) toErase.set(person, line.erasure)
  }
  let count = 0
  for (const [person, erasure] of toErase) {
    if ((await findErasure(site.db, erasure)) !== undefined) continue
    const line = byErasure.get(erasure)
    // The key is gone; the receipts of what is withdrawn need one, which goes in the same step.
    await site.personKeys.ensureKeys(site.db, [person])
    await erasePerson(site, {
      person,
      issuer: line?.issuer ?? site.custodian,
      reason: line?.reason ?? 'request',
      requestedBy: line?.by ?? 'operator',
      // What was kept under the person's name is in no backup.
      nameMark: digestOf(erasure),
      guardianMark: await site.vault.lookupOf(person),
      standing: {
        erasure,
        requestedAt: line?.time ?? site.clock.now(),
        keyDigest: line?.key,
        subjectOf: line?.subjectOf,
      },
    })
    count += 1
  }
  return count
}

/** Erasures of the list that the record has. */
async function erasuresOf(db: Database, list: readonly Forgotten[]): Promise<readonly string[]> {
  const { rows } = await sql<{ erasure: string }>`
    select erasure from erasure where erasure = any(${list.map(({ erasure }) => erasure)}::text[])`.execute(
    db,
  )
  return rows.map(({ erasure }) => erasure)
}

async function countData(site: SiteContext): Promise<Pick<RestoreFigures, 'people' | 'rows'>> {
  const rows: Record<string, number> = {}
  for (const dataSet of [...site.manifests().keys()].toSorted()) {
    const counted = await site.vault.run(
      { sql: `select count(*)::integer from "ds_${dataSet}"` },
      { timeoutMs: COUNT_TIMEOUT_MS, rowsMax: 1 },
    )
    if (counted.ok) rows[dataSet] = Number(counted.value.rows()[0]?.[0] ?? 0)
  }
  const { rows: keys } = await sql<{ count: bigint }>`select count(*) as count from person_key`.execute(
    site.db,
  )
  return { rows, people: Number(keys[0]?.count ?? 0) }
}

const COUNT_TIMEOUT_MS = 60_000

function countKinds(receipts: readonly Receipt[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { kind } of receipts) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}
