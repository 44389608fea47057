import { createReadStream } from 'node:fs'
import type { ReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { WrongUse } from './failures.ts'

/** Opens a file that was named, to be read piece by piece; what cannot be is said with its name. */
export async function openFile(file: string): Promise<ReadStream> {
  const found = await stat(file)
  if (found.isDirectory()) throw new WrongUse(`Cannot use "${file}": it is a directory`)
  return createReadStream(file)
}

/** The text of a small file that was named: a manifest, a question. One that holds none is said with its name. */
export async function readText(file: string): Promise<string> {
  const text = await readFile(file, 'utf8')
  if (text.trim() === '') throw new WrongUse(`Cannot use "${file}": it is empty`)
  // Where bytes are no UTF-8, the runtime puts the replacement character.
  if (/[\0\uFFFD]/.test(text)) throw new WrongUse(`Cannot use "${file}": it is no text`)
  return text
}
