import { join } from 'node:path'
import { rm } from 'node:fs/promises'
import { z } from 'zod'
import type { Instant } from '../../kernel/clock.ts'
import { formatInstant } from '../../kernel/clock.ts'
import { replaceFile, syncDirectory } from '../../kernel/durable-file.ts'
import { Fault } from '../../kernel/faults.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { dataSetIdSchema, digestSchema, instantSchema, memberIdSchema } from '../../protocol/wire.ts'
import { appendLine } from './kept-apart.ts'
import { readIfThere } from './safe.ts'
import type { Safe } from './safe.ts'

/**
 * What was done since the oldest backup and would be lost with the site, in the safe, before it is acknowledged. A
 * correction with its values, sealed under the person's own key, so that a restore makes it again, and nobody can once the
 * person is erased; the person is named by the mark of the key. An import by its file's digest, so that a restore can
 * say what to import again.
 */
const correctionSchema = z.strictObject({
  time: instantSchema,
  correction: z.string(),
  key: digestSchema,
  issuer: memberIdSchema,
  dataSet: dataSetIdSchema,
  by: z.string(),
  body: z.base64url(),
})
const importSchema = z.strictObject({
  time: instantSchema,
  batch: z.string(),
  dataSet: dataSetIdSchema,
  file: digestSchema,
  rows: z.int().min(0),
})
const doneSchema = z.union([correctionSchema, importSchema])
export type DoneCorrection = z.output<typeof correctionSchema>
export type DoneImport = z.output<typeof importSchema>
export type Done = z.output<typeof doneSchema>

const FILE = 'done-since.ndjson'

/** Adds a line; on the disk when it resolves. The same again does no harm. */
export function appendDone({ directory }: Safe, done: Done): Promise<void> {
  return appendLine(join(directory, FILE), { ...done, time: formatInstant(done.time) })
}

/**
 * Everything that was done, oldest first, each once.
 *
 * @throws Fault `fault.backup_safe` when a line is none, unless a crash tore it: then it was never acknowledged
 */
export async function readDone({ directory }: Safe): Promise<readonly Done[]> {
  const path = join(directory, FILE)
  const done = new Map<string, Done>()
  for (const [index, line] of ((await readIfThere(path)) ?? '').split('\n').entries()) {
    const parsed = doneSchema.safeParse(parseJson(line))
    if (parsed.success) {
      const one = parsed.data
      done.set('correction' in one ? one.correction : `${one.dataSet} ${one.batch}`, one)
    } else if (line.endsWith('}') || !'{"time":"'.startsWith(line.slice(0, 9)))
      throw new Fault('fault.backup_safe', {
        what: `Cannot read "${path}": line ${index + 1} is not one of its lines`,
      })
  }
  return [...done.values()]
}

/** Forgets what every backup holds; all of it when there is no backup any more. */
export async function trimDone(safe: Safe, oldest: Instant | undefined): Promise<void> {
  const path = join(safe.directory, FILE)
  const lines = await readDone(safe)
  if (lines.length === 0) return
  const kept = oldest === undefined ? [] : lines.filter(({ time }) => time >= oldest)
  if (kept.length === lines.length) return
  if (kept.length === 0) await rm(path, { force: true })
  else {
    const text = kept.map((one) => `\n${JSON.stringify({ ...one, time: formatInstant(one.time) })}`).join('')
    await replaceFile(path, text, { mode: 0o600 })
  }
  await syncDirectory(safe.directory)
}
