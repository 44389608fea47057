import { open, rename } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { sql } from 'kysely'
import { syncDirectory } from '../../kernel/durable-file.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { whenMissing } from '../../kernel/when-missing.ts'
import { erasureIdSchema } from '../../protocol/rights/erasure.ts'

/**
 * The keys of the people in a backup, beside it and not in it: records of 64 bytes in the order of numbers, so that one
 * is found by halving and written over where it stands. Whoever is erased has from then on the id of the erasure in the
 * place of the key, which says to a restore whom to erase again; what their key sealed is unreadable in every copy of
 * the backup. The keys are wrapped under the site's, and open nothing by themselves.
 */

/** The key of somebody in a backup, or the erasure by which it was destroyed. */
export type PersonInBackup =
  | { readonly person: number; readonly wrapped: Uint8Array }
  | { readonly person: number; readonly erasure: string }

const RECORD_BYTES = 64
const NUMBER_BYTES = 4
const WRAPPED_BYTES = RECORD_BYTES - NUMBER_BYTES
/** Set in the number of whoever is erased; numbers of people stay far below. */
const ERASED_BIT = 0x8000_0000
const RECORDS_AT_ONCE = 16_384

/** Writes the keys of a snapshot of the record, and gives how many; there under its name only when it is whole and on the disk. */
export async function writePeople(path: string, db: Database): Promise<number> {
  const draft = `${path}.new`
  const file = await open(draft, 'w', 0o600)
  let people = 0
  try {
    await sql`declare people no scroll cursor for select person, wrapped from person_key order by person`.execute(
      db,
    )
    for (;;) {
      const { rows } = await sql<{ person: number; wrapped: Uint8Array }>`
        fetch forward ${sql.lit(RECORDS_AT_ONCE)} from people`.execute(db)
      if (rows.length === 0) break
      people += rows.length
      await file.writeFile(Buffer.concat(rows.map(recordOf)))
    }
    await sql`close people`.execute(db)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
  await syncDirectory(dirname(path))
  return people
}

function recordOf({ person, wrapped }: { person: number; wrapped: Uint8Array }): Buffer {
  if (wrapped.length !== WRAPPED_BYTES)
    throw new Fault('fault.key_malformed', { what: 'Cannot back up the key of a person: it is not one' })
  const record = Buffer.alloc(RECORD_BYTES)
  record.writeUInt32BE(person)
  record.set(wrapped, NUMBER_BYTES)
  return record
}

/** Writes the erasure over somebody's key, durably; does nothing where the backup has no such person, or did so before. */
export async function strikeOut(
  path: string,
  { person, erasure }: { person: number; erasure: string },
): Promise<void> {
  const file = await open(path, 'r+').catch(whenMissing(undefined))
  if (!file) return
  try {
    const place = await placeOf(file, person)
    if (place === undefined) return
    const record = Buffer.alloc(RECORD_BYTES)
    record.writeUInt32BE(person + ERASED_BIT)
    record.write(erasure, NUMBER_BYTES, 'latin1')
    await file.write(record, 0, RECORD_BYTES, place)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function placeOf(file: FileHandle, person: number): Promise<number | undefined> {
  const { size } = await file.stat()
  const number = Buffer.alloc(NUMBER_BYTES)
  let [low, high] = [0, Math.floor(size / RECORD_BYTES)]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    await file.read(number, 0, NUMBER_BYTES, middle * RECORD_BYTES)
    const found = number.readUInt32BE() % ERASED_BIT
    if (found === person) return middle * RECORD_BYTES
    if (found < person) low = middle + 1
    else high = middle
  }
  return undefined
}

/**
 * Everybody in a backup, in portions.
 *
 * @throws Fault `fault.backup_safe` when the file is missing or is none
 */
export async function* readPeople(path: string): AsyncGenerator<readonly PersonInBackup[]> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new Fault('fault.backup_safe', {
      what: `Cannot read the keys of people: "${path}" is not there`,
      cause,
    })
  })
  try {
    const { size } = await file.stat()
    if (size % RECORD_BYTES !== 0) throw noPeople(path)
    const bytes = Buffer.alloc(RECORDS_AT_ONCE * RECORD_BYTES)
    for (let at = 0; at < size; at += bytes.length) {
      const { bytesRead } = await file.read(bytes, 0, bytes.length, at)
      const people: PersonInBackup[] = []
      for (let start = 0; start < bytesRead; start += RECORD_BYTES)
        people.push(personIn(bytes.subarray(start, start + RECORD_BYTES), path))
      yield people
    }
  } finally {
    await file.close()
  }
}

function personIn(record: Buffer, path: string): PersonInBackup {
  const number = record.readUInt32BE()
  const rest = Buffer.from(record.subarray(NUMBER_BYTES))
  if (number < ERASED_BIT) return { person: number, wrapped: rest }
  const erasure = erasureIdSchema.safeParse(rest.toString('latin1').replace(/\0+$/, ''))
  if (!erasure.success) throw noPeople(path)
  return { person: number - ERASED_BIT, erasure: erasure.data }
}

function noPeople(path: string): Fault {
  return new Fault('fault.backup_safe', {
    what: `Cannot read the keys of people: "${path}" is not what a backup wrote`,
  })
}
