import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { Fault } from '../../src/kernel/faults.ts'
import { PeerRefusal, refusalOf } from '../../src/kernel/http/call-json.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { SITE_API } from '../../src/protocol/http/site-api.ts'
import { addressOf } from '../../src/sdk/address-of.ts'
import type { AddressParts } from '../../src/sdk/address-of.ts'
import { money } from '../../src/kernel/money.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { amountOf } from '../../src/cli/amount.ts'
import { FellShort, WrongUse, exitCodeOf, sentenceOf } from '../../src/cli/failures.ts'
import { tariffText } from '../../src/cli/trade/offers.ts'
import { splitCsvLine } from '../../src/cli/read-records.ts'
import { csvText } from '../../src/cli/trade/release.ts'
import {
  complain,
  disarmed,
  paint,
  processTerminal,
  progress,
  table,
  wrapped,
} from '../../src/cli/terminal.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { tariffSchema } from '../../src/protocol/money/tariff.ts'
import { siteIdSchema } from '../../src/protocol/wire.ts'

function terminal(isInteractive: boolean): Terminal & { text(): string } {
  const [out, error] = [new PassThrough(), new PassThrough()]
  return {
    out,
    error,
    isInteractive,
    isErrorInteractive: isInteractive,
    columns: 80,
    text: () => `${String(out.read() ?? '')}|${String(error.read() ?? '')}`,
  }
}

test('exitCodeOf() tells fell short, wrong use and unreachable apart', () => {
  const cases: readonly [unknown, number][] = [
    [new WrongUse('x'), 2],
    [new FellShort('x'), 1],
    [new Fault('fault.peer_unreachable', { what: 'x' }), 3],
    [new Fault('fault.key_exposed', { what: 'x' }), 2],
    [new Fault('fault.import_malformed', { what: 'x' }), 1],
    [new PeerRefusal({ what: 'x', status: 400, problemCode: 'fault.request_malformed' }), 2],
    [new PeerRefusal({ what: 'x', status: 404, problemCode: 'fault.not_found' }), 1],
    [new PeerRefusal({ what: 'x', status: 503, problemCode: 'fault.unavailable' }), 3],
    [new TypeError('x'), 1],
  ]
  for (const [thrown, code] of cases) assert.equal(exitCodeOf(thrown), code)
})

test('sentenceOf() lists the lines that were wrong below the sentence', () => {
  const errors = [{ field: 'line 7, column "height"', expected: 'expected a number' }]
  assert.equal(
    sentenceOf(new Fault('fault.import_malformed', { what: 'Cannot import', errors })),
    'Cannot import\n  line 7, column "height": expected a number',
  )
})

test('sentenceOf() names the option for what another side misses, and a single field once', () => {
  const says = (what: string, field?: string, expected = '') =>
    sentenceOf(
      new PeerRefusal({
        what,
        status: 400,
        problemCode: 'fault.request_malformed',
        errors: field === undefined ? [] : [{ field, expected }],
      }),
    )
  const cases = [
    [
      says('Cannot look at the data of a person: say the reason', 'reason', 'expected the reason'),
      'Cannot look at the data of a person: say why, with --reason TEXT; the person will see it',
    ],
    [
      says('This key may not do that; use the key of the role that may'),
      'This key may not do that; act as one who may, with --as MEMBER or --token-file FILE',
    ],
    [
      says('Cannot take the evidence: expected more years', 'below', 'expected more years'),
      'Cannot take the evidence: below: expected more years',
    ],
    [
      says('Cannot accept the token: wrong-issuer'),
      'Cannot accept the token: wrong-issuer; sign in at the OpenID Connect provider of this site (“oidc” in its settings)',
    ],
    [
      says('Cannot accept the token: expired'),
      'Cannot accept the token: expired; sign in again, or where a key speaks (--as) set the clock of this machine right',
    ],
    [
      says('Cannot take it: below: expected more years', 'below', 'expected more years'),
      'Cannot take it: below: expected more years',
    ],
  ]
  for (const [said, expected] of cases) assert.equal(said, expected)
})

