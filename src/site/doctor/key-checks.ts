import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { finding } from '../examination.ts'
import type { Examination, Finding } from '../examination.ts'

const KEY_FILES = ['signing.jwk', 'sealing.jwk', 'operator.jwk', 'master.key'] as const

/** Whether the keys are there, and nobody but their owner may read them. */
export async function checkKeys({ directory }: Examination): Promise<Finding[]> {
  const problems: Finding[] = []
  for (const name of KEY_FILES) {
    const path = join(directory.keys, name)
    const found = await stat(path).catch(() => undefined)
    if (!found)
      problems.push(
        finding('keys', 'bad', {
          says: `"${path}" is missing`,
          remedy: 'Restore it from your backup; a new one cannot open what was sealed to the old',
        }),
      )
    else if ((found.mode & 0o077) !== 0)
      problems.push(
        finding('keys', 'bad', {
          says: `others may read "${path}"`,
          remedy: `Run chmod 600 "${path}", and rotate the key if others were on this machine`,
        }),
      )
  }
  return problems.length > 0
    ? problems
    : [finding('keys', 'good', { says: 'all are there, readable by their owner only' })]
}

/** Keys that are replaced by a command, each with it; how old they are is told by their files. */
const ROTATED_KEYS = {
  'signing.jwk': 'hedgerow site rotate-key',
  'operator.jwk': 'hedgerow site rotate-operator-key',
  'master.key': 'hedgerow site rotate-master-key',
} as const
const KEY_AGE_MS_MAX = 400 * 24 * 60 * 60_000

/** Whether keys have been in use for longer than they should. */
export async function checkKeyAge({ directory, clock }: Examination): Promise<Finding[]> {
  const old: Finding[] = []
  for (const [name, command] of Object.entries(ROTATED_KEYS)) {
    const found = await stat(join(directory.keys, name)).catch(() => undefined)
    const ageMs = found ? clock.now() - found.mtimeMs : 0
    if (ageMs <= KEY_AGE_MS_MAX) continue
    const days = Math.floor(ageMs / (24 * 60 * 60_000))
    old.push(
      finding('key age', 'warning', {
        says: `"${name}" is ${days} days old`,
        remedy: `Replace it with "${command}"`,
      }),
    )
  }
  return old.length > 0 ? old : [finding('key age', 'good', { says: 'none is older than 400 days' })]
}

/** Whether the directory is there, and nobody but its owner may write to it. */
export async function checkDirectory({ directory }: Examination): Promise<Finding[]> {
  const found = await stat(directory.root).catch(() => undefined)
  if (found && (found.mode & 0o022) !== 0) {
    return [
      finding('directory', 'bad', {
        says: `others may write to "${directory.root}"`,
        remedy: `Run chmod go-w "${directory.root}"`,
      }),
    ]
  }
  const files = await readdir(directory.root).catch((): string[] => [])
  return files.length === 0
    ? [
        finding('directory', 'bad', {
          says: `"${directory.root}" is not there`,
          remedy: 'Make the site with "hedgerow site init"',
        }),
      ]
    : [finding('directory', 'good', { says: 'only its owner may write to it' })]
}
