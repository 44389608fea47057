import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { stringify } from 'yaml'
import { readMemberProfile } from '../../src/cli/member-profile.ts'
import { later, systemClock } from '../../src/kernel/clock.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { csvOf, testGrant, testManifest, testPeople } from '../../src/testing/test-population.ts'
import { testProcesses } from '../../src/testing/test-processes.ts'
import type { TestProcesses } from '../../src/testing/test-processes.ts'
import { offered } from '../../src/testing/test-trade.ts'
import { runCli } from '../cli/run-cli.ts'
import type { CliRun } from '../cli/run-cli.ts'
import { typedHere } from '../cli/typed-here.ts'

// What a user types against real servers, wrongly: one clear sentence, the right exit code, and nothing changed.

let processes: TestProcesses
const opened = new AsyncDisposableStack()
const PEOPLE = 40

before(async () => {
  processes = opened.use(await testProcesses(process.env))
  const { caller, siteOperator, network } = processes
  for (const [member, role] of [
    ['world', 'issuer'],
    ['buyer', 'acquirer'],
  ] as const) {
    const added = await hedgerow(
      'member',
      'add',
      member,
      '--country',
      'IE',
      '--role',
      role,
      '--network',
      network.url,
    )
    assert.equal(added.code, 0, added.error)
  }
  const profile = await readMemberProfile(processes.home, 'world')
  await siteOperator.registerIssuer({
    member: 'world',
    keys: { signing: profile.signing.publicJwk, sealing: profile.sealing.publicJwk },
  })
  const deposit = { kind: 'deposit', member: 'buyer', amount: { amount: 100_000, currency: 'EUR' } }
  await caller.call(caller.operator, NETWORK_API.transfer, {
    body: deposit,
    headers: { 'idempotency-key': 'deposit-1' },
  })
  const manifest = await fileOf('athletes.yaml', stringify(testManifest('athletes', { issuer: 'world' })))
  await succeeds('dataset', 'describe', manifest, ...toSite())
  await succeeds(
    'dataset',
    'import',
    'athletes',
    await fileOf('good.csv', csvOf(testPeople(PEOPLE))),
    ...toSite(),
  )
  const grants = testPeople(PEOPLE).map(({ id }) => JSON.stringify(testGrant('athletes', id)))
  await succeeds(
    'grant',
    'give',
    '--file',
    await fileOf('grants.ndjson', `${grants.join('\n')}\n`),
    ...toSite(),
  )
  await offered(caller, { site: 'galway', dataSet: 'athletes' })
})
after(() => opened.disposeAsync())

/** What a user types, in this process: the same program without the start of one. */
function hedgerow(...args: readonly string[]): Promise<CliRun> {
  return typedHere({ home: processes.home }, args)
}

async function succeeds(...args: readonly string[]): Promise<CliRun> {
  const run = await hedgerow(...args)
  assert.equal(run.code, 0, `${args.join(' ')}: ${run.error}`)
  return run
}

function toSite(): readonly string[] {
  return ['--site', 'galway', '--url', processes.site.url, '--as', 'world']
}

async function fileOf(name: string, text: string): Promise<string> {
  const file = join(processes.home, name)
  await writeFile(file, text)
  return file
}