describe('what is not there', () => {
  const says = (path: string, filledWith: AddressParts) =>
    refusalOf(
      { status: 404, headers: { get: () => null } },
      {
        text: '{"code":"fault.not_found","title":"Not found"}',
        url: addressOf('http://site:1/', { path }, filledWith),
        path,
        clock: systemClock,
      },
    ).message
  const end = 'at site:1, or it is not open to you; check the'

  test('is called by its name, and a person’s key by none', () => {
    const ofPerson = { params: { ref: 'secret-key', purpose: 'p', evidence: 'e' } }
    const cases = [
      ['/v1/officer/bases/{basis}/end', { params: { basis: 'basis_1' } }, `no basis "basis_1" ${end} name`],
      [
        '/v1/sites/{id}/floor-limits/{limit}/closing',
        { params: { id: 'galway', limit: 'flr_1' } },
        `no site "galway" or floor limit "flr_1" ${end} name`,
      ],
      ['/v1/officer/notices', { query: { dataSet: 'steps' } }, `no data set "steps" ${end} name`],
      ['/v1/people/{ref}/uses', ofPerson, `no such person ${end} key`],
      [
        '/v1/people/{ref}/restriction/lifting',
        ofPerson,
        `no such person, or no restriction of them, ${end} key`,
      ],
      ['/v1/people/{ref}/correction', ofPerson, `no such person, data set or row ${end} key`],
      ['/v1/people/{ref}/age-evidence/{evidence}/end', ofPerson, `no such person or evidence ${end} key`],
      ['/v1/grants/revocations', {}, `no such data set or person ${end} names`],
    ] as const
    for (const [path, filledWith, expected] of cases)
      assert.equal(says(path, filledWith), `There is ${expected}`)
    assert.equal(
      says('/v1/disputes', {}),
      'There is no such thing at site:1 as the dispute is about, or it is not open to you; check the names in it',
    )
    assert.equal(says('/v1/site', {}), 'No site of Hedgerow answers at site:1; check the address')
  })

  test('has a word of its own on every route', () => {
    const words = new Set<string>()
    for (const { path } of [...Object.values(NETWORK_API), ...Object.values(SITE_API)]) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
      const said = says(path, { params: Object.fromEntries(names.map((name) => [name, `a ${name}`])) })
      assert.doesNotMatch(said, /[{}/]|%20/, path)
      for (const name of names.filter(() => !path.startsWith('/v1/people/')))
        words.add(
          new RegExp(`([a-z -]+) "a ${name}"`).exec(said.replace(/^There is no| or /g, ''))?.[1]?.trim() ??
            path,
        )
    }
    // Read them when there is a new one: it follows from the address, and may be no word.
    assert.deepEqual([...words].toSorted(), [
      'agent',
      'ask',
      'assessment',
      'authority request',
      'backup',
      'basis',
      'contract',
      'data set',
      'dispute',
      'enforcement point',
      'erasure',
      'floor limit',
      'ground for transfers',
      'guardianship',
      'hold of',
      'incident',
      'issuer',
      'log of the site',
      'member',
      'notice',
      'officer',
      'party',
      'receipt',
      'regulator',
      'request',
      'settlement',
      'site',
      'sub-processor',
      'tile',
    ])
  })
})

test('complain() writes moments as tables do, but for one that shows what to type', () => {
  const pipe = terminal(false)
  complain(pipe, 'It ended at 2026-11-28T15:50:22Z, expected a time such as 2026-12-01T00:00:00Z, 12h or 7d')
  assert.equal(
    pipe.text(),
    '|It ended at 2026-11-28 15:50:22 UTC, expected a time such as 2026-12-01T00:00:00Z, 12h or 7d\n',
  )
})

test('paint() and progress() leave a pipe alone', () => {
  const pipe = terminal(false)
  assert.equal(paint(pipe, 'good', 'yes'), 'yes')
  const line = progress(pipe)
  line.show('50 %')
  line.end()
  assert.equal(pipe.text(), '|')
  assert.ok(paint(terminal(true), 'good', 'yes').startsWith('\u001B['))
})

