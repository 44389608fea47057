import { closeSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { formatInstant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import { force, syncDirectory } from '../../kernel/durable-file.ts'
import { Fault } from '../../kernel/faults.ts'
import { GroupCommit } from '../../kernel/group-commit.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { erasuresIn } from './erasure-store.ts'
import type { ErasureRecord } from './erasure-store.ts'
import { whenMissing } from '../../kernel/when-missing.ts'
import { ERASURE_CAUSES, erasureIdSchema } from '../../protocol/rights/erasure.ts'
import { digestSchema, instantSchema, memberIdSchema } from '../../protocol/wire.ts'

/**
 * Who was erased, in a file that is never part of a backup: a restored site erases them again before it serves. A
 * line names the mark of the key that was destroyed; only who has a copy of that key can tell whose it was. Older lines
 * name the digest of its wrapped form.
 */
const forgottenSchema = z.strictObject({
  key: digestSchema,
  erasure: erasureIdSchema,
  time: instantSchema,
  /** What else the certificate says, so that it is the same after a restore. */
  issuer: memberIdSchema.optional(),
  reason: z.enum(ERASURE_CAUSES).optional(),
  by: z.string().optional(),
  subjectOf: digestSchema.optional(),
})
export type Forgotten = z.output<typeof forgottenSchema>

/** An erasure whose key is known by its mark. */
export type ForgottenErasure = Pick<
  ErasureRecord,
  'erasure' | 'requestedAt' | 'issuer' | 'reason' | 'requestedBy' | 'subjectOf'
> & { readonly keyDigest: Digest }

/** Lines that are written together. */
const LINES_AT_ONCE = 64

const lists = new Map<string, GroupCommit<string, string>>()

/** Adds somebody to the list; on the disk when it resolves, with whoever else comes at the same time. The same again does no harm. */
export async function addForgotten(
  file: string,
  { keyDigest: key, erasure, requestedAt, issuer, reason, requestedBy: by, subjectOf }: ForgottenErasure,
): Promise<void> {
  const list = lists.get(file) ?? new GroupCommit((lines) => addLines(file, lines), LINES_AT_ONCE)
  lists.set(file, list)
  await list.add(
    `${JSON.stringify({ key, erasure, time: formatInstant(requestedAt), issuer, reason, by, subjectOf })}\n`,
  )
}

/** Lists whose names are on the disk to stay, as far as this process knows. */
const named = new Set<string>()

/** Only the wait for the disk leaves the event loop, as everywhere where little is written (`durable-file.ts`). */
async function addLines(file: string, lines: readonly string[]): Promise<readonly string[]> {
  const list = openSync(file, 'a+', 0o600)
  const { size } = fstatSync(list)
  try {
    // What a crash tore must not swallow the next line: each begins a line of its own.
    const last = Buffer.from('\n')
    if (size > 0) readSync(list, last, { position: size - 1 })
    writeFileSync(list, `${last.toString() === '\n' ? '' : '\n'}${lines.join('')}`)
    await force(list)
  } finally {
    closeSync(list)
  }
  // One that is empty may be another one than before.
  if (size === 0 || !named.has(file)) await syncDirectory(dirname(file))
  named.add(file)
  return lines
}

/**
 * Reads the list; `undefined` where there is none. A line that a crash tore was never acknowledged, and its erasure
 * wrote another when it was resumed: it is a beginning of a line, and known by that.
 *
 * @throws Fault `fault.log_damaged` when a line is anything else: somebody could come back unnoticed
 */
export async function readForgotten(file: string): Promise<readonly Forgotten[] | undefined> {
  const text = await readFile(file, 'utf8').catch(whenMissing(undefined))
  if (text === undefined) return undefined
  return text.split('\n').flatMap((line, index) => {
    const parsed = forgottenSchema.safeParse(parseJson(line))
    if (parsed.success) return [parsed.data]
    const isTorn = line === '' || '{"key":"sha-256:'.startsWith(line.slice(0, 16))
    if (isTorn && !line.endsWith('}')) return []
    throw new Fault('fault.log_damaged', {
      what: `Cannot read the list of forgotten people "${file}": line ${index + 1} is not one of its lines`,
    })
  })
}

/** Adds everybody who is erased in the record and is not on the list: it may be new, or on another disk than before. */
export async function completeForgotten(file: string, db: Database): Promise<void> {
  const list = await readForgotten(file)
  // A list of nobody is there too: one that is missing is one that was lost.
  if (list === undefined) await (await open(file, 'a', 0o600)).close()
  const known = new Set(list?.map(({ erasure }) => erasure))
  for (const state of ['deleted', 'permanent'] as const) {
    for (const { keyDigest, ...erased } of await erasuresIn(db, state))
      if (keyDigest && !known.has(erased.erasure)) await addForgotten(file, { ...erased, keyDigest })
  }
}
