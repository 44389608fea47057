import { sql } from 'kysely'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import { digestOf } from '../../kernel/digest.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import { manifestSchema } from '../../protocol/data-set.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { digestSchema } from '../../protocol/wire.ts'

/** A data set as the record has it. */
export interface DataSetRecord {
  readonly manifest: Manifest
  readonly manifestDigest: Digest
  /** From 1, one more for each change of the manifest. */
  readonly version: number
  readonly describedAt: Instant
  readonly retiredAt?: Instant
}

interface DataSetRow {
  readonly manifest: string
  readonly manifest_digest: string
  readonly version: number
  readonly described_ms: bigint
  readonly retired_ms: bigint | null
}

/** The digest of a manifest: of its canonical JSON with every default written out. */
export function manifestDigest(manifest: Manifest): Digest {
  return digestOf(canonicalJson(manifest))
}

/** One data set, retired or not. */
export async function findDataSet(db: Database, dataSet: DataSetId): Promise<DataSetRecord | undefined> {
  const { rows } = await sql<DataSetRow>`
    select manifest, manifest_digest, version, described_ms, retired_ms from data_set where id = ${dataSet}`.execute(
    db,
  )
  return rows[0] && toRecord(rows[0])
}

/** The digest of the manifest by which a data set takes rows; `undefined` where it takes none, because it is not there or retired. */
export async function findPolicy(db: Database, dataSet: DataSetId): Promise<Digest | undefined> {
  const { rows } = await sql<Pick<DataSetRow, 'manifest_digest'>>`
    ${KEPT} select manifest_digest from data_set where id = ${dataSet} and retired_ms is null`.execute(db)
  return rows[0] && digestSchema.parse(rows[0].manifest_digest)
}

/** All data sets by name, retired ones too. */
export async function readDataSets(db: Database): Promise<readonly DataSetRecord[]> {
  const { rows } = await sql<DataSetRow>`
    select manifest, manifest_digest, version, described_ms, retired_ms from data_set order by id`.execute(db)
  return rows.map(toRecord)
}

/** Keeps a manifest as the next version of its data set. */
export async function saveManifest(
  tx: Database,
  { manifest, version, now }: { manifest: Manifest; version: number; now: Instant },
): Promise<void> {
  const text = canonicalJson(manifest)
  const digest = manifestDigest(manifest)
  const { dataSet, issuer } = manifest
  await sql`
    insert into data_set (id, issuer, manifest, manifest_digest, version, described_ms)
    values (${dataSet}, ${issuer}, ${text}, ${digest}, ${version}, ${now})
    on conflict (id) do update set manifest = excluded.manifest, manifest_digest = excluded.manifest_digest,
      version = excluded.version, described_ms = excluded.described_ms`.execute(tx)
  await sql`
    insert into data_set_version (data_set, version, manifest, manifest_digest, described_ms)
    values (${dataSet}, ${version}, ${text}, ${digest}, ${now})`.execute(tx)
}

/** Notes that a data set is retired; the first time counts. */
export async function markRetired(
  tx: Database,
  { dataSet, now }: { dataSet: DataSetId; now: Instant },
): Promise<void> {
  await sql`update data_set set retired_ms = coalesce(retired_ms, ${now}) where id = ${dataSet}`.execute(tx)
}

function toRecord(row: DataSetRow): DataSetRecord {
  return {
    manifest: manifestSchema.parse(JSON.parse(row.manifest)),
    manifestDigest: digestSchema.parse(row.manifest_digest),
    version: row.version,
    describedAt: instant(Number(row.described_ms)),
    ...(row.retired_ms === null ? {} : { retiredAt: instant(Number(row.retired_ms)) }),
  }
}