/** The sentence is there, the code is right, and there is nothing of a program's insides. */
function assertRefused(run: CliRun, { code, says }: { code: number; says: RegExp }): void {
  const said = run.error + run.out
  assert.match(said, says)
  assert.equal(run.code, code, said)
  assert.doesNotMatch(said, /\n\s+at |Error:|undefined|\[object/)
}

/** The same in a process of its own. */
function ask(sql: string, ...more: readonly string[]): Promise<CliRun> {
  const how = ['--as', 'buyer', '--network', processes.network.url, '--purpose', 'dpv:AcademicResearch']
  return runCli(processes.home, ['ask', ...how, '--mode', 'aggregate', '--sql', sql, ...more])
}

async function balanceOf(): Promise<string> {
  return (await succeeds('ledger', 'balance', '--as', 'buyer', '--network', processes.network.url)).out
}

async function rowsAndBatches(): Promise<string> {
  const [found] = await processes.siteOperator.dataSets()
  return `${found?.rows} rows of ${found?.people} people in ${found?.batches} batches`
}

suite('what is typed wrongly against servers that run', () => {
  const rows = testManifest('rows', { issuer: 'world' })
  const manifests: readonly [string, string, RegExp][] = [
    ['that is no YAML', 'dataSet: [\n', /: line 2, column 1: Flow sequence .* and end with a \]\n$/],
    [
      'with a wrong type',
      stringify({ ...rows, purposes: 5 }),
      /: purposes: expected a list, not a number\n$/,
    ],
    ['with an unknown field', stringify({ ...rows, colour: 'red' }), /: colour: expected no such field\n$/],
    [
      'with two wrong fields',
      stringify({ ...rows, issuer: 'No Name', modes: ['all'] }),
      /: 2 fields are not what was expected\n {2}issuer: .*\n {2}modes\[0\]: /,
    ],
    ['that is empty', '', /^Cannot use ".*wrong\.yaml": it is empty\n$/],
    ['that is no text', '\u0000\u0001', /^Cannot use ".*wrong\.yaml": it is no text\n$/],
    ['that is one word', 'athletes', /: \(whole\): expected named fields, not a text\n$/],
    ['without a title', stringify({ ...rows, title: undefined }), /: title: expected a title\n$/],
    [
      'of another issuer',
      stringify({ ...rows, issuer: 'federation' }),
      /as "world": its issuer is "federation"; act as that one with --as, or mend the file\n$/,
    ],
  ]
  for (const [what, text, says] of manifests) {
    test(`a manifest ${what}`, async () => {
      const run = await hedgerow('dataset', 'describe', await fileOf('wrong.yaml', text), ...toSite())
      assertRefused(run, { code: 2, says })
      assert.equal((await processes.siteOperator.dataSets()).length, 1)
    })
  }

  test('a manifest whose polygon crosses itself', async () => {
    const bowTie = {
      type: 'Polygon' as const,
      coordinates: [
        [
          [0, 50],
          [2, 52],
          [2, 50],
          [0, 52],
          [0, 50],
        ] as [number, number][],
      ],
    }
    const manifest = testManifest('crossed', {
      issuer: 'world',
      perimeter: {
        store: { within: ['EEA'], polygon: bowTie },
        process: { within: ['EEA'] },
        release: { within: ['EEA'] },
      },
    })
    const file = await fileOf('crossed.yaml', stringify(manifest))
    for (const verb of [
      ['dataset', 'describe'] as const,
      ['policy', 'plan'] as const,
      ['policy', 'apply'] as const,
    ])
      assertRefused(await hedgerow(...verb, file, ...toSite()), { code: 2, says: /cross/ })
    assert.equal((await processes.siteOperator.dataSets()).length, 1)
  })

  test('a manifest with a purpose and a country that there are not', async () => {
    const within = { within: ['UK'] }
    const manifest = testManifest('named', {
      issuer: 'world',
      purposes: ['dpv:AcademicResearch', 'dpv:AcademicReserch'],
      perimeter: { store: { within: ['EEA'] }, process: { within: ['EEA'] }, release: within },
    })
    const file = await fileOf('named.yaml', stringify(manifest))
    const run = await hedgerow('dataset', 'describe', file, ...toSite())
    assertRefused(run, {
      code: 2,
      says: /2 fields .*\n {2}perimeter\.release\.within\[0\]: .* there is no "UK"\n {2}purposes\[1\]: /,
    })
    assert.equal((await processes.siteOperator.dataSets()).length, 1)
  })

  test('names of things that there are not are said again, with what to do', async () => {
    const good = join(processes.home, 'good.csv')
    const network = ['--network', processes.network.url]
    const terms = ['--purpose', 'dpv:AcademicResearch', '--mode', 'aggregate']
    const cases: readonly [readonly string[], number, RegExp][] = [
      [
        ['dataset', 'import', 'horses', good, ...toSite()],
        1,
        /^There is no data set "horses" at .*check the name\n$/,
      ],
      [['ledger', 'deposit', 'nobody', '5.00EUR', ...network], 2, /there is no member "nobody"/],
      [['dataset', 'usage', 'horses', ...toSite()], 1, /^There is no data set "horses" at /],
      [
        ['grant', 'give', ...terms, '--dataset', 'horses', '--person', 'p', '--to', 'anyone', ...toSite()],
        1,
        /^There is no such data set or person at .*; check the names\n$/,
      ],
      [
        [
          'grant',
          'give',
          ...terms,
          '--dataset',
          'athletes',
          '--person',
          'p',
          '--to',
          'class:pirate',
          ...toSite(),
        ],
        2,
        /no class of acquirers "pirate": expected one of insurer/,
      ],
      [
        ['grant', 'give', '--to', 'anyone', ...toSite()],
        2,
        /^Say --person KEY, --dataset NAME, --purpose TERM, --mode MODE, or several in a file with --file\n$/,
      ],
      [['grant', 'revoke', ...toSite()], 2, /^Say --dataset NAME, --person KEY, or several in a file/],
      [
        ['grant', 'preview', '--mode', 'rows', ...toSite()],
        2,
        /^Say --dataset NAME, --to GRANTEE, --purpose TERM\n$/,
      ],
      [['ledger', 'invoice', 'nobody', ...network], 1, /^Nothing is settled yet/],
      [
        ['lineage', '--sql', 'select count(*) from athletes', '--site', 'cork', ...network],
        2,
        /"cork" offers nothing/,
      ],
      [['lineage', '--sql', ' ', ...network], 2, /^Say what is asked: --sql is empty\n$/],
    ]
    for (const [args, code, says] of cases) assertRefused(await hedgerow(...args), { code, says })
    const unknown = [
      'ask',
      '--as',
      'buyer',
      '--purpose',
      'dpv:Piracy',
      '--mode',
      'aggregate',
      '--sql',
      'select 1',
      ...network,
    ]
    assertRefused(await hedgerow(...unknown), { code: 2, says: /There is no purpose "dpv:Piracy"/ })
  })

  test('places and sites that there are not, in an ask', async () => {
    const was = await balanceOf()
    const network = ['--network', processes.network.url, '--as', 'buyer', '--purpose', 'dpv:AcademicResearch']
    const question = ['--mode', 'aggregate', '--sql', 'select count(*) from athletes']
    const cases: readonly [readonly string[], number, RegExp][] = [
      [['--within', 'ZZ'], 2, /^There is no place "ZZ": expected .*; athletes is offered in IE\n$/],
      [['--within', ''], 2, /^There is no place "": expected/],
      [['--within', 'CH'], 1, /declined\.no_route/],
      [['--site', 'nowhere'], 2, /ask\.sites\[0\]: expected a site of this network: galway\n$/],
      [['--site', 'galway', 'nowhere'], 2, /ask\.sites\[1\]: expected a site of this network: galway\n$/],
      [['--site', 'No Where'], 2, /sites\[0\]: expected 2 to 63 lower-case letters/],
      [['--release-to', 'ZZ'], 2, /releaseTo\.jurisdiction: .*there is no such country\n$/],
      [['--transfer-basis', ''], 2, /releaseTo\.transferBasis: expected a basis such as scc\n$/],
      [['--max-price', '1.00XYZ'], 2, /expected one such as 12\.50EUR, in EUR, CHF, /],
      [['--max-price', '-1.00EUR'], 2, /Cannot use "-1.00EUR" as an amount/],
    ]
    for (const [args, code, says] of cases)
      assertRefused(await hedgerow('ask', ...network, ...question, ...args), { code, says })
    assert.equal(await balanceOf(), was)
  })

  test('addresses without a scheme, names that can be none, files that are none', async () => {
    const site = ['--site', 'galway', '--as', 'world']
    const person = [...toSite(), '--person', 'p-1', '--reason', 'to try it']
    const network = ['--network', processes.network.url]
    const cases: readonly [readonly string[], number, RegExp][] = [
      [
        ['offers', '--network', '127.0.0.1:7400'],
        2,
        /as the address of a network: expected one such as http/,
      ],
      [
        ['offers', '--network', 'ftp://127.0.0.1'],
        2,
        /as the address of a network: expected one such as http/,
      ],
      [['dataset', 'list', ...site, '--url', 'localhost:7411'], 2, /as the address of a site: expected/],
      [['offers', ...network, '--within', 'ZZ'], 2, /within: .* there is no such country/],
      [['offers', ...network, '--purpose', 'dpv:Piracy'], 2, /purpose: .* there is no such purpose/],
      [['ledger', 'balance', '--as', '../buyer'], 2, /^Cannot act as "\.\.\/buyer": expected 2 to 63/],
      [
        ['dataset', 'import', 'athletes', processes.home, '--format', 'csv', ...toSite()],
        2,
        /": it is a directory/,
      ],
      [['grant', 'give', '--file', processes.home, ...toSite()], 2, /": it is a directory\n$/],
      [['grant', 'give', '--file', '/nowhere/x', ...toSite()], 2, /"\/nowhere\/x": it is not there\n$/],
      [['receipt', 'list', '--kind', 'x', ...toSite()], 2, /kind: expected one of ask, release, /],
      [['receipt', 'list', '--limit', 'x', ...toSite()], 2, /^Cannot use "x": expected a whole number of 0/],
      [
        ['receipt', 'list', '--limit', '-1', ...toSite()],
        2,
        /^Cannot use "-1": expected a whole number of 0/,
      ],
      [
        ['receipt', 'list', '--limit', '0', ...toSite()],
        2,
        /^Cannot read the request: limit: expected 1 or more\n$/,
      ],
      [['request', 'list', '--limit', 'x', ...toSite()], 2, /^Cannot use "x": expected a whole number of 0/],
      [['dataset', 'import', 'athletes', processes.home, ...toSite()], 2, /": it is a directory\n$/],
      [['person', 'move', ...person, '--to', 'ZZ'], 2, /country: .* there is no such country/],
      [['person', 'evidence', ...person, '--at-least', '9', '--document', ''], 2, /^Say what was seen/],
      [
        ['guardian', 'add', ...person, '--guardian', 'g', '--document', ''],
        2,
        /^Say which document was seen/,
      ],
      [
        ['person', 'export', ...toSite(), '--person', 'nobody', '--reason', 'try it'],
        1,
        /^There is no such person at .*; check the key\n$/,
      ],
      [['site', 'rotate-key', 'No Site'], 2, /there can be no site "No Site"\n$/],
      [
        ['site', 'evidence', ...toSite(), '--longitude', '1', '--latitude', '1', '--valid-days', 'x'],
        2,
        /"x": expected a whole number/,
      ],
      [
        ['member', 'add', 'newcomer', '--country', 'ZZ', '--role', 'acquirer', ...network],
        2,
        /country: .* no such country/,
      ],
      [['member', 'keys', 'newcomer', '--country', 'ZZ'], 2, /country: .* no such country/],
      [['member', 'collude', 'buyer', 'buyer', ...network], 2, /^Name others than "buyer" itself\n$/],
      [
        ['network', 'add-site', 'cork', '--country', 'IE', '--custodian', 'edgeworks', ...network],
        2,
        /--keys FILE: "cork" is not on this machine/,
      ],
    ]
    for (const [args, code, says] of cases) assertRefused(await hedgerow(...args), { code, says })
  })

  test('a member that the network refuses leaves no keys behind', async () => {
    const network = ['--network', processes.network.url, '--country', 'IE']
    const was = await readdir(join(processes.home, 'members'))
    const wrong = await hedgerow('member', 'add', 'late', '--role', 'king', ...network)
    assertRefused(wrong, { code: 2, says: /^Cannot read the request: roles\[0\]: expected one of acquirer/ })
    // Known to the network, not on this machine: whoever has its keys keeps them.
    assertRefused(await hedgerow('member', 'add', 'edgeworks', '--role', 'custodian', ...network), {
      code: 1,
      says: /^Cannot take the name "edgeworks": it is taken\n$/,
    })
    assert.deepEqual(await readdir(join(processes.home, 'members')), was)
  })

  test('evidence of another place is refused, and not kept for the next start', async () => {
    const file = join(processes.home, 'sites', 'galway', 'evidence.jws')
    const was = await readFile(file, 'utf8')
    const site = ['--site', 'galway', '--url', processes.site.url]
    const dresden = ['--longitude', '13.7', '--latitude', '51.05']
    assertRefused(await hedgerow('site', 'evidence', ...site, ...dresden), {
      code: 2,
      says: /expected the place of the site: the point lies in DE, the claim says IE\n$/,
    })
    assert.equal(await readFile(file, 'utf8'), was)
  })

  test('a site whose evidence is wrong is not made', async () => {
    const abroad = [
      '--territory',
      'IE',
      '--custodian',
      'edgeworks',
      '--longitude',
      '13.7',
      '--latitude',
      '51.05',
    ]
    assertRefused(await hedgerow('site', 'init', 'cork', ...abroad), {
      code: 2,
      says: /the point lies in DE, the claim says IE\n$/,
    })
    assert.deepEqual(await readdir(join(processes.home, 'sites')), ['galway'])
    const where = ['--territory', 'IE', '--custodian', 'edgeworks', '--longitude', 'west', '--latitude', '53']
    const run = await hedgerow('site', 'init', 'cork', ...where)
    assertRefused(run, { code: 2, says: /longitude: expected degrees\n$/ })
    const again = await succeeds('site', 'init', 'cork', ...where.with(5, '-8.47').with(7, '51.9'))
    assert.match(again.out, /^cork is made in/)
  })

  const good = csvOf(testPeople(3, (_, index) => ({ id: `new-${index}` })))
  const files: readonly [string, string, RegExp][] = [
    ['a torn line', `${good}new-9,"Name`, /line 5/],
    ['a line with a field too few', `${good}new-9,Name\n`, /line 5/],
    ['a number that is none', good.replace(/,1\.\d+,/, ',tall,'), /line 2.*height|height.*line 2/s],
    ['a date that is none', good.replace(/,19\d\d-\d\d-\d\d,/, ',1999-02-30,'), /birth_date/],
    ['a person without a key', `${good},Name,IE,1980-01-01,1.5,1,x\n`, /line 5/],
    ['no such column', good.replace('height', 'hight'), /height/],
    ['an empty file', '', /./],
  ]
  for (const [what, text, says] of files) {
    test(`a file with ${what} is taken whole or not at all`, async () => {
      const was = await rowsAndBatches()
      assertRefused(
        await hedgerow('dataset', 'import', 'athletes', await fileOf('bad.csv', text), ...toSite()),
        { code: 1, says },
      )
      assert.equal(await rowsAndBatches(), was)
    })
  }

  test('a batch that is there already changes nothing, and another file under its name is refused', async () => {
    const was = await rowsAndBatches()
    const file = join(processes.home, 'good.csv')
    const again = await hedgerow('dataset', 'import', 'athletes', file, ...toSite())
    assert.equal(again.code, 0)
    assert.match(again.out, /was there already; nothing changed/)
    const other = await fileOf('other.csv', good)
    await succeeds('dataset', 'import', 'athletes', other, '--batch', 'named', ...toSite())
    const clash = await hedgerow('dataset', 'import', 'athletes', file, '--batch', 'named', ...toSite())
    assertRefused(clash, { code: 1, says: /the batch "named" was another file; .*--batch/ })
    assert.notEqual(await rowsAndBatches(), was)
  })

  test('a data set that nobody offers, and no question at all', async () => {
    const run = await ask('select count(*) from horses')
    assertRefused(run, { code: 2, says: /names no data set that is offered, which are athletes: say which/ })
    assertRefused(await ask(''), { code: 2, says: /^Say what is asked: --sql is empty\n$/ })
  })

  test('a statement of somebody who is not there', async () => {
    const network = ['--network', processes.network.url, '--as', 'operator']
    const nobody = await succeeds('ledger', 'statement', 'nobody', ...network)
    assert.match(nobody.out, /^Nothing is booked for "nobody" that you may see; check the name\n$/)
  })

  const questions: readonly [string, string, string, string][] = [
    [
      'an unknown column',
      'select avg(heigth) from athletes',
      'declined.column',
      'There is no column "heigth", at character 12',
    ],
    [
      'a syntax error',
      'select count(*) frm athletes group by',
      'declined.sql_syntax',
      'Syntax error, at character 21',
    ],
    [
      'a function that is not allowed',
      'select max(height) from athletes',
      'declined.sql_function',
      'Not allowed: "max" (it would be one person’s value; computed for each person in a sub-query it may be summed or compared), at character 8',
    ],
    [
      'an operator that does not fit',
      'select count(*) from athletes where country ~ 4',
      'declined.sql_function',
      'Not allowed: ~ of (text, integer); expected the pattern written out, of letters, ., […], ^, $, ( | ), *, +, ? and {m,n}, at character 45',
    ],
    [
      'a cast to a type that is not known',
      'select count(*) from athletes where height::bytea is null',
      'declined.sql_function',
      'Not allowed: the type "bytea", at character 45',
    ],
    [
      'a kind of expression that is not supported',
      'select count(*) from athletes where row(height, score) is null',
      'declined.sql_not_supported',
      'Not supported: a row value, at character 37',
    ],
  ]
  for (const [what, sql, reason, sentence] of questions) {
    test(`a question with ${what} is declined in a sentence that says where`, async () => {
      const was = await balanceOf()
      const run = await ask(sql)
      assertRefused(run, { code: 1, says: new RegExp(`${reason}[^]*\ngalway: `) })
      assert.equal(
        run.out.split('\n').find((line) => line.startsWith('galway: ')),
        `galway: ${sentence}`,
      )
      assert.equal(run.out.split('at character').length, 2, 'said once')
      assert.equal(await balanceOf(), was)
    })
  }

  for (const [what, skewMs, says] of [
    [
      'an hour behind',
      -3_600_000,
      /expired; the clock of this machine is 60 minutes behind that of 127.0.0.1:\d+: set right/,
    ],
    ['an hour ahead', 3_600_000, /not-yet-valid; the clock of this machine is 60 minutes ahead of that of/],
  ] as const) {
    test(`a clock that is ${what}`, async () => {
      const skewed: Clock = { ...systemClock, now: () => later(systemClock.now(), skewMs) }
      const run = await typedHere({ home: processes.home, clock: skewed }, [
        'ledger',
        'balance',
        '--as',
        'buyer',
        '--network',
        processes.network.url,
      ])
      assertRefused(run, { code: 1, says })
    })
  }

  test('a port that is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    const run = await runCli(join(processes.home, 'elsewhere'), ['network', 'serve', '--port', String(port)])
    taken.close()
    assertRefused(run, {
      code: 1,
      says: new RegExp(`${port}: another program uses the port; choose another`),
    })
  })
  test('a second server on the same directory', async () => {
    assertRefused(await runCli(processes.home, ['network', 'serve', '--port', '0']), {
      code: 1,
      says: /process \d+ holds it; stop the other server, or use another directory/,
    })
    assertRefused(await runCli(processes.home, ['site', 'serve', 'galway', '--port', '0']), {
      code: 1,
      says: /in use|another/,
    })
    assert.ok((await fetch(`${processes.network.url}/readyz`)).ok, 'the first goes on')
  })
  test('a directory of another version', async () => {
    const directory = join(processes.home, 'newer', 'network')
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await writeFile(join(directory, 'version'), '99\n')
    const run = await runCli(join(processes.home, 'newer'), ['network', 'serve', '--port', '0'])
    assertRefused(run, { code: 1, says: /version "99".*; use the version of Hedgerow that wrote/ })
    assert.equal(await readFile(join(directory, 'version'), 'utf8'), '99\n')
  })
  test('a database that is away', async () => {
    const environment = { HEDGEROW_DATABASE_URL: 'postgres://hedgerow:secret-word@127.0.0.1:9/network' }
    const run = await runCli(join(processes.home, 'away'), ['network', 'serve', '--port', '0'], environment)
    assertRefused(run, {
      code: 3,
      says: /^Cannot reach PostgreSQL at 127\.0\.0\.1:9; start the database, or mend HEDGEROW_DATABASE_URL\n$/,
    })
    assert.doesNotMatch(run.error, /secret-word/)
  })
  test('settings that are wrong, all at once', async () => {
    const environment = { HEDGEROW_PORT: 'many', HEDGEROW_DATABASE_URL: 'mysql://x' }
    const run = await runCli(join(processes.home, 'wrong'), ['network', 'serve'], environment)
    assertRefused(run, { code: 78, says: /port.*\n?.*databaseUrl|databaseUrl.*\n?.*port/s })
  })
})
