import { writeFile } from 'node:fs/promises'
import type { z } from 'zod'
import { describeProblems, parseWith } from '../../kernel/parse.ts'
import { parseYaml } from '../../kernel/yaml.ts'
import { openOfficer } from '../../sdk/officer.ts'
import type { Officer } from '../../sdk/officer.ts'
import { connectToSite } from '../connect.ts'
import type { SiteOptions } from '../connect.ts'
import { WrongUse } from '../failures.ts'
import { readText } from '../open-file.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say, write } from '../terminal.ts'

/** Options of every verb of the officer. */
export interface OfficerOptions extends SiteOptions {
  readonly json?: boolean
}

/** Connects to a site as an officer. */
export async function connectOfficer(session: Session, options: OfficerOptions): Promise<Officer> {
  return openOfficer((await connectToSite(session, options)).client)
}

/** Prints a file's text, or writes it to where `--out` says; then what is printed is where. What is of one person only its owner reads. */
export async function deliver(
  session: Session,
  {
    text,
    out,
    json,
    isOfPerson = false,
  }: { text: string; out: string | undefined; json: boolean | undefined; isOfPerson?: boolean },
): Promise<void> {
  if (out === undefined) {
    write(session.terminal, text)
    return
  }
  await writeFile(out, text, isOfPerson ? { mode: 0o600 } : {})
  show(session, {
    json,
    value: { written: out },
    print: () => say(session.terminal, `Written to "${out}"`),
  })
}

/** Reads a YAML or JSON file by a schema; each wrong field is named. */
export async function readDocument<S extends z.ZodType>(schema: S, file: string): Promise<z.input<S>> {
  const document = parseYaml(await readText(file))
  const parsed = document.ok ? parseWith(schema, document.value) : document
  if (!parsed.ok) throw new WrongUse(`Cannot use "${file}": ${describeProblems(parsed.error)}`)
  // It was just held against the schema, so it is what goes into it.
  return (document.ok ? document.value : undefined) as z.input<S>
}
