import { open, realpath, rm, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Command } from 'commander'
import type { FieldProblem } from '../../kernel/faults.ts'
import { parseWith } from '../../kernel/parse.ts'
import { IMPORT_FORMATS } from '../../protocol/http/data-set-api.ts'
import { dataSetIdSchema, memberIdSchema } from '../../protocol/wire.ts'
import type { FileToDraft, ManifestDraft } from '../../site/draft-manifest.ts'
import { addCsvOptions, csvFormOf, csvOptionsText } from './csv-options.ts'
import type { CsvOptions } from './csv-options.ts'
import { counted } from '../../kernel/counted.ts'
import { FellShort, WrongUse } from '../failures.ts'
import { formOfFormat, formatOf } from './file-format.ts'
import { shellWord } from '../shell-word.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { progress, say, table } from '../terminal.ts'
import { perform, verb } from '../verb.ts'
import { wholeNumber } from '../whole-number.ts'

interface DraftOptions extends CsvOptions {
  readonly json?: boolean
  readonly as?: string
  readonly name?: string
  readonly key?: string
  readonly format?: string
  readonly sample?: string
  readonly hasNames?: boolean
  readonly out?: string
}

/** `hedgerow dataset draft`: a manifest to be decided on, from a file; asks no site. */
export function addDraftVerb(dataset: Command, session: Session): void {
  addCsvOptions(
    verb(dataset, {
      name: 'draft <file>',
      summary:
        'draft a manifest from a file: columns, types and guesses, each to be decided by you; nothing leaves this machine',
      example:
        'hedgerow dataset draft visits.csv --as world-sport\nhedgerow dataset draft besuche.csv --dates dd/mm/yyyy --out visits.yaml',
    })
      .option('--as <issuer>', 'member whose data it is; absent: to be decided')
      .option('--name <dataset>', 'name of the data set; absent: made of the name of the file')
      .option(
        '--key <column>',
        'column that says of whom a row is, as the file calls it; absent: one is guessed',
      )
      .option('--out <file>', 'where to write the draft; absent: the name of the data set with .yaml, here')
      .option('--sample <rows>', 'look at so many rows from the beginning; absent: at all')
      .option(
        '--has-names',
        'what look like values are names of columns, such as years in line 1 of CSV; they stand in the draft',
      )
      .option('--format <format>', `${IMPORT_FORMATS.join(', ')}; absent: by the name of the file`),
  ).action((file: string, options: DraftOptions) => perform(session, () => draft(session, { file, options })))
}

async function draft(
  session: Session,
  { file, options }: { file: string; options: DraftOptions },
): Promise<void> {
  if ((await stat(file)).isDirectory()) throw new WrongUse(`Cannot use "${file}": it is a directory`)
  const format = formatOf(file, options.format)
  const form = formOfFormat(format, csvFormOf(options))
  const dataSet = nameOf(file, options.name)
  const issuer = options.as === undefined ? undefined : issuerOf(options.as)
  const out = options.out ?? `${dataSet}.yaml`
  const rowsMax = options.sample === undefined ? undefined : Math.max(1, wholeNumber(options.sample))
  // Before the file is read, which may take a while: a manifest that somebody has decided on is not written over.
  const target = await openNew(out)
  const line = progress(session.terminal)
  try {
    const { draftManifest } = await import('../../site/draft-manifest.ts')
    const { home: directory, random, clock, signal } = session
    const drafted = await draftManifest({
      path: await realpath(file),
      format,
      form,
      dataSet,
      issuer,
      key: options.key,
      rowsMax,
      hasNames: options.hasNames,
      directory,
      random,
      clock,
      onProgress: ({ step, percent }) =>
        line.show(`${basename(file)}: ${STEPS[step]}${percent === undefined ? '' : `, ${percent} %`}`),
      signal,
    }).catch((thrown: unknown) => {
      throw signal.aborted ? new FellShort('Stopped; no draft was written') : thrown
    })
    line.end()
    await target.file.writeFile(drafted.text)
    target.isWritten = true
    tell(session, { drafted, out, file, dataSet, options })
  } finally {
    line.end()
    await target.close()
  }
}

type DraftStep = Parameters<NonNullable<FileToDraft['onProgress']>>[0]['step']

/** What it is at, for whoever waits for a large file. */
const STEPS: Readonly<Record<DraftStep, string>> = {
  reading: 'reading it',
  columns: 'looking at its columns',
  numbers: 'measuring its numbers',
  rows: 'counting rows of a person',
}

function nameOf(file: string, said: string | undefined): string {
  const made = basename(file)
    .replace(/\..*$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^[^a-z]+|_+$/g, '')
    .slice(0, 63)
  const parsed = parseWith(dataSetIdSchema, said ?? made)
  if (parsed.ok) return parsed.value
  throw new WrongUse(
    said === undefined
      ? `Say the name of the data set with --name: that of "${basename(file)}" makes none`
      : `Cannot use --name "${said}": ${expectedOf(parsed.error)}`,
  )
}

function issuerOf(said: string): string {
  const parsed = parseWith(memberIdSchema, said)
  if (parsed.ok) return parsed.value
  throw new WrongUse(`Cannot use --as "${said}": ${expectedOf(parsed.error)}`)
}

function expectedOf([problem]: readonly FieldProblem[]): string {
  return problem?.expected ?? 'expected another'
}

async function openNew(out: string) {
  const file = await open(out, 'wx', 0o600).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
      throw new WrongUse(`"${out}" is there already: say another file with --out, or take it away`)
    throw error
  })
  return {
    file,
    isWritten: false,
    async close() {
      await file.close()
      if (!this.isWritten) await rm(out, { force: true })
    },
  }
}

interface Told {
  readonly drafted: ManifestDraft
  readonly out: string
  readonly file: string
  readonly dataSet: string
  readonly options: DraftOptions
}

function tell(session: Session, { drafted, out, file, dataSet, options }: Told): void {
  const { terminal } = session
  const columns = drafted.columns.map(({ name, type, sensitivity, why, facts: { values, empty } }) => ({
    name,
    type,
    empty: emptyWord(values, empty),
    sensitivity,
    why,
  }))
  const read = csvOptionsText(drafted.form)
  const { rows, doubts, form } = drafted
  show(session, {
    json: options.json,
    value: { file: out, dataSet, rows, form, doubts, columns },
    print: () => {
      table(terminal, {
        head: ['column', 'type', 'empty', 'guess', 'because'],
        rows: columns.map((one) => [
          one.name,
          one.type,
          one.empty,
          one.sensitivity.replaceAll('_', ' '),
          one.why,
        ]),
      })
      if (read !== '') say(terminal, `The file is not plain CSV; it seems to be: ${read}`)
      for (const doubt of doubts) say(terminal, `Beware: ${doubt}`)
      say(terminal, `"${out}" is a draft from ${counted(rows, 'row')}. Decide what says DECIDE in it, then:`)
      const as = options.as === undefined ? '' : ` --as ${options.as}`
      say(terminal, `  hedgerow dataset describe ${shellWord(out)}${as}`)
      say(
        terminal,
        `  hedgerow dataset import ${dataSet} ${shellWord(file)}${as}${read === '' ? '' : ` ${read}`}`,
      )
    },
  })
}

/** How often a column is empty, in steps: a count would tell of few people. */
function emptyWord(values: number, empty: number): string {
  if (values === 0) return 'always'
  if (empty === 0) return 'never'
  const share = empty / (values + empty)
  return share < 0.1 ? 'seldom' : share < 0.9 ? 'often' : 'mostly'
}
