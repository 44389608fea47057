import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { money } from '../../src/kernel/money.ts'
import { amountOf } from '../../src/cli/amount.ts'
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
