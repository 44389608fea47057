import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { formatDate, formatInstant, later, systemClock } from '../../src/kernel/clock.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import type { WireManifest } from '../../src/sdk/issuer.ts'
import { openSiteAdministration } from '../../src/sdk/issuer.ts'
import { testManifest } from '../../src/testing/test-population.ts'
import { fileBody, offered } from '../../src/testing/test-trade.ts'
import type { CliRun } from '../cli/run-cli.ts'
import { until } from '../site/floor/local-world.ts'
import type { GuideDesk } from './guide-desk.ts'

/** What a scene has to work with. */
export interface Stage {
  readonly desk: GuideDesk
  /** The person that the page is about here. */
  readonly person: string
  /** Types a command of its own; it has to end with 0. */
  type(command: string): Promise<CliRun>
}

/** What stands before a reader of a guide, and what in it stands for something else. */
export interface Scene {
  /** Lays ready what the page takes as given: files, data sets, an ask that was answered. */
  readonly prepare?: (stage: Stage) => Promise<void>
  /** Before one of its commands. */
  readonly before?: (stage: Stage, command: string) => Promise<void>
  /** The command as it is typed here. */
  readonly rewrite?: (command: string, stage: Stage) => string
  /** A file as it is written here. */
  readonly shown?: (text: string) => string
  /** Variables of the reader's shell. */
  readonly environment?: (stage: Stage) => Promise<Record<string, string>>
}

const DAY_MS = 86_400_000

const SESSIONS: WireManifest['columns'] = [
  { name: 'id', type: 'text', sensitivity: 'direct_identifier', isRequired: true },
  { name: 'day', type: 'date', minimumBin: 'month' },
  { name: 'minutes', type: 'integer', bounds: [0, 600] },
]

const ASK = 'hedgerow ask --as northcare --purpose dpv:AcademicResearch --mode aggregate --site galway --sql'

/** Somebody with a file to hand in. */
function write(stage: Stage, name: string, value: unknown): Promise<void> {
  const text = typeof value === 'string' ? value : stringify(value, { aliasDuplicateObjects: false })
  const path = join(stage.desk.directory, name)
  return mkdir(dirname(path), { recursive: true }).then(() => writeFile(path, text))
}

/** Describes a data set at Galway, of the federation and empty unless told. */
async function describe(
  stage: Stage,
  dataSet: string,
  more: Partial<WireManifest> = {},
  csv?: string,
): Promise<void> {
  const person = { key: 'id', rowsMax: 100, ageAtLeast: 18 }
  const manifest = testManifest(dataSet, { issuer: 'world-sport', person, ...more })
  const issuer = openSiteAdministration(await stage.desk.asMember(manifest.issuer, 'galway'))
  await issuer.describe(manifest)
  if (csv === undefined) return
  await issuer.importFile({ dataSet, batch: 'first', format: 'csv', body: fileBody(csv) })
  await offered(stage.desk.trade.network, { site: 'galway', dataSet })
}

/** An answered ask of northcare, by which a dispute can be raised. */
async function answered(stage: Stage): Promise<void> {
  bound += 1
  await stage.type(`${ASK} "select count(*) from athletes where gold < ${bound}"`)
}
let bound = 0

/** The custodian, which has no keys on the reader's machine, contests what was raised last. */
async function custodianAnswers({ desk: { trade } }: Stage): Promise<void> {
  const { items } = await trade.network.call(trade.custodian, NETWORK_API.listDisputes)
  await trade.network.call(trade.custodian, NETWORK_API.answerDispute, {
    params: { id: items[0]?.dispute ?? '' },
    body: { answer: 'contested', text: 'It is not so' },
  })
}

/** Erases somebody whose rows were given out, and waits until the recipient has heard of it. */
async function erasedAndTold(stage: Stage): Promise<void> {
  await stage.type(`hedgerow person erase --site galway --as world-sport --person ${stage.desk.nextPerson()}`)
  await until('a notice is there', async () => {
    const { out } = await stage.type('hedgerow notices list --as moycullen-lab')
    return /notice_[0-9A-Z]{26}/.test(out)
  })
}