test('processTerminal() colours and rewrites lines only where somebody looks who wants it', () => {
  const to = (isTTY: boolean) => Object.assign(new PassThrough(), { isTTY })
  const cases: readonly [Readonly<Record<string, string>>, [boolean, boolean], [boolean, boolean]][] = [
    [{ TERM: 'xterm' }, [true, true], [true, true]],
    [{ TERM: 'xterm', NO_COLOR: '' }, [true, true], [true, true]],
    [{ TERM: 'xterm', NO_COLOR: '1' }, [true, true], [false, false]],
    [{ TERM: 'dumb' }, [true, true], [false, false]],
    [{ TERM: 'xterm' }, [true, false], [true, false]],
    [{ TERM: 'xterm' }, [false, true], [false, false]],
  ]
  for (const [environment, [out, error], expected] of cases) {
    const made = processTerminal(environment, { stdout: to(out), stderr: to(error) })
    assert.deepEqual([made.isInteractive, made.isErrorInteractive], expected)
  }
  const [looked, kept] = [terminal(true), { ...terminal(true), isErrorInteractive: false }]
  complain(looked, 'No\r')
  assert.equal(looked.text(), '|\u001B[31mNo\\u000d\u001B[39m\n')
  progress(kept).show('50 %')
  complain(kept, 'No')
  assert.equal(kept.text(), '|No\n')
})

test('amountOf() reads amounts above zero that can be booked, and says what is wrong with others', () => {
  assert.deepEqual(amountOf('12.50EUR'), money(1_250, 'EUR'))
  assert.deepEqual(amountOf('90071992547409.91EUR'), money(Number.MAX_SAFE_INTEGER, 'EUR'))
  const wrong = {
    '0EUR': /it must be above zero$/,
    '-0.01 CHF': /it must be above zero$/,
    '90071992547409.92EUR': /it is more than any account holds$/,
    '0.001EUR': /expected one such as 12\.50EUR, in EUR, CHF/,
    '1 XYZ': /expected one such as/,
  }
  for (const [text, says] of Object.entries(wrong)) assert.throws(() => amountOf(text), says)
})

test('table() prints aligned columns without trailing spaces', () => {
  const pipe = terminal(false)
  table(pipe, {
    head: ['a', 'bb'],
    rows: [
      ['1', '2'],
      ['333', '4'],
    ],
  })
  assert.equal(pipe.text(), '  a  bb\n  1   2\n333   4\n|')
})

test('csvText() quotes what needs it and disarms what a spreadsheet would run', () => {
  const release = {
    ask: 'a',
    site: siteIdSchema.parse('galway'),
    dataSet: 'd',
    mode: 'rows',
    columns: [
      { name: 'x', type: 'text' },
      { name: 'y', type: 'number' },
    ],
  }
  const text = csvText({
    ...release,
    rows: [
      ['a,"b"', -1.5],
      ['=1+1', null],
      ['-2', true],
    ],
  })
  assert.equal(text, 'x,y\r\n"a,""b""",-1.5\r\n\'=1+1,\r\n-2,true\r\n')
})

test('splitCsvLine() reads quoted fields after RFC 4180', () => {
  assert.deepEqual(splitCsvLine('1,"a ""b"", c",,x'), ['1', 'a "b", c', '', 'x'])
})

test('tariffText() says a tariff in words', () => {
  const tariff = tariffSchema.parse({
    currency: 'EUR',
    perRunMinor: 200,
    per100PeopleMinor: 20,
    capMinor: 2500,
  })
  assert.equal(tariffText(tariff), '2.00 EUR a run, 0.20 EUR per 100 people, at most 25.00 EUR')
})

