import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { Readable, Transform } from 'node:stream'
import type { Command } from 'commander'
import type { FieldProblem } from '../../kernel/faults.ts'
import { describeProblems, parseWith } from '../../kernel/parse.ts'
import { parseYaml } from '../../kernel/yaml.ts'
import { manifestSchema } from '../../protocol/data-set.ts'
import { IMPORT_FORMATS } from '../../protocol/http/data-set-api.ts'
import type { WireManifest } from '../../sdk/issuer.ts'
import { connectToSite } from '../connect.ts'
import type { SiteOptions } from '../connect.ts'
import { FellShort, WrongUse } from '../failures.ts'
import { undecided } from './undecided.ts'
import { addCsvOptions, csvFormOf } from './csv-options.ts'
import type { CsvOptions } from './csv-options.ts'
import { addDraftVerb } from './dataset-draft.ts'
import { formOfFormat, formatOf } from './file-format.ts'
import { addHandOverVerb } from './hand-over.ts'
import { addRetentionVerb } from './dataset-retention.ts'
import { printColumnUses } from './dataset-usage.ts'
import { openFile, PIPED, readText } from '../open-file.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { progress, say, table, wrapped } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'

interface DataSetOptions extends SiteOptions {
  readonly json?: boolean
}

interface ImportOptions extends DataSetOptions, CsvOptions {
  readonly batch?: string
  readonly format?: string
}

/** `hedgerow dataset …`: a data set at a site, from its manifest. */
export function addDataSetVerbs(program: Command, session: Session): void {
  const dataset = program.command('dataset').description('data sets at a site')
  addRetentionVerb(dataset, session)
  addDraftVerb(dataset, session)
  addSiteOptions(
    verb(dataset, {
      name: 'describe <manifest>',
      summary: 'describe a data set by its manifest, or change its terms',
      example: 'hedgerow dataset describe athletes.yaml --site galway --as world-sport',
    }),
  ).action((file: string, options: DataSetOptions) =>
    perform(session, () => describe(session, { file, options })),
  )
  addCsvOptions(
    addSiteOptions(
      verb(dataset, {
        name: 'import <dataset> <file>',
        summary: 'import a file (CSV, NDJSON, Parquet; gzip too) as one batch, whole or not at all',
        example:
          'hedgerow dataset import athletes athletes-2016.csv.gz --site galway --as world-sport\nhedgerow dataset import visits besuche.csv --separator semicolon --decimal comma --dates dd.mm.yyyy --encoding windows-1252',
      }),
    )
      .option(
        '--batch <name>',
        'name of the batch; absent: made from the contents, so that the same file is taken once',
      )
      .option('--format <format>', `${IMPORT_FORMATS.join(', ')}; absent: by the name of the file`),
  ).action((dataSet: string, file: string, options: ImportOptions) =>
    perform(session, () => importFile(session, { dataSet, file, options })),
  )
  addSiteOptions(
    verb(dataset, {
      name: 'list',
      summary: 'data sets at a site',
      example: 'hedgerow dataset list --site galway',
    }),
  ).action((options: DataSetOptions) => perform(session, () => list(session, options)))
  addHandOverVerb(dataset, session)
  addSiteOptions(
    verb(dataset, {
      name: 'usage <dataset>',
      summary:
        'which columns are used by whom, in which clause, for which purpose, how often, and which never',
      example: 'hedgerow dataset usage athletes --site galway --as world-sport',
    }),
  ).action((dataSet: string, options: DataSetOptions) =>
    perform(session, () => printColumnUses(session, { dataSet, options })),
  )
  addSiteOptions(
    verb(dataset, {
      name: 'retire <dataset>',
      summary: 'offer a data set no more and remove its rows',
      example: 'hedgerow dataset retire athletes --site galway',
    }),
  ).action((dataSet: string, options: DataSetOptions) =>
    perform(session, () => retire(session, { dataSet, options })),
  )
}

async function describe(
  session: Session,
  { file, options }: { file: string; options: DataSetOptions },
): Promise<void> {
  const manifest = await readManifest(file)
  requireIssuer(file, { issuer: manifest.issuer, as: options.as })
  const { administration, site } = await connectToSite(session, options)
  const { printLacks } = await import('./print-lacks.ts')
  const described = await administration.describe(manifest)
  show(session, {
    json: options.json,
    value: described,
    print: () => {
      say(session.terminal, `${described.dataSet} is described at ${site}: ${described.title}`)
      printLacks(session, { site, lacks: described.lacks })
    },
  })
}

/** Reads a manifest and holds it against the schema here, so that each wrong field is named before anything is sent. */
export async function readManifest(file: string): Promise<WireManifest> {
  const document = parseYaml(await readText(file))
  if (document.ok) requireDecided(file, document.value)
  const parsed = document.ok ? parseWith(manifestSchema, document.value) : document
  if (!parsed.ok)
    throw new WrongUse(`Cannot use the manifest "${file}": ${listed(parsed.error)}`, parsed.error)
  const { examineManifest } = await import('../../site/try-policy.ts')
  const problems = examineManifest(parsed.value)
  if (problems.length > 0)
    throw new WrongUse(`Cannot use the manifest "${file}": ${listed(problems)}`, problems)
  return parsed.value
}

