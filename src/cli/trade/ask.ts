import type { Command } from 'commander'
import { later } from '../../kernel/clock.ts'
import { money } from '../../kernel/money.ts'
import { EPSILON_DEFAULT, privacySchema, questionSchema } from '../../protocol/ask.ts'
import type { PrivacyRequest, Question } from '../../protocol/ask.ts'
import { describeProblems, parseWith } from '../../kernel/parse.ts'
import { knownAreaSchema } from '../../protocol/law/countries.ts'
import { MODES, modeSchema } from '../../protocol/mode.ts'
import type { Mode } from '../../protocol/mode.ts'
import type { Offer } from '../../protocol/offer.ts'
import { isKnownPurpose, purposeTerm } from '../../protocol/law/purpose.ts'
import type { Acquirer, AskResult } from '../../sdk/acquirer.ts'
import { connectAcquirer, connectLocalAcquirer } from '../connect.ts'
import type { NetworkOptions } from '../connect.ts'
import { FellShort, WrongUse } from '../failures.ts'
import { amountOf } from '../amount.ts'
import type { MemberProfile } from '../member-profile.ts'
import { transferBasisOf } from '../transfer-basis.ts'
import { askStaged, hintAtStages } from './ask-staged.ts'
import { sqlOf } from './lineage.ts'
import { keepReceipts } from './receipt-files.ts'
import { exitCodeOfAnswer, printAnswer } from './print-answer.ts'
import { printPosition } from './print-position.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, progress, say } from '../terminal.ts'
import { addMemberOptions, perform, verb } from '../verb.ts'

interface AskOptions extends NetworkOptions {
  readonly at?: string
  readonly purpose: string
  readonly mode: string
  readonly sql?: string
  readonly sqlFile?: string
  readonly function?: string
  readonly param?: readonly string[]
  readonly offer?: string
  readonly site?: readonly string[]
  readonly within?: readonly string[]
  readonly legalBasis: string
  readonly releaseTo?: string
  readonly transferBasis?: string
  readonly maxPrice?: string
  readonly expiresIn: string
  readonly dryRun?: boolean
  readonly stages?: boolean
  readonly epsilon?: string
  readonly noise?: string
  readonly rowsPerPerson?: string
  readonly groupsPerPerson?: string
  readonly json?: boolean
}

/** `hedgerow ask`: from a question to opened and verified releases. */
export function addAskVerb(program: Command, session: Session): void {
  addMemberOptions(
    verb(program, {
      name: 'ask',
      summary: 'ask sites a question; prints decision, price and release of each',
      example:
        'hedgerow ask --as northcare --purpose dpv:AcademicResearch --mode aggregate \\\n    --sql "select sport, count(*) as athletes, avg(height) as height from athletes group by sport" --max-price 25.00EUR',
    }),
  )
    .requiredOption('--purpose <term>', 'why: a DPV purpose such as dpv:AcademicResearch')
    .requiredOption('--mode <mode>', `release mode: ${MODES.join(', ')}`)
    .option('--sql <text>', 'the question in SQL')
    .option('--sql-file <file>', 'the question in a file')
    .option('--function <digest>', 'a registered function, by its digest')
    .option(
      '--param <value...>',
      'parameters of the SQL in order, or name=value of the function; JSON values or plain text',
    )
    .option('--offer <dataset>', 'data set asked for; absent: the one that the SQL names')
    .option(
      '--at <url>',
      'ask the site at this address directly, paid from a floor limit; the network may be away',
    )
    .option('--site <name...>', 'only these sites; absent: any that offers it')
    .option('--within <area...>', 'only sites in these countries, or EEA, EU, adequate')
    .option('--legal-basis <term>', 'legal basis', 'eu-gdpr:A6-1-a')
    .option('--release-to <country>', 'where the result will be used; absent: the country of the member')
    .option('--transfer-basis <basis>', 'basis for a transfer to a third country, such as scc')
    .option(
      '--max-price <amount>',
      'the most to pay over all sites, such as 12.50EUR; absent: what the tariffs can come to',
    )
    .option('--expires-in <seconds>', 'how long sites may take', '120')
    .option(
      '--stages',
      'ask sub-queries over other people first, each as an ask of its own with its own price, and write their answers out; --max-price holds over all of them, --epsilon is divided over them, and a later decline leaves earlier answers paid; with --dry-run: show them',
    )
    .option(
      '--epsilon <number>',
      'mode private: how much the answer may tell of one person, 0.01 to 1; absent: 0.1',
    )
    .option('--noise <kind>', 'mode private: laplace or gaussian; absent: the narrower')
    .option('--rows-per-person <count>', 'mode private: most rows of one person in a group that count')
    .option('--groups-per-person <count>', 'mode private: most groups that one person counts in')
    .option(
      '--dry-run',
      'tell what would happen and cost; holds nothing, releases nothing, and the guard counts it as an answer',
    )
    .action((options: AskOptions) => perform(session, () => ask(session, options)))
}

