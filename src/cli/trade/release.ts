import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { makeDirectory } from '../../kernel/make-directory.ts'
import { csvLine } from '../../kernel/csv-line.ts'
import type { Release } from '../../protocol/release.ts'
import { connectAcquirer } from '../connect.ts'
import type { NetworkOptions } from '../connect.ts'
import { EXIT, FellShort, WrongUse } from '../failures.ts'
import { printRelease } from './print-answer.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say } from '../terminal.ts'
import { addMemberOptions, perform, verb } from '../verb.ts'

interface ReleaseOptions extends NetworkOptions {
  readonly site?: string
  readonly to?: string
  readonly format?: string
  readonly json?: boolean
}

const FORMATS = ['csv', 'json'] as const

/** `hedgerow release …`: opens the releases of an ask with the member's key. */
export function addReleaseVerbs(program: Command, session: Session): void {
  const release = program.command('release').description('what was released to a member')
  addMemberOptions(
    verb(release, {
      name: 'show <ask>',
      summary: 'open the releases of an ask and print them',
      example: 'hedgerow release show ask_01JD… --as northcare',
    }),
  )
    .option('--site <name>', 'only from this site')
    .action((ask: string, options: ReleaseOptions) =>
      perform(session, () => showRelease(session, { ask, options })),
    )
  addMemberOptions(
    verb(release, {
      name: 'save <ask>',
      summary: 'open the releases of an ask and write them to files',
      example: 'hedgerow release save ask_01JD… --as northcare --to results --format csv',
    }),
  )
    .option('--site <name>', 'only from this site')
    .option('--to <directory>', 'where to', '.')
    .option('--format <format>', FORMATS.join(' or '), 'csv')
    .action((ask: string, options: ReleaseOptions) =>
      perform(session, () => saveRelease(session, { ask, options })),
    )
}

async function openReleases(
  session: Session,
  { ask, options }: { ask: string; options: ReleaseOptions },
): Promise<{ releases: readonly Release[]; problems: readonly string[] }> {
  const { acquirer } = await connectAcquirer(session, options)
  const result = await acquirer.open(await acquirer.find(ask))
  const sites = result.sites.filter(({ site }) => options.site === undefined || site === options.site)
  const releases = sites.flatMap(({ release }) => (release ? [release] : []))
  const withdrawn = sites.filter(({ withdrawnAt }) => withdrawnAt !== undefined)
  if (releases.length === 0 && withdrawn.length > 0)
    throw new FellShort(
      `What was released for ${ask} by ${withdrawn.map(({ site }) => site).join(', ')} was withdrawn: somebody in it was erased; see "hedgerow notices list"`,
    )
  if (releases.length === 0)
    throw new FellShort(
      `Nothing was released for ${ask}${options.site === undefined ? '' : ` by ${options.site}`}`,
    )
  return {
    releases,
    problems: sites.flatMap(({ site, problems }) => problems.map((problem) => `${site}: ${problem}`)),
  }
}

async function showRelease(
  session: Session,
  { ask, options }: { ask: string; options: ReleaseOptions },
): Promise<number> {
  const { releases, problems } = await openReleases(session, { ask, options })
  const { terminal } = session
  show(session, {
    json: options.json,
    value: { releases, problems },
    print: () => {
      for (const release of releases) {
        say(terminal, paint(terminal, 'strong', `${release.dataSet} at ${release.site}`))
        printRelease(terminal, release, { rowsShown: 1_000 })
      }
      for (const problem of problems) say(terminal, paint(terminal, 'bad', problem))
    },
  })
  return problems.length === 0 ? EXIT.done : EXIT.fellShort
}

async function saveRelease(
  session: Session,
  { ask, options }: { ask: string; options: ReleaseOptions },
): Promise<number> {
  const format = FORMATS.find((one) => one === options.format)
  if (!format) throw new WrongUse(`Cannot write "${options.format ?? ''}": expected ${FORMATS.join(' or ')}`)
  const { releases, problems } = await openReleases(session, { ask, options })
  const directory = options.to ?? '.'
  makeDirectory(directory, { mode: 0o777 })
  const files: string[] = []
  for (const release of releases) {
    const file = join(directory, `${ask}-${release.site}.${format}`)
    await writeFile(file, format === 'csv' ? csvText(release) : `${JSON.stringify(release, null, 2)}\n`, {
      mode: 0o600,
    })
    files.push(file)
  }
  show(session, {
    json: options.json,
    value: { files, problems },
    print: () => {
      for (const file of files) say(session.terminal, file)
      for (const problem of problems) say(session.terminal, paint(session.terminal, 'bad', problem))
    },
  })
  return problems.length === 0 ? EXIT.done : EXIT.fellShort
}

/** A release as CSV, with the remainder row last. */
export function csvText({ columns, rows, remainder }: Release): string {
  const lines = [columns.map(({ name }) => name), ...rows, ...(remainder ? [remainder] : [])]
  return lines.map(csvLine).join('')
}
