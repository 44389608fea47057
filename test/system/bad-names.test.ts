import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { later, systemClock } from '../../src/kernel/clock.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { assertRefused, runCli } from '../cli/run-cli.ts'
import { typedHere } from '../cli/typed-here.ts'
import { processes, hedgerow, succeeds, toSite } from './bad-input-fixture.ts'

// What a user names wrongly to real servers: one clear sentence, the right exit code, and nothing changed.

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
      ['grant', 'give', '--person', 'p', '--dataset', 'athletes', ...terms, '--to', 'Everybody', ...toSite()],
      2,
      /^Cannot grant to "Everybody": say "anyone" for every member/,
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

test('addresses without a scheme, names that can be none, files that are none', async () => {
  const site = ['--site', 'galway', '--as', 'world']
  const person = [...toSite(), '--person', 'p-1', '--reason', 'to try it']
  const network = ['--network', processes.network.url]
  const cases: readonly [readonly string[], number, RegExp][] = [
    [['offers', '--network', '127.0.0.1:7400'], 2, /as the address of a network: expected one such as http/],
    [['offers', '--network', 'ftp://127.0.0.1'], 2, /as the address of a network: expected one such as http/],
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
    [['receipt', 'list', '--limit', '-1', ...toSite()], 2, /^Cannot use "-1": expected a whole number of 0/],
    [
      ['receipt', 'list', '--limit', '0', ...toSite()],
      2,
      /^Cannot read the request: limit: expected 1 or more\n$/,
    ],
    [['request', 'list', '--limit', 'x', ...toSite()], 2, /^Cannot use "x": expected a whole number of 0/],
    [['dataset', 'import', 'athletes', processes.home, ...toSite()], 2, /": it is a directory\n$/],
    [['person', 'move', ...person, '--to', 'ZZ'], 2, /country: .* there is no such country/],
    [['person', 'evidence', ...person, '--at-least', '9', '--document', ''], 2, /^Say what was seen/],
    [['guardian', 'add', ...person, '--guardian', 'g', '--document', ''], 2, /^Say which document was seen/],
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
      ['site', 'evidence', ...toSite(), '--longitude', '1', '--latitude', '1', '--valid-days', '0'],
      2,
      /^Cannot use --valid-days 0: expected a whole number from 1 to 36500\n$/,
    ],
    [
      ['site', 'evidence', ...toSite(), '--longitude', '1', '--latitude', '1', '--valid-days', '999999999'],
      2,
      /^Cannot use --valid-days 999999999: expected/,
    ],
    [
      ['member', 'add', 'newcomer', '--country', 'ZZ', '--role', 'acquirer', ...network],
      2,
      /country: .* no such country/,
    ],
    [['member', 'keys', 'newcomer', '--country', 'ZZ'], 2, /country: .* no such country/],
    [
      ['member', 'collude', 'buyer', 'nobody-here', ...network],
      1,
      /^Cannot name "nobody-here": it is not a member with the role "acquirer"\n$/,
    ],
    [
      [
        'network',
        'give-floor-limit',
        'galway',
        '--acquirer',
        'nobody-here',
        '--amount',
        '5EUR',
        '--valid-until',
        '7d',
        ...network,
      ],
      1,
      /^Cannot give a floor limit for "nobody-here": it is not an active member/,
    ],
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

test('a statement of somebody who is not there', async () => {
  const network = ['--network', processes.network.url, '--as', 'operator']
  const nobody = await succeeds('ledger', 'statement', 'nobody', ...network)
  assert.match(nobody.out, /^Nothing is booked for "nobody" that you may see; check the name\n$/)
})

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
    const run = await typedHere(
      processes.home,
      ['ledger', 'balance', '--as', 'buyer', '--network', processes.network.url],
      { clock: skewed },
    )
    assertRefused(run, { code: 1, says })
  })
}

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
