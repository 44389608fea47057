import { closeSync, openSync } from 'node:fs'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Test files that several processes take from, in order, each file by one of them. */
export interface TestQueue {
  /** The next file that nobody has taken. */
  take(): string | undefined
  /** What nobody has taken. */
  left(): Promise<readonly string[]>
}

const LIST = 'files.json'

/** Lays a queue into an empty directory. */
export async function layQueue(directory: string, files: readonly string[]): Promise<TestQueue> {
  await writeFile(join(directory, LIST), JSON.stringify(files))
  return openQueue(directory)
}

/** Opens one that was laid. A file is taken by whoever makes the file of its place, which only one process can. */
export async function openQueue(directory: string): Promise<TestQueue> {
  const files = JSON.parse(await readFile(join(directory, LIST), 'utf8')) as readonly string[]
  return {
    take: () => files.find((_, place) => isOurs(join(directory, String(place)))),
    async left() {
      const taken = new Set(await readdir(directory))
      return files.filter((_, place) => !taken.has(String(place)))
    },
  }
}

function isOurs(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx'))
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}