/** Refuses a draft of which something is still to be decided, naming each of it. */
function requireDecided(file: string, document: unknown): void {
  const left = undecided(document)
  if (left.length === 0) return
  const lines = left.map(({ field, guess }) => `\n  ${field}${guess === '' ? '' : `: guessed ${guess}`}`)
  throw new WrongUse(
    `Cannot use the manifest "${file}": ${numbered(left.length, 'thing is', 'things are')} still to be decided in it${lines.join('')}`,
    left.map(({ field, guess }) => ({
      field,
      expected: guess === '' ? 'a decision' : `a decision; guessed ${guess}`,
    })),
  )
}

/** Refuses a manifest of another issuer than the one that acts, by its file. */
export function requireIssuer(
  file: string,
  { issuer, as }: { issuer: string; as: string | undefined },
): void {
  if (as === undefined || as === 'operator' || as === issuer) return
  throw new WrongUse(
    `Cannot use the manifest "${file}" as "${as}": its issuer is "${issuer}"; act as that one with --as, or mend the file`,
  )
}

/** One problem in the sentence, several below it. */
function listed(problems: readonly FieldProblem[]): string {
  if (problems.length < 2) return describeProblems(problems)
  const lines = problems.map((problem) => `\n  ${describeProblems([problem])}`)
  return `${problems.length} fields are not what was expected${lines.join('')}`
}

async function importFile(
  session: Session,
  { dataSet, file, options }: { dataSet: string; file: string; options: ImportOptions },
): Promise<void> {
  const found = file === PIPED ? undefined : await stat(file)
  if (found?.isDirectory() === true) throw new WrongUse(`Cannot use "${file}": it is a directory`)
  const sizeBytes = found?.size ?? 0
  const format = formatOf(file, options.format)
  const form = formOfFormat(format, csvFormOf(options))
  const { administration } = await connectToSite(session, options)
  const line = progress(session.terminal)
  let sentBytes = 0
  const counted = (await openFile(file)).pipe(
    new Transform({
      transform(chunk: Uint8Array, _encoding, done) {
        sentBytes += chunk.byteLength
        line.show(`${basename(file)}: ${sentText(sentBytes, sizeBytes)} sent`)
        done(null, chunk)
      },
    }),
  )
  try {
    const taken = await administration
      .importFile({
        dataSet,
        batch: options.batch,
        format,
        form,
        body: Readable.toWeb(counted),
        signal: session.signal,
      })
      .catch((thrown: unknown) => {
        throw session.signal.aborted ? new FellShort(STOPPED) : thrown
      })
    line.end()
    const words = taken.isNew
      ? `${numbered(taken.rows, 'row', 'rows')} taken as batch "${taken.batch}"; ${numbered(taken.newPeople, 'person was', 'people were')} new`
      : `batch "${taken.batch}" was there already; nothing changed`
    show(session, {
      json: options.json,
      value: taken,
      print: () => {
        say(session.terminal, `${dataSet}: ${words}`)
        if (taken.uncounted) say(session.terminal, wrapped(session.terminal, uncountedText(taken.uncounted)))
      },
    })
  } finally {
    line.end()
  }
}

/** A batch is taken whole or not at all; from its last step on the site no longer looks whether anybody waits. */
const STOPPED =
  'Stopped: of the batch nothing is taken, or all if the site was at its end; given again, the command takes it or says that it is there'

/** In steps, as they were told: they tell of nobody how many rows there are. */
function uncountedText({ rows, people }: { rows: number; people: number }): string {
  const told = (step: number, what: string) =>
    step === 0 ? `fewer than 20 ${what}` : `at least ${step} ${what}`
  return `Beware: the data set has ${told(rows, 'rows')} of ${told(people, 'people')} past the most that one person may have (person.rowsMax of the manifest); they are kept and will not be counted`
}

/** How much of a file is under way; nobody knows how much is still to be piped in. */
function sentText(sentBytes: number, sizeBytes: number): string {
  if (sizeBytes < sentBytes) return `${Math.floor(sentBytes / 1_000_000).toLocaleString('en')} MB`
  return `${Math.floor((100 * sentBytes) / Math.max(1, sizeBytes))} %`
}

/** `1 row`, `2 rows`. */
function numbered(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`
}

async function list(session: Session, options: DataSetOptions): Promise<void> {
  const { administration, site } = await connectToSite(session, options)
  const dataSets = await administration.dataSets()
  show(session, {
    json: options.json,
    value: dataSets,
    print: () =>
      table(session.terminal, {
        none: `No data sets at ${site} yet`,
        head: ['data set', 'title', 'issuer', 'state', 'rows', 'people', 'batches'],
        rows: dataSets.map((one) => [
          one.dataSet,
          one.title,
          one.issuer,
          one.state,
          String(one.rows),
          String(one.people),
          String(one.batches),
        ]),
      }),
  })
}

async function retire(
  session: Session,
  { dataSet, options }: { dataSet: string; options: DataSetOptions },
): Promise<void> {
  const { administration } = await connectToSite(session, options)
  const retired = await administration.retire(dataSet)
  show(session, {
    json: options.json,
    value: retired,
    print: () => say(session.terminal, `${retired.dataSet} is retired: it is offered and asked no more`),
  })
}
