import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { csvOf, testManifest, testPeople } from '../../src/testing/test-population.ts'
import { assertRefused } from '../cli/run-cli.ts'
import {
  processes,
  hedgerow,
  succeeds,
  fileOf,
  toSite,
  ask,
  balanceOf,
  rowsAndBatches,
} from './bad-input-fixture.ts'

// What a user hands in or asks wrongly of real servers: one clear sentence, the right exit code, and nothing changed.

const rows = testManifest('rows', { issuer: 'world' })
const manifests: readonly [string, string, RegExp][] = [
  ['that is no YAML', 'dataSet: [\n', /: line 2, column 1: Flow sequence .* and end with a \]\n$/],
  ['with a wrong type', stringify({ ...rows, purposes: 5 }), /: purposes: expected a list, not a number\n$/],
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
  assertRefused(clash, {
    code: 1,
    says: /the batch "named" was another file, or this one read in another way; under another name \(--batch\) every row of it is taken, those that are there already a second time/,
  })
  assert.notEqual(await rowsAndBatches(), was)
})

test('rows past the most of a person are told in steps when they are imported, and nobody by name', async () => {
  const people = testPeople(75, (_, index) => ({ id: `many-${index % 25}` }))
  const file = await fileOf('many.csv', csvOf(people))
  const imported = await succeeds('dataset', 'import', 'athletes', file, ...toSite())
  const told = imported.out.replaceAll('\n', ' ')
  assert.match(
    told,
    /Beware: .* at least 50 rows of at least 20 people past the most that one person may have/,
  )
  assert.doesNotMatch(told, /many-/)
  const again = await succeeds('dataset', 'import', 'athletes', file, '--json', ...toSite())
  const { isNew, uncounted } = JSON.parse(again.out) as Record<string, unknown>
  assert.deepEqual({ isNew, uncounted }, { isNew: false, uncounted: { rows: 50, people: 20 } })
})

test('a data set that nobody offers, and no question at all', async () => {
  const run = await ask('select count(*) from horses')
  assertRefused(run, { code: 2, says: /names no data set that is offered, which are athletes: say which/ })
  assertRefused(await ask(''), { code: 2, says: /^Say what is asked: --sql is empty\n$/ })
})

const questions: readonly [string, string, string, string][] = [
  [
    'an unknown column',
    'select avg(heigth) from athletes',
    'declined.column',
    'There is no column "heigth"; there are "id", "country", "birth_date", "height", "score", at character 12',
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
    [['--transfer-basis', ''], 2, /^There is no transfer basis "": expected one of scc, bcr, /],
    [['--max-price', '1.00XYZ'], 2, /expected one such as 12\.50EUR, in EUR, CHF, /],
    [['--max-price', '-1.00EUR'], 2, /Cannot use "-1.00EUR" as an amount/],
  ]
  for (const [args, code, says] of cases)
    assertRefused(await hedgerow('ask', ...network, ...question, ...args), { code, says })
  assert.equal(await balanceOf(), was)
})
