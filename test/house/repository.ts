import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the checkout, wherever it is. */
export const repositoryRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Every file that is tracked or about to be: a violation should show before it is committed, not after. */
export function repositoryFiles(): string[] {
  const list = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate', '-z'],
    {
      cwd: repositoryRoot,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  )
  return list.split('\0').filter((path) => path !== '')
}

/** A file's text; `undefined` when it is binary or was deleted but not yet committed so. */
export function repositoryText(path: string): string | undefined {
  try {
    const bytes = readFileSync(join(repositoryRoot, path))
    return bytes.includes(0) ? undefined : bytes.toString('utf8')
  } catch {
    return undefined
  }
}
