import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { WrongUse } from './failures.ts'

/** What is piped in, by the name that stands for it. */
export const PIPED = '-'

/** Opens a file that was named, to be read piece by piece; what cannot be is said with its name. */
export async function openFile(file: string): Promise<Readable> {
  if (file === PIPED) return process.stdin
  const found = await stat(file)
  if (found.isDirectory()) throw new WrongUse(`Cannot use "${file}": it is a directory`)
  return createReadStream(file)
}

/** The text of a small file that was named, whatever is in it. */
export async function readNamed(file: string): Promise<string> {
  return file === PIPED ? text(process.stdin) : readFile(file, 'utf8')
}

/** The text of a small file that was named: a manifest, a question. One that holds none is said with its name. */
export async function readText(file: string): Promise<string> {
  const written = await readNamed(file)
  if (written.trim() === '') throw new WrongUse(`Cannot use "${file}": it is empty`)
  // Where bytes are no UTF-8, the runtime puts the replacement character.
  if (/[\0\uFFFD]/.test(written)) throw new WrongUse(`Cannot use "${file}": it is no text`)
  return written
}