/** By page; a page without one needs nothing but the desk. */
export const SCENES: Readonly<Record<string, Scene>> = {
  'agree-on-terms-of-use': {
    prepare: async (stage) => {
      await write(stage, 'terms.md', '# Terms\n\nUse it as agreed.\n')
      await write(stage, 'terms-2.md', '# Terms\n\nUse it as agreed, and tell us of a breach.\n')
    },
  },
  'correct-and-restrict': {
    prepare: (stage) =>
      describe(
        stage,
        'sessions',
        {
          columns: SESSIONS,
        },
        'id,day,minutes\nneo,2026-05-01,11\nneo,2026-05-02,30\n',
      ),
  },
  'dispute-a-trade': {
    prepare: answered,
    async before(stage, command) {
      // Each of the three decisions is about a dispute of its own, and what has to be deleted is one more.
      const isDeletion = command.includes('deletion')
      if (!command.includes('dispute decide') && !isDeletion) return
      await answered(stage)
      await stage.type(
        isDeletion
          ? 'hedgerow dispute raise ask_01J… --site galway --reason passed_on --statement "It was passed on" --as world-sport'
          : 'hedgerow dispute raise ask_01J… --site galway --reason not_delivered --claim 1.25EUR --statement "It does not open" --as northcare',
      )
      const other = isDeletion ? 'northcare' : 'world-sport'
      await stage.type(`hedgerow dispute answer dispute_01J… --contest --text "It is so" --as ${other}`)
      if (!isDeletion) await custodianAnswers(stage)
      if (command.includes('confirm-deletion'))
        await stage.type(
          'hedgerow dispute decide dispute_01J… --uphold --deletion --ground "It was passed on"',
        )
    },
  },
  'erase-people': {
    // Each command is another way to say it, of somebody who is there.
    rewrite: (command, { desk, person }) =>
      command.includes('person erase ') ? command.replace(person, desk.nextPerson()) : command,
    async prepare(stage) {
      const playlab = await stage.desk.member('playlab', ['issuer'])
      await stage.desk.joins(playlab, 'galway')
      await describe(
        stage,
        'games',
        { issuer: 'playlab', columns: SESSIONS },
        'id,day,minutes\nneo,2026-05-01,11\n',
      )
    },
  },
  'keep-terms-in-files': {
    rewrite: (command) =>
      command.replace('--site brook --as riverside-clinic', '--site galway --as world-sport'),
    prepare: async (stage) => {
      const steps = testManifest('steps', { issuer: 'world-sport', legalBasis: 'eu-gdpr:A6-1-b' })
      await write(stage, 'policy/steps.yaml', steps)
      await write(stage, 'contract.yaml', {
        kind: 'processing',
        controller: 'world-sport',
        reference: 'Contract in files',
        subject: 'Steps',
        concludedOn: '2026-01-15',
        instructions: 'the manifests',
        afterEnd: 'return',
      })
      await write(stage, 'assessments/dpia.yaml', {
        dataSet: 'steps',
        purpose: 'dpv:ResearchAndDevelopment',
        kind: 'dpia',
        reference: 'DPIA-2026-014',
        approvedBy: 'Orla Byrne',
        approvedOn: '2026-02-01',
        reviewBy: '2036-02-01',
      })
      await write(stage, 'bases/terms.yaml', {
        kind: 'contract',
        dataSets: ['steps'],
        purposes: ['dpv:ResearchAndDevelopment'],
        reference: 'Terms of the app',
        validUntil: '2036-01-01T00:00:00Z',
        people: 'everybody',
      })
    },
  },
  'keep-data-no-longer': {
    prepare: async (stage) => {
      await stage.type(`hedgerow person erase --site galway --as world-sport --person ${stage.person}`)
    },
  },
  'process-under-a-contract': {
    // A sub-processor is announced for a day that is still to come.
    shown: (text) => text.replace('2026-09-01', formatDate(later(systemClock.now(), 90 * DAY_MS))),
    async before(stage, command) {
      // Each answer is to an announcement of its own.
      if (/sub-processor (approve|withdraw)/.test(command))
        await stage.type('hedgerow officer sub-processor announce --file sub-processor.yaml --site galway')
    },
  },
  'record-a-legal-basis': {
    async prepare(stage) {
      await describe(stage, 'registry', { legalBasis: 'eu-gdpr:A6-1-e', purposes: ['dpv:AcademicResearch'] })
      await describe(stage, 'shifts', {
        legalBasis: 'eu-gdpr:A6-1-f',
        purposes: ['dpv:OrganisationRiskManagement'],
      })
      await describe(
        stage,
        'members',
        { legalBasis: 'eu-gdpr:A6-1-b', purposes: ['dpv:ServiceProvision'], columns: SESSIONS },
        'id,day,minutes\nm-1001,2026-05-01,11\nm-1002,2026-05-02,30\nm-1003,2026-05-02,20\n',
      )
      await write(stage, 'joined.txt', 'm-1003\n')
      await write(stage, 'left.txt', 'm-1001\n')
    },
    async before(stage, command) {
      if (command.includes('basis people'))
        await stage.type('hedgerow officer basis record --file contract.yaml --site galway --as world-sport')
      if (command.includes('basis plan'))
        await write(
          stage,
          'bases/contract.yaml',
          await readFile(join(stage.desk.directory, 'contract.yaml'), 'utf8'),
        )
    },
  },
  'rotate-keys': {
    ...stopped(/rotate-(operator|master)-key/),
    environment: ({ desk }) =>
      Promise.resolve({ HEDGEROW_DATABASE_URL: desk.trade.site('galway').databaseUrl }),
  },
  'serve-local-asks': {
    prepare: ({ desk }) => desk.acquirer('corrib-care'),
    rewrite: (command, { desk }) =>
      command
        .replace('http://galway.lan:7411', desk.trade.site('galway').url)
        .replace('northcare', 'corrib-care'),
    async before(stage, command) {
      // The site hears of the limit, and of whose it is, within its refresh.
      if (!command.includes('ask --at')) return
      await until('the site knows the limit', async () => {
        const { out } = await stage.type('hedgerow site floor-limits --site galway')
        return out.includes('corrib-care')
      })
    },
  },
  'speak-for-a-child': {
    // The games were ten years ago: whoever was a child is none now.
    rewrite: (command, { person }) =>
      command.replaceAll(person, 'aoife').replace('--dataset athletes', '--dataset juniors'),
    async prepare(stage) {
      const born = formatDate(later(systemClock.now(), -8 * 365 * DAY_MS))
      const rows = ['aoife', 'liam'].map((key) => `${key},,IE,${born},1.3,10,`)
      await describe(
        stage,
        'juniors',
        { person: { key: 'id', birthDate: 'birth_date', residence: 'country', rowsMax: 1 } },
        `id,name,country,birth_date,height,score,note\n${rows.join('\n')}\n`,
      )
    },
    async before(stage, command) {
      // The page has erased the child by then.
      if (command.includes('guardian end'))
        await stage.type(
          'hedgerow guardian add --site galway --as world-sport --person liam --guardian parent-17 --authority sole --document "birth register"',
        )
    },
    environment: async ({ desk }) => ({ HEDGEROW_PERSON_TOKEN: await desk.token('parent-17') }),
  },
  'take-the-officers-seat': {
    async prepare(stage) {
      for (const name of ['orla', 'dpc'])
        await write(stage, `${name}.json`, (await stage.type(`hedgerow member keys ${name}`)).out)
      await write(stage, 'german.yaml', {
        language: 'de',
        consequences: 'Gruppen von Athleten könnten erkannt werden.',
        measures: 'Der Empfänger ist gesperrt.',
      })
    },
    // The clock of an incident runs from when it was noticed.
    shown: (text) =>
      text.replace('2026-03-02T09:00:00Z', formatInstant(later(systemClock.now(), -3_600_000))),
    async before(stage, command) {
      if (command.includes('--as orla'))
        await stage.type('hedgerow officer named orla --keys orla.json --site galway --as world-sport')
    },
  },
  'tell-recipients': {
    async prepare(stage) {
      await stage.desk.acquirer('moycullen-lab')
      await stage.type(
        'hedgerow ask --as moycullen-lab --purpose dpv:AcademicResearch --mode rows --site galway --sql "select sport, weight from athletes"',
      )
      await erasedAndTold(stage)
    },
    rewrite: (command) => command.replace('northcare', 'moycullen-lab'),
    async before(stage, command) {
      // Each answer is to a notice of its own.
      if (command.includes('--outcome kept')) await erasedAndTold(stage)
    },
  },
  'turn-a-machine-into-a-site': {
    ...stopped(/rotate-key/),
    environment: ({ desk }) =>
      Promise.resolve({ HEDGEROW_DATABASE_URL: desk.trade.site('galway').databaseUrl }),
    // Beside the Galway that is here already.
    rewrite: (command) => command.replace('site init galway', 'site init salthill').replace(/ > \S+$/, ''),
    async prepare(stage) {
      await write(stage, 'world-sport.json', (await stage.type('hedgerow member keys world-sport')).out)
      await write(stage, 'visits.csv', 'visitor,day\nv1,2026-01-02\nv2,2026-01-03\n')
    },
  },
}

/** Commands for which Galway has to be stopped; what comes next finds it serving again. */
function stopped(which: RegExp): Scene {
  return {
    async before({ desk }, command) {
      const site = desk.trade.site('galway')
      if (which.test(command)) await site.stop()
      else await site.start()
    },
  }
}