async function ask(session: Session, options: AskOptions): Promise<number> {
  const mode = MODES.find((one) => one === options.mode)
  if (!mode) throw new WrongUse(`Cannot use the mode "${options.mode}": expected one of ${MODES.join(', ')}`)
  if (mode !== 'private') refuseNoiseOptions(options)
  const transferBasis =
    options.transferBasis === undefined ? undefined : transferBasisOf(options.transferBasis)
  const question = await questionOf(options)
  const { acquirer, profile } = await connect(session, options)
  const purpose = purposeTerm(options.purpose)
  if (!isKnownPurpose(purpose))
    throw new WrongUse(
      `There is no purpose "${options.purpose}": expected one of DPV, such as dpv:AcademicResearch or "Academic Research"`,
    )
  const offers = await offersFor({ acquirer, question, options, mode })
  requirePlaces(options.within ?? [], offers)
  const jurisdiction = options.releaseTo ?? profile.country
  if (jurisdiction === undefined)
    throw new WrongUse('Say where the result will be used, with --release-to COUNTRY')
  const terms = {
    purpose,
    legalBasis: options.legalBasis,
    mode,
    offer: offers.dataSet,
    sites: options.site,
    within: options.within,
    releaseTo: { jurisdiction, ...(transferBasis === undefined ? {} : { transferBasis }) },
    dryRun: options.dryRun,
    privacy: privacyOf(options),
  }
  const maxPrice = options.maxPrice === undefined ? undefined : amountOf(options.maxPrice)
  const answerWithinMs = secondsOf(options.expiresIn) * 1000
  if (options.stages === true) {
    const request = { ...terms, question, maxPrice, answerWithinMs }
    return askStaged(session, { request, acquirer, directory: profile.directory, json: options.json })
  }
  const line = progress(session.terminal)
  line.show(`asking ${offers.sites.length === 0 ? 'nobody' : offers.sites.join(', ')} …`)
  const expires = later(session.clock.now(), answerWithinMs)
  const id = session.ids.next('ask')
  const result = await acquirer
    .ask({ ...terms, id, question, maxPrice: maxPrice ?? offers.highestPrice, expires }, session.signal)
    .catch((thrown: unknown) => {
      const goesOn = options.at === undefined && options.dryRun !== true
      if (session.signal.aborted && goesOn) throw new FellShort(stillAsked(id, profile.member))
      throw thrown
    })
    .finally(() => line.end())
  await keepReceipts(profile.directory, result)
  const hint =
    mode === 'rows' || options.json === true ? undefined : await hintAtStages(result, { question, acquirer })
  show(session, {
    json: options.json,
    value: result,
    print: () => print(session, { result, question, isDryRun: options.dryRun === true, hint }),
  })
  return exitCodeOfAnswer(result)
}

/** Ctrl-C ends the waiting and not the ask: money may be held, and an answer come. */
function stillAsked(id: string, member: string): string {
  return `Stopped waiting: if it was sent, ${id} goes on until it expires; see what comes with "hedgerow release show ${id} --as ${member}"`
}

/** To the network, or with `--at` to one site on the local network. */
async function connect(
  session: Session,
  options: AskOptions,
): Promise<{ acquirer: Pick<Acquirer, 'offers' | 'ask'>; profile: MemberProfile }> {
  const { at } = options
  if (at === undefined) return connectAcquirer(session, options)
  if (options.site !== undefined || options.network !== undefined)
    throw new WrongUse(
      'With --at the site at that address is asked, and no network: leave out --site and --network',
    )
  return connectLocalAcquirer(session, { url: at, as: options.as })
}

interface Answered {
  readonly result: AskResult
  readonly question: Question
  readonly isDryRun: boolean
  readonly hint: string | undefined
}

function print(session: Session, { result, question, isDryRun, hint }: Answered): void {
  const { terminal } = session
  say(
    terminal,
    paint(terminal, 'dim', `${result.id}${isDryRun ? ': a dry run; nothing was held, nothing left' : ''}`),
  )
  printAnswer(terminal, result)
  if (!('sql' in question)) return
  const positions = new Set(result.sites.flatMap(({ decision }) => decision?.position ?? []))
  for (const position of positions) printPosition(terminal, { text: question.sql, position })
  if (hint !== undefined) say(terminal, hint)
}

