import { createReadStream } from 'node:fs'
import type { ReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { WrongUse } from './failures.ts'

/** Opens a file that was named, to be read piece by piece; what cannot be is said with its name. */
export async function openFile(file: string): Promise<ReadStream> {
  const found = await stat(file)
  if (found.isDirectory()) throw new WrongUse(`Cannot use "${file}": it is a directory`)
  return createReadStream(file)
}
