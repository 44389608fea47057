import { z } from 'zod'
import { parseJson } from '../kernel/parse-json.ts'
import { describeProblems, parseWith } from '../kernel/parse.ts'
import { newKeySetSchema } from '../protocol/member.ts'
import type { KeySet } from '../protocol/member.ts'
import { WrongUse } from './failures.ts'
import { readNamed } from './open-file.ts'

/** A key set as "member keys" prints it, or all that "site init --json" prints. */
const keysFileSchema = z.union(
  [newKeySetSchema, z.object({ keys: newKeySetSchema }).transform(({ keys }) => keys)],
  'expected public keys as "hedgerow member keys" or "hedgerow site init --json" prints them',
)

/** Reads the public keys of a member or a site from a file that its owner sent. */
export async function readPublicKeys(file: string): Promise<KeySet> {
  const parsed = parseWith(keysFileSchema, parseJson(await readNamed(file)))
  if (!parsed.ok) throw new WrongUse(`Cannot read the keys in "${file}": ${describeProblems(parsed.error)}`)
  return parsed.value
}