test('a terminal obeys nothing that a stranger wrote into a title, a name or a value', () => {
  const hostile = 'steps\u001B[2J\u001B]52;c;cm0gLXJm\u0007\u001B[8m\u009B1A\u202Eedoc\r'
  const shown = 'steps\\u001b[2J\\u001b]52;c;cm0gLXJm\\u0007\\u001b[8m\\u009b1A\\u202eedoc\\u000d'
  assert.equal(disarmed(hostile, true), shown)
  for (const isInteractive of [true, false]) {
    const screen = terminal(isInteractive)
    table(screen, { head: ['title'], rows: [[hostile]] })
    assert.match(screen.text(), /steps\\u001b\[2J/)
  }
  const forged = terminal(false)
  table(forged, {
    head: ['member', 'name'],
    rows: [['evil', 'Evil\nnorthcare  Northcare\u2028'], ['Lines\r\nof ours']],
  })
  assert.equal(
    forged.text(),
    'member  name\nevil    Evil\\nnorthcare  Northcare\\u2028\nLines\nof ours\n|',
    'a cell is one line',
  )
  const own = paint(terminal(true), 'good', 'zwölf\tund\n')
  assert.equal(disarmed(own, true), own)
})

test('table() and wrapped() fit the terminal: whole words on further lines, ids and numbers uncut', () => {
  const narrow = terminal(false)
  table(narrow, {
    head: ['ask', 'says', 'amount'],
    rows: [
      [
        'ask_01M8EXQT2PE77RKGJ8RB4J1RXH',
        'a long sentence that does not fit beside the id of its ask',
        '1,234.50 EUR',
      ],
      ['over all columns'],
    ],
  })
  assert.equal(
    narrow.text(),
    `ask                             says                                      amount
ask_01M8EXQT2PE77RKGJ8RB4J1RXH  a long sentence that does not fit   1,234.50 EUR
                                beside the id of its ask
over all columns
|`,
  )
  assert.equal(
    wrapped({ ...narrow, columns: 20 }, 'five words in short lines', '  '),
    '  five words in\n  short lines',
  )
  assert.equal(wrapped({ ...narrow, columns: 4 }, 'a-word-too-long b'), 'a-word-too-long\nb')
  const indented = terminal(false)
  table(
    { ...indented, columns: 38 },
    { head: ['  what', 'from'], rows: [['  capture, network', 'a member with a long name']] },
  )
  assert.equal(
    indented.text(),
    `  what              from
  capture, network  a member with a
                    long name
|`,
  )
  table(
    { ...indented, columns: 34 },
    { head: ['  what', 'from'], rows: [['  capture, network', 'fairfield-research']] },
  )
  assert.equal(
    indented.text(),
    `  what          from
  capture,      fairfield-research
  network
|`,
  )
})

test('a row over all columns is whole: longer than the table and the terminal, with its breaks, and no cell passes for one', () => {
  const path = `  /var/lib/${'a-long-directory/'.repeat(6)}backup_01M8EXQT2PE77RKGJ8RB4J1RXH`
  const two = '  columns steps, minutes; used in Ireland, on the basis of\n  a contract'
  for (const isInteractive of [true, false]) {
    const narrow = terminal(isInteractive)
    table(narrow, {
      indent: ' ',
      head: ['backup', 'state'],
      rows: [['one', 'whole'], [path], ['two', '\0.'], ['\0.', ''], [two]],
    })
    assert.equal(
      stripVTControlCharacters(narrow.text()),
      ` backup   state
 one      whole
 ${path}
 two      \\u0000.
 \\u0000.
 ${two.replace('\n', '\n ')}
|`,
    )
  }
})

test('columns are as wide as what a terminal shows: flags, families, signs of two columns, accents apart', () => {
  const pipe = terminal(false)
  table(pipe, {
    head: ['who', 'x'],
    rows: [
      ['🇮🇪🇩🇪', 'y'],
      ['👨‍👩‍👧', 'y'],
      ['走路', 'y'],
      ['e\u0301te\u0301', 'y'],
    ],
  })
  assert.equal(pipe.text(), 'who   x\n🇮🇪🇩🇪  y\n👨‍👩‍👧    y\n走路  y\ne\u0301te\u0301   y\n|')
})
