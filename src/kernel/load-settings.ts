import { readFile } from 'node:fs/promises'
import type { z } from 'zod'
import { Fault } from './faults.ts'
import type { FieldProblem } from './faults.ts'
import { describeProblems, parseWith } from './parse.ts'
import { systemWords } from './system-words.ts'
import { parseYaml } from './yaml.ts'

/** Where settings come from; later ones win: the file, then the environment, then flags. */
export interface SettingsSources {
  readonly file?: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Environment name to path of the setting, for example `HEDGEROW_PORT: 'port'`. */
  readonly environmentNames: Readonly<Record<string, string>>
  readonly flags: Readonly<Record<string, unknown>>
}

/**
 * Reads settings once, by a strict schema. Every problem is named, all of them together.
 *
 * @throws Fault `fault.configuration` (exit code 78) before any port opens.
 */
export async function loadSettings<S extends z.ZodType>(
  schema: S,
  sources: SettingsSources,
): Promise<z.output<S>> {
  const settings: Record<string, unknown> = { ...(await readSettingsFile(sources.file)) }
  for (const [name, path] of Object.entries(sources.environmentNames)) {
    const text = sources.environment[name]
    if (text !== undefined && text !== '') setPath(settings, path, text)
  }
  for (const [path, value] of Object.entries(sources.flags))
    if (value !== undefined) setPath(settings, path, value)
  const parsed = parseWith(schema, settings)
  if (!parsed.ok) throw configurationFault(parsed.error)
  return parsed.value
}

async function readSettingsFile(file: string | undefined): Promise<Record<string, unknown>> {
  if (file === undefined) return {}
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const why = systemWords(cause.code ?? 'it is not usable')
    throw new Fault('fault.configuration', { what: `Cannot read the settings file "${file}": ${why}`, cause })
  })
  const document = parseYaml(text)
  if (!document.ok) throw configurationFault(document.error)
  if (document.value === null || document.value === undefined) return {}
  if (typeof document.value !== 'object' || Array.isArray(document.value)) {
    throw configurationFault([{ field: '(whole)', expected: 'expected named settings' }])
  }
  return { ...document.value }
}

function configurationFault(errors: readonly FieldProblem[]): Fault {
  return new Fault('fault.configuration', {
    what: `Cannot use the settings: ${describeProblems(errors)}`,
    errors,
  })
}

/** Sets `network.url` inside nested objects, making those that are missing. */
function setPath(target: Record<string, unknown>, path: string, value: unknown): void {
  const [head = '', ...rest] = path.split('.')
  if (rest.length === 0) {
    target[head] = value
    return
  }
  const inner = target[head]
  const next: Record<string, unknown> = typeof inner === 'object' && inner !== null ? { ...inner } : {}
  setPath(next, rest.join('.'), value)
  target[head] = next
}