async function questionOf(options: AskOptions): Promise<Question> {
  const ways = [options.sql, options.sqlFile, options.function].filter((way) => way !== undefined)
  if (ways.length !== 1)
    throw new WrongUse('Say what is asked with exactly one of --sql, --sql-file and --function')
  const parameters = (options.param ?? []).map(valueOf)
  const question =
    options.function === undefined
      ? { sql: await sqlOf(options), parameters }
      : { function: options.function, parameters: Object.fromEntries((options.param ?? []).map(namedValue)) }
  const parsed = parseWith(questionSchema, question)
  if (!parsed.ok) throw new WrongUse(`Cannot read the question: ${describeProblems(parsed.error)}`)
  return parsed.value
}

/** What is said of noise, held against its schema before anything is sent. */
function privacyOf(options: AskOptions): PrivacyRequest | undefined {
  if (options.mode !== 'private') return undefined
  const { epsilon, noise, rowsPerPerson, groupsPerPerson } = options
  const given = {
    epsilon: epsilon === undefined ? EPSILON_DEFAULT : numberOf(epsilon),
    ...(noise === undefined ? {} : { noise }),
    ...(rowsPerPerson === undefined ? {} : { rowsPerPerson: numberOf(rowsPerPerson) }),
    ...(groupsPerPerson === undefined ? {} : { groupsPerPerson: numberOf(groupsPerPerson) }),
  }
  const parsed = parseWith(privacySchema, given)
  if (!parsed.ok) throw new WrongUse(`Cannot ask with this noise: ${describeProblems(parsed.error)}`)
  return parsed.value
}

function numberOf(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text)
}

function refuseNoiseOptions({ epsilon, noise, rowsPerPerson, groupsPerPerson }: AskOptions): void {
  if ([epsilon, noise, rowsPerPerson, groupsPerPerson].some((option) => option !== undefined))
    throw new WrongUse(
      'Only the mode private has noise: leave out --epsilon, --noise, --rows-per-person and --groups-per-person, or say --mode private',
    )
}

function valueOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? text : value
  } catch {
    return text
  }
}

function namedValue(text: string): readonly [string, unknown] {
  const at = text.indexOf('=')
  if (at < 1) throw new WrongUse(`Cannot use the parameter "${text}": expected name=value`)
  return [text.slice(0, at), valueOf(text.slice(at + 1))]
}

/** The data set that the SQL names, the sites that offer it, and what they can come to together. */
async function offersFor({
  acquirer,
  question,
  options,
  mode,
}: {
  acquirer: Pick<Acquirer, 'offers'>
  question: Question
  options: AskOptions
  mode: Mode
}) {
  const offers = await acquirer.offers(options.offer === undefined ? {} : { dataSet: options.offer })
  const dataSet = options.offer ?? onlyDataSet(offers, question)
  const matching = offers.filter(
    (one) =>
      one.dataSet === dataSet &&
      one.modes.includes(modeSchema.parse(mode)) &&
      (options.site?.includes(one.site) ?? true),
  )
  const currency = matching[0]?.tariff.currency ?? 'EUR'
  const highestMinor = matching
    .filter(({ tariff }) => tariff.currency === currency)
    .reduce((sum, { tariff }) => sum + tariff.capMinor, 0)
  return {
    dataSet,
    countries: [...new Set(offers.flatMap((one) => (one.dataSet === dataSet ? [one.siteCountry] : [])))],
    sites: matching.map(({ site }) => site),
    highestPrice: money(Math.max(1, highestMinor), currency),
  }
}

/** A place that there is, wherever it is offered: the network declines where it is offered nowhere there. */
function requirePlaces(
  within: readonly string[],
  { dataSet, countries }: { dataSet: string; countries: readonly string[] },
): void {
  const unknown = within.find((area) => !knownAreaSchema.safeParse(area).success)
  if (unknown === undefined) return
  const where = countries.length === 0 ? 'nowhere yet' : `in ${countries.toSorted().join(', ')}`
  throw new WrongUse(
    `There is no place "${unknown}": expected an ISO 3166-1 country code, EU, EEA or adequate; ${dataSet} is offered ${where}`,
  )
}

function onlyDataSet(offers: readonly Offer[], question: Question): string {
  const names = [...new Set(offers.map((one) => String(one.dataSet)))]
  const named =
    'sql' in question ? names.filter((name) => new RegExp(`\\b${name}\\b`, 'i').test(question.sql)) : []
  const [only] = named
  if (only !== undefined && named.length === 1) return only
  throw new WrongUse(
    named.length > 1
      ? `The question names ${named.join(', ')}: say which one is asked for first, with --offer`
      : `The question names no data set that is offered${names.length === 0 ? '; nothing is offered yet' : `, which are ${names.join(', ')}`}: say which with --offer, or look at "hedgerow offers"`,
  )
}

function secondsOf(text: string): number {
  const seconds = Number(text)
  if (!Number.isFinite(seconds) || seconds < 1 || seconds > 86_400)
    throw new WrongUse(`Cannot use "${text}" as seconds: expected 1 to 86400`)
  return seconds
}
