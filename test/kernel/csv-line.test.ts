import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csvLine } from '../../src/kernel/csv-line.ts'

test('csvLine() quotes what would break a line (RFC 4180), and nothing is an empty field', () => {
  const line = csvLine(['a,b', 'say "no"', 'two\nlines', null, 1.5, false])
  assert.equal(line, '"a,b","say ""no""","two\nlines",,1.5,false\r\n')
})

test('csvLine() lets no text be a formula of a spreadsheet, and leaves numbers alone', () => {
  const formulas = [
    '=1+1',
    '+cmd|calc',
    '-2+3',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '=HYPERLINK("http://x")',
    '\n=1',
    '＝1+1',
    '＋cmd',
    '－2+3',
    '＠SUM(A1)',
  ]
  for (const formula of formulas) assert.match(csvLine([formula]), /^"?'/, formula)
  assert.equal(csvLine([-1, '-1.5', '+2', 'a=b']), '-1,-1.5,+2,a=b\r\n')
})
